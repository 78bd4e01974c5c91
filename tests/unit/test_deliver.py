"""The pipe door's pure parts: what becomes of the octets, and whom the mail is for."""

import ast
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar import deliver
from sidecar.deliver import Failure, Options, Wire, recipient, sender
from sidecar.edges.lmtp import Connection
from sidecar.edges.replies import TROUBLE

VERP = b"WIKI-testwiki-1-abc-lJ/EuStX+vPc7XXp@b.example"
#: What is special to LMTP, to mbox and to line ends, and pieces that are not.
PIECES = [
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b"..",
    b"From ",
    b">From ",
    b"From:",
    b":",
    b"\0",
    b"\xff\xfe",
    b"x" * 999,
    b"a",
]


def in_pieces(mail: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({cut % (len(mail) + 1) for cut in cuts} | {0, len(mail)})
    return [mail[start:end] for start, end in itertools.pairwise(edges)]


def on_the_wire(pieces: list[bytes]) -> tuple[bytes, int]:
    wire = Wire()
    sent = b"".join(wire.feed(piece) for piece in pieces) + wire.finish()
    return sent, wire.octets


def taken(sent: bytes) -> bytes:
    """What the sidecar's own LMTP makes of it; whatever is behind the final dot would be a command."""
    server = Connection(lambda _: None)
    server.receive(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n")
    server.output()
    delivery = server.receive(sent)
    assert delivery is not None
    server.answer([TROUBLE])
    assert server.output().count(b"\r\n") == 1
    return delivery.raw


@given(st.lists(st.sampled_from(PIECES)).map(b"".join), st.lists(st.integers(0, 10_000), max_size=8))
@example(b"a\r", [])
@example(b"From ann Mon\n.\r", [13])
@example(b"a\n.\nMAIL FROM:<x@y>\n", [2, 3])
def test_a_mail_arrives_with_its_line_ends_made_crlf_and_nothing_else_changed(
    mail: bytes, cuts: list[int]
) -> None:
    expected = re.sub(rb"\AFrom (?![ \t]*:)[^\n]{0,1995}\n", b"", mail)
    expected = re.sub(rb"(?<!\r)\n", b"\r\n", expected)
    if expected and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    sent, octets = on_the_wire(in_pieces(mail, cuts))
    assert taken(sent) == expected
    assert octets == len(expected)


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (b"From MAILER-DAEMON  Sat Nov 21 10:58:59 2026\nA: b\n", b"A: b\r\n"),
        (b"From ann@example.org Sat\r\nA: b\r\n", b"A: b\r\n"),
        (b"From : ann@example.org\nA: b\n", b"From : ann@example.org\r\nA: b\r\n"),
        (b"From: ann@example.org\n", b"From: ann@example.org\r\n"),
        (b">From ann\nA: b\n", b">From ann\r\nA: b\r\n"),
        (b"A: b\nFrom ann\n", b"A: b\r\nFrom ann\r\n"),
        (b"From ann\nFrom bob\n", b"From bob\r\n"),
        (b"From here without an end", b"From here without an end\r\n"),
        (b"From " + b"x" * 4000 + b"\n", b"From " + b"x" * 4000 + b"\r\n"),
    ],
)
def test_one_leading_mbox_line_is_taken_off(mail: bytes, expected: bytes) -> None:
    for size in (1, 7, len(mail)):
        pieces = [mail[start : start + size] for start in range(0, len(mail), size)]
        assert taken(on_the_wire(pieces)[0]) == expected


@pytest.mark.parametrize(
    ("argument", "environment", "expected"),
    [
        (VERP, {}, VERP),
        (VERP, {b"ORIGINAL_RECIPIENT": b"x@y", b"RECIPIENT": b"x@y"}, VERP),
        (b"", {b"ORIGINAL_RECIPIENT": VERP, b"RECIPIENT": b"bounces@wiki.example"}, VERP),
        (b"", {b"ORIGINAL_RECIPIENT": b"", b"RECIPIENT": VERP}, VERP),
        (b"wiki-user", {b"ORIGINAL_RECIPIENT": b"wiki-user", b"RECIPIENT": VERP}, VERP),
        (b"<" + VERP + b">", {}, VERP),
    ],
)
def test_the_recipient_is_the_first_with_an_at(argument, environment, expected) -> None:
    assert recipient(argument, environment) == expected


@pytest.mark.parametrize(
    ("argument", "environment", "expected"),
    [
        (None, {}, b""),
        (b"", {b"SENDER": b"ann@example.org"}, b""),
        (b"<>", {}, b""),
        (b"MAILER-DAEMON", {}, b""),
        (None, {b"SENDER": b"mailer-daemon"}, b""),
        (None, {b"SENDER": b"ann@example.org"}, b"ann@example.org"),
        (b"MAILER-DAEMON@example.org", {}, b"MAILER-DAEMON@example.org"),
    ],
)
def test_the_null_sender_has_many_spellings(argument, environment, expected) -> None:
    assert sender(argument, environment) == expected


@pytest.mark.parametrize("address", [b"a@b>\r\nDATA", b"a@b\n", b"\0a@b", b"a@b\x7f"])
def test_no_address_says_a_command(address: bytes) -> None:
    with pytest.raises(Failure, match="control character"):
        recipient(address, {})
    with pytest.raises(Failure, match="control character"):
        sender(address, {})


def test_options_stand_before_the_recipient_or_before_two_dashes() -> None:
    given_ = Options(["--socket=/x/y", "--sender", "", "--deadline", "2.5", "--refuse", "--", "-a@b"])
    assert vars(given_) == {
        "socket": "/x/y",
        "sender": b"",
        "deadline": 2.5,
        "refuse": True,
        "recipient": b"-a@b",
    }
    assert Options(["a@b", "--sender", "--x"]).sender == b"--x"


def test_it_imports_little_and_nothing_of_ours() -> None:
    """Started for each mail, and by any Python: what is imported is most of its time."""
    tree = ast.parse(Path(deliver.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "collections.abc", "os", "signal", "socket", "sys"}
