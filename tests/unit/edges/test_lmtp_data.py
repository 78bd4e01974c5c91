"""LMTP's data, without a socket: dots, smuggling, sizes, any split of the octets, and the work they cost."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.edges import replies
from sidecar.edges.lmtp import Connection, Delivery
from tests.unit.edges.lmtp_talk import (
    GO,
    HELLO,
    MAIL,
    OFFERS,
    RCPT_OK,
    SENDER_OK,
    SIZE,
    TAKEN,
    Talk,
    any_cut,
    judge,
)


@any_cut
@pytest.mark.parametrize(
    ("wire", "raw"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..b\r\n...\r\n.\r\n", b"a\r\n.b\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"\0\xff\0\r\n.\r\n", b"\0\xff\0\r\n"),
        (b"x" * 900 + b"\r\n.\r\n", b"x" * 900 + b"\r\n"),
        (b"MAIL FROM:<>\r\nQUIT\r\n.\r\n", b"MAIL FROM:<>\r\nQUIT\r\n"),
    ],
)
def test_the_data_arrive_as_they_were(wire, raw, cut):
    talk = Talk().say(*cut(HELLO + MAIL + wire + b"NOOP\r\n"))
    assert talk.deliveries == [Delivery("", ("one@b.example",), raw)]
    assert talk.heard[-2:] == [TAKEN, replies.OK]


@any_cut
@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n.\r",
        b"\r\n.\0\r\n",
        b"\r\n\0.\r\n",
    ],
)
def test_nothing_but_crlf_dot_crlf_ends_the_data(end, cut):
    """SMTP smuggling: the MTA in front of us took this for one mail, and so do we."""
    smuggled = b"a" + end + b"MAIL FROM:<evil@b>\r\nRCPT TO:<two@b.example>\r\nDATA\r\nb"
    talk = Talk().say(*cut(HELLO + MAIL + smuggled + b"\r\n.\r\n"))
    assert len(talk.deliveries) == 1
    assert talk.deliveries[0].raw.endswith(b"MAIL FROM:<evil@b>\r\nRCPT TO:<two@b.example>\r\nDATA\r\nb\r\n")
    assert talk.heard == [OFFERS, SENDER_OK, RCPT_OK, GO, TAKEN]


@any_cut
def test_a_mail_of_exactly_the_limit_is_taken_however_it_is_stuffed(cut):
    raw = (b".\r\n" * SIZE)[: SIZE - 3] + b"x\r\n"
    talk = Talk().say(*cut(HELLO + MAIL + b"." + raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"))
    assert [delivery.raw for delivery in talk.deliveries] == [raw]


@any_cut
@pytest.mark.parametrize("over", [1, 334, 10_000])
def test_a_mail_over_the_limit_is_refused_once_per_recipient_and_the_session_goes_on(over, cut):
    two = MAIL.replace(b"DATA", b"RCPT TO:<two@b.example>\r\nDATA")
    talk = Talk().say(*cut(HELLO + two + b"x" * (SIZE + over - 2) + b"\r\n.\r\nNOOP\r\n"))
    assert talk.deliveries == []
    assert talk.heard[-3:] == [replies.TOO_BIG, replies.TOO_BIG, replies.OK]


@any_cut
def test_no_other_dot_ends_a_mail_over_the_limit_either(cut):
    lines = b"x.\r\n" * SIZE + b"..\r\nx\n.\r\nMAIL FROM:<evil@b>\r\n"
    talk = Talk().say(*cut(HELLO + MAIL + lines + b".\r\nNOOP\r\n"))
    assert talk.heard == [OFFERS, SENDER_OK, RCPT_OK, GO, replies.TOO_BIG, replies.OK]


def test_what_is_over_the_limit_is_not_kept():
    talk = Talk().say(HELLO + MAIL)
    held = []
    for _ in range(100):
        talk.say(b"x" * SIZE)
        held.append(len(talk.connection._input))
    assert max(held) <= 2 * SIZE


PIECES = st.sampled_from(
    [
        *(HELLO, MAIL, b"MAIL FROM:<a@b> SIZE=999\r\n", b"RCPT TO:<two@b>\r\n", b"RCPT TO:<forged@b>\r\n"),
        *(b"RCPT TO:<trouble@b>\r\n", b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"XYZZY\r\n"),
        *(
            b"\r\n.\r\n",
            b".\r\n",
            b"\r\n.",
            b"\n.\r\n",
            b"\r\n.\n",
            b".",
            b"..",
            b"\r",
            b"\n",
            b"\r\n",
            b"\0",
            b"body",
        ),
        *(b"x" * 700, b"x" * 2100, b".\r\n..\r\n" * 100),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30), st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_any_split_of_the_same_octets_is_the_same_session(pieces, lengths):
    said = HELLO + MAIL + b"".join(pieces)
    chunks, at, turn = [], 0, 0
    while at < len(said):
        chunks.append(said[at : at + lengths[turn % len(lengths)]])
        at, turn = at + len(chunks[-1]), turn + 1
    whole, cut = Talk().say(said), Talk().say(*chunks)
    assert (cut.output, cut.deliveries) == (whole.output, whole.deliveries)
    assert cut.connection.closed == whole.connection.closed


@settings(deadline=None)
@given(st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"x", b"\0", b"\xff"]), max_size=60))
def test_any_body_comes_through_dot_stuffing(parts):
    body = b"".join(parts)
    body += b"" if body.endswith(b"\r\n") or not body else b"\r\n"
    stuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:]
    assert [delivery.raw for delivery in Talk().say(HELLO + MAIL + stuffed + b".\r\n").deliveries] == [body]


class Counting(bytearray):
    """Counts the octets that are searched."""

    searched = 0

    def find(self, wanted, start=0):
        found = super().find(wanted, start)
        self.searched += (found if found >= 0 else len(self)) - start
        return found


@pytest.mark.parametrize("begin", [HELLO, HELLO + MAIL], ids=["a command", "a mail"])
@pytest.mark.parametrize("size_limit", [SIZE, 10**6], ids=["over the limit", "below it"])
def test_no_octet_is_searched_again_and_again(begin, size_limit):
    connection = Connection(judge, size_limit=size_limit)
    connection.receive(begin)
    connection._input = counting = Counting()
    chunks = 20_000
    for _ in range(chunks):
        connection.receive(b"\r.x")
    assert chunks <= counting.searched <= chunks * (3 + len(b"\r\n.\r\n"))


def test_the_time_grows_with_the_size():
    def spent(size: int) -> float:
        connection = Connection(judge)
        connection.receive(HELLO + MAIL)
        begin = time.process_time()
        for _ in range(size // 256):
            connection.receive(b"x" * 256)
        assert connection.receive(b"\r\n.\r\n") is not None
        return time.process_time() - begin

    small, large = (min(spent(size) for _ in range(3)) for size in (2**20, 2**23))
    assert large < 8 * small * 4  # a square would be 64 times
