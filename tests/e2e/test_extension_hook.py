"""The extension's hook in a real MediaWiki: which mails get a signed return path, and that every mail leaves.

Knows what sendmail was called with. Does not know how a return path is signed.
"""

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.mediawiki import MediaWiki
from tests.support.return_path_peer import (
    Behaviour,
    ReturnPathPeer,
    answers,
    dribbles,
    hangs_up,
    is_silent,
    netstring,
    says,
)

pytestmark = pytest.mark.servers

USUAL = "wiki@wiki.example.org"
#: As long and as wild as ours and BounceHandler's can be.
SIGNED = "wiki-enwiki-1-n5iuww-zeo4R2+SECiYA9/YR=.x_y@bounces.example.org"
SUBJECT, BODY = "A subject", "A body of ten octets or more"
#: Seconds that say "it does not hang"; the extension's patience is 0.05, but the machine may be busy.
NOT_HUNG = 2.0

CONFIRMED = datetime(2026, 11, 1, tzinfo=UTC)


class Reader:
    """A registered user with a name and an address of their own."""

    def __init__(self, wiki: MediaWiki) -> None:
        self.name = f"Reader {secrets.token_hex(4)}"
        self.address = f"{secrets.token_hex(4)}.Reader@example.org"
        self.id = wiki.add_user(self.name, self.address, CONFIRMED)


@pytest.fixture
def reader(mediawiki: MediaWiki) -> Reader:
    return Reader(mediawiki)


def test_the_signed_return_path_reaches_sendmail(mediawiki: MediaWiki, reader: Reader) -> None:
    with ReturnPathPeer(mediawiki.socket_path, answers(f"OK {SIGNED}")) as peer:
        assert mediawiki.send_mail(reader.id, SUBJECT, BODY)
    assert [mail.return_path for mail in mediawiki.outgoing()] == [SIGNED]
    assert peer.questions == [netstring(f"verp {mediawiki.wiki_id} {reader.id} {reader.address}")]
    assert mediawiki.logged("BounceSidecar") == ""


def test_a_mail_between_users_in_a_web_request_is_signed_too(mediawiki: MediaWiki, reader: Reader) -> None:
    sender = Reader(mediawiki)
    with ReturnPathPeer(mediawiki.socket_path, answers(f"OK {SIGNED}")):
        answer = mediawiki.email_user(sender.id, reader.id, SUBJECT, BODY)
    assert answer["emailuser"]["result"] == "Success"
    assert [mail.return_path for mail in mediawiki.outgoing()] == [SIGNED]


@pytest.mark.parametrize("case", ["nobody", "unregistered"])
def test_what_does_not_go_to_a_user_is_left_alone(mediawiki: MediaWiki, reader: Reader, case: str) -> None:
    name = {"nobody": "", "unregistered": "Nobody Of That Name"}[case]
    with ReturnPathPeer(mediawiki.socket_path, answers(f"OK {SIGNED}")) as peer:
        run = mediawiki.mail_to([(name, reader.address)], SUBJECT, BODY)
    assert run.good
    assert [mail.return_path for mail in mediawiki.outgoing()] == [USUAL]
    assert peer.questions == []


#: PHP 8's mail() refuses MediaWiki's mails to several recipients ("cannot contain the "To" header").
OWN_MAILER = """
$wgHooks['AlternateUserMailer'][] = static function ( $headers, $to ) {
    file_put_contents( '%s', count( $to ) . ' ' . $headers['Return-Path'] );
    return false;
};"""


def test_a_mail_to_two_users_is_left_alone(mediawiki: MediaWiki, reader: Reader, tmp_path: Path) -> None:
    other = Reader(mediawiki)
    mediawiki.configure(OWN_MAILER % (tmp_path / "sent"))
    with ReturnPathPeer(mediawiki.socket_path, answers(f"OK {SIGNED}")) as peer:
        run = mediawiki.mail_to([(reader.name, reader.address), (other.name, other.address)], SUBJECT, BODY)
    assert run.good
    assert (tmp_path / "sent").read_text() == f"2 {USUAL}"
    assert peer.questions == []


MISBEHAVIOUR: dict[str, tuple[Behaviour, str]] = {
    "silent": (is_silent, "no answer in time"),
    "dribbling": (dribbles(f"OK {SIGNED}"), "no answer in time"),
    "hanging up": (hangs_up, "hung up"),
    "PERM": (answers("PERM no wiki of that name"), "answered PERM"),
    "TEMP": (answers("TEMP starting"), "answered TEMP"),
    "NOTFOUND": (answers("NOTFOUND "), "answered NOTFOUND"),
    "nothing": (answers(""), "no return path"),
    "OK and nothing": (answers("OK "), "no return path"),
    "a shell's delight": (answers("OK $(touch x)@example.org"), "no return path"),
    "a second line": (answers(f"OK {SIGNED}\n"), "no return path"),
    "a long local part": (answers(f"OK {'a' * 65}@example.org"), "no return path"),
    "HTTP": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no netstring"),
    "an announced flood": (says(b"999:" + b"x" * 999 + b","), "too long"),
    "a flood": (says(b"9" * 100_000), "no netstring"),
    "no comma": (says(netstring(f"OK {SIGNED}")[:-1] + b";"), "does not end"),
    "more than asked": (says(netstring(f"OK {SIGNED}") * 2), "does not end"),
    "half": (says(netstring(f"OK {SIGNED}")[:20]), "no answer in time"),
}


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_a_misbehaving_peer_costs_the_signature_and_not_the_mail(
    mediawiki: MediaWiki, reader: Reader, kind: str
) -> None:
    behaviour, reason = MISBEHAVIOUR[kind]
    if reason != "no answer in time":  # what is answered is read, however busy this machine is
        mediawiki.set(wgBounceSidecarTimeout=10)
    with ReturnPathPeer(mediawiki.socket_path, behaviour) as peer:
        run = mediawiki.mail_to([(reader.name, reader.address)], SUBJECT, BODY)
    assert run.good
    assert run.seconds < NOT_HUNG
    assert [mail.return_path for mail in mediawiki.outgoing()] == [USUAL]
    assert len(peer.questions) == 1
    log = mediawiki.logged("BounceSidecar")
    assert reason in log
    assert "@" not in log


def test_an_answer_may_come_in_any_pieces(mediawiki: MediaWiki, reader: Reader) -> None:
    mediawiki.set(wgBounceSidecarTimeout=10)
    with ReturnPathPeer(mediawiki.socket_path, dribbles(f"OK {SIGNED}")):
        assert mediawiki.send_mail(reader.id, SUBJECT, BODY)
    assert [mail.return_path for mail in mediawiki.outgoing()] == [SIGNED]


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """A socket that nobody listens on any more, as after a crash."""
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    yield
    path.unlink()


@contextmanager
def _never_accepting(path: Path) -> Iterator[None]:
    """A stopped sidecar: the kernel still takes connections until the backlog is full."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield
    path.unlink()


@contextmanager
def _overrun(path: Path) -> Iterator[None]:
    """The backlog of a stopped sidecar is full."""
    with (
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_UNIX) as before,
    ):
        listener.bind(str(path))
        listener.listen(0)
        before.connect(str(path))
        yield
    path.unlink()


@contextmanager
def _no_socket(path: Path) -> Iterator[None]:
    path.write_text("a plain file")
    yield
    path.unlink()


@contextmanager
def _missing(path: Path) -> Iterator[None]:
    assert not path.exists()
    yield


@pytest.mark.parametrize("trouble", [_missing, _refusing, _never_accepting, _overrun, _no_socket])
def test_without_a_sidecar_the_mail_leaves(
    mediawiki: MediaWiki, reader: Reader, trouble: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with trouble(mediawiki.socket_path):
        run = mediawiki.mail_to([(reader.name, reader.address)], SUBJECT, BODY)
    assert run.good
    assert run.seconds < NOT_HUNG
    assert [mail.return_path for mail in mediawiki.outgoing()] == [USUAL]


@pytest.mark.parametrize(
    "settings",
    [
        {"wgBounceSidecarSocket": "/" + "x" * 200},
        {"wgBounceSidecarSocket": ["not", "a", "path"]},
        {"wgBounceSidecarSocket": None},
        {"wgBounceSidecarTimeout": "soon"},
        {"wgBounceSidecarTimeout": -1},
    ],
)
def test_a_wrong_setting_does_not_stop_the_mail(
    mediawiki: MediaWiki, reader: Reader, settings: dict[str, object]
) -> None:
    mediawiki.set(**settings)
    with ReturnPathPeer(mediawiki.socket_path, answers(f"OK {SIGNED}")):
        assert mediawiki.send_mail(reader.id, SUBJECT, BODY)
    assert [mail.return_path for mail in mediawiki.outgoing()] == [USUAL]
