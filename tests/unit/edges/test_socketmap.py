"""The socketmap protocol, octet by octet, without a socket."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.edges import replies, socketmap
from sidecar.edges.socketmap import Connection, netstring


def echo(name: str, key: str) -> str:
    return f"OK {name}|{key}"


def octets(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


TOO_LONG, BROKEN = netstring(replies.REQUEST_TOO_LONG), netstring(replies.NOT_A_NETSTRING)
LONGEST = b"n " + b"x" * (socketmap.REQUEST_LIMIT - 2)
LONGER = b"x" * (socketmap.REQUEST_LIMIT + 1)
FAR_TOO_LONG = b"x" * socketmap.SKIP_LIMIT


def wire(payload: bytes) -> bytes:
    return b"%d:%b," % (len(payload), payload)


#: said -> heard, whether it hangs up
DIALOGS: dict[str, tuple[bytes, bytes, bool]] = {
    "one": (b"11:verp wiki 1,", b"14:OK verp|wiki 1,", False),
    "two in one": (b"3:a b,3:c d,", b"6:OK a|b,6:OK c|d,", False),
    "no key": (b"1:a,", b"5:OK a|,", False),
    "empty": (b"0:,", b"4:OK |,", False),
    "utf-8 is counted in octets": (wire("a ä".encode()), netstring("OK a|ä"), False),
    "not utf-8": (b"3:a \xff,3:a b,", netstring(replies.NOT_UTF8) + b"6:OK a|b,", False),
    "longest": (wire(LONGEST), netstring("OK n|" + "x" * (len(LONGEST) - 2)), False),
    "too long": (wire(LONGER) + b"3:a b,", TOO_LONG + b"6:OK a|b,", False),
    "far too long": (wire(FAR_TOO_LONG) + b"3:a b,", TOO_LONG + b"6:OK a|b,", False),
    "too long, twice": (wire(LONGER) * 2 + b"3:a b,", TOO_LONG * 2 + b"6:OK a|b,", False),
    "too long and no comma": (wire(LONGER)[:-1] + b";3:a b,", TOO_LONG + BROKEN, True),
    "giant": (b"65537:", BROKEN, True),
    "more than giant": (b"123456", BROKEN, True),
    "no digits": (b":a,", BROKEN, True),
    "no number": (b"get verp wiki 1\n", BROKEN, True),
    "sign": (b"-1:,", BROKEN, True),
    "blank": (b" 3:a b,", BROKEN, True),
    "other digits": ("٣:a b,".encode(), BROKEN, True),
    "leading zero": (b"03:a b,", BROKEN, True),
    "00": (b"00:,", BROKEN, True),
    "no comma": (b"3:a b;3:a b,", BROKEN, True),
    "good, then broken": (b"3:a b,x3:a b,", b"6:OK a|b," + BROKEN, True),
    "not whole yet": (b"3:a b", b"", False),
}


@pytest.mark.parametrize("cut", [lambda data: [data], octets], ids=["whole", "octets"])
@pytest.mark.parametrize("name", DIALOGS)
def test_dialog(name, cut):
    said, heard, hangs_up = DIALOGS[name]
    connection = Connection(echo)
    assert b"".join(map(connection.receive, cut(said))) == heard
    assert connection.closed is hangs_up


def test_nothing_is_said_behind_a_hang_up():
    connection = Connection(echo)
    connection.receive(b"x")
    assert connection.receive(b"3:a b,") == b""


PIECES = st.sampled_from(
    [
        b"3:a b,",
        b"0:,",
        b"1:",
        b"a",
        b",",
        b"3:a",
        b" b,",
        b"00:,",
        b"x",
        wire(LONGER),
        wire(LONGEST),
        b"65536:",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_any_split_of_the_same_octets_gets_the_same_replies(pieces, lengths):
    said = b"".join(pieces)
    chunks, at, turn = [], 0, 0
    while at < len(said):
        chunks.append(said[at : at + lengths[turn % len(lengths)]])
        at, turn = at + len(chunks[-1]), turn + 1
    whole, cut = Connection(echo), Connection(echo)
    assert b"".join(map(cut.receive, chunks)) == whole.receive(said)
    assert cut.closed == whole.closed


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=50)))
def test_every_request_gets_its_own_reply(keys):
    said = b"".join(wire(f"n {key}".encode()) for key in keys)
    assert Connection(echo).receive(said) == b"".join(netstring(f"OK n|{key}") for key in keys)


def test_what_is_kept_is_never_more_than_one_request():
    connection = Connection(echo)
    for chunk in [b"65536:", *[b"x" * 1000] * 60]:
        connection.receive(chunk)
        assert len(connection._rest) <= socketmap.REQUEST_LIMIT
