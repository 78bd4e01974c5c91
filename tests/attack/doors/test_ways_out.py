"""Every way out of a stranger's words that is no page and no command: letters, the log, answers of the doors.

What must be: a line of ours stays one line, nothing moves a cursor or turns it round, no header begins with a
stranger. Pages are in tests/attack/web, commands in words.py, the pipe client's words in pipe.py.
"""

import json
from collections.abc import Callable
from contextlib import redirect_stderr
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import StringIO

import pytest
import structlog

from sidecar.domain import canary
from sidecar.domain.harmless import harmless
from sidecar.domain.trouble import Kind, Trouble
from sidecar.edges import replies
from sidecar.edges.http_talk import say
from sidecar.edges.lmtp import Connection
from sidecar.edges.policy_delegation import Connection as PolicyConnection
from sidecar.edges.policy_service import PolicyService
from sidecar.edges.socketmap import Connection as SocketmapConnection
from sidecar.edges.socketmap import netstring
from sidecar.edges.verp_socket import Lookups
from sidecar.journal import configure_logging
from sidecar.services.digest import compose
from sidecar.services.letters import Letterhead
from sidecar.services.statistics import Numbers
from sidecar.services.summary import summary_letter
from sidecar.services.summary_text import Half, Week
from sidecar.storage.aside import Aside
from sidecar.storage.brakes import Brake
from tests.attack.doors.keys import return_paths
from tests.attack.doors.words import EVIL
from tests.attack.web.payloads import PAYLOADS

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
HEAD = Letterhead(("ops@example.org",), "bounces@example.org", "bounces.example.org")
FIELDS = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"),
    "content-transfer-encoding",
}
BEGUN_BY_STRANGERS = ("forged", "level=", "MAIL", "From ", "Bcc", "Set-Cookie", "bounce_sidecar_up")
WORDS = (*EVIL, *PAYLOADS, "\n.\r\nMAIL FROM:<>", "From x\n\n--b", "=?utf-8?q?=0D=0ABcc:_x=40y?=")


def _digest(evil: str) -> EmailMessage:
    return compose([Aside(1, NOW, evil, evil, evil, evil)], HEAD, NOW)


def _summary(evil: str) -> EmailMessage:
    brake = Brake(1, evil, "", NOW, NOW, evil, "tripped", None, 3)
    rows = {evil: Numbers(hard=3)}
    half = Half(date(2026, 11, 9), date(2026, 11, 15), Numbers(), rows, rows, {}, 1, {}, (brake,))
    week = Week(half, half, (Trouble(Kind.BRAKE, evil, evil),), 1)
    return summary_letter(week, HEAD, NOW, "summary.2026-W46")


LETTERS: dict[str, Callable[[str], EmailMessage]] = {"digest": _digest, "summary": _summary}


@pytest.mark.parametrize("evil", WORDS)
@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_of_ours_has_our_lines_alone(letter: str, evil: str) -> None:
    honest = LETTERS[letter]("honest")
    sent = LETTERS[letter](evil).as_bytes()
    read = message_from_bytes(sent, policy=policy.default)
    assert {name.lower() for name in read} <= FIELDS
    assert (read["To"], read["Subject"]) == ("ops@example.org", honest["Subject"])
    assert not read.is_multipart()
    text = read.get_content().replace("\r\n", "\n")
    assert harmless(text, lines=True) == text
    assert [line for line in text.split("\n") if line.startswith(BEGUN_BY_STRANGERS)] == []


@pytest.mark.parametrize("evil", WORDS)
def test_a_canary_carries_its_nodes_name_and_nothing_else(evil: str) -> None:
    path = "wiki-enwiki-1-abc-def@bounces.example.org"
    honest, sent = (canary.compose(path, node, NOW) for node in ("honest", evil))
    assert sent.isascii()
    assert len(sent.splitlines()) == len(honest.splitlines())
    assert [one.get_content_type() for one in message_from_bytes(sent, policy=policy.default).walk()] == [
        one.get_content_type() for one in message_from_bytes(honest, policy=policy.default).walk()
    ]


@pytest.mark.parametrize("evil", WORDS)
@pytest.mark.parametrize("style", ["console", "keyvalue", "json"])
def test_a_line_of_the_log_stays_one_line(style: str, evil: str) -> None:
    before = structlog.get_config()
    plain = evil.replace("@", "(at)")  # what looks like an address is for the tests of leaks
    facts = dict.fromkeys(("why", "rule", "domain", "provider", "kind", "recipient", "error"), plain)
    with redirect_stderr(StringIO()) as said:
        configure_logging("info", style)
        structlog.get_logger().info("notice", **facts)
    structlog.configure(**before)
    line = said.getvalue()
    assert line.endswith("\n")
    assert harmless(line[:-1]) == line[:-1]
    if style == "json":
        assert json.loads(line)["event"]["action"] == "notice"


@pytest.mark.parametrize("evil", WORDS)
def test_what_a_door_answers_is_its_own_words(evil: str) -> None:
    octets = evil.encode("utf-8", "surrogatepass")
    for said in (_lmtp(octets), _policy(octets), _socketmap(evil)):
        text = said.decode("ascii")
        assert harmless(text.replace("\r\n", "\n"), lines=True) == text.replace("\r\n", "\n")
        assert "forged" not in text
    told = json.dumps(say(replies.bad_input(evil)).body)
    assert told.isascii()
    assert harmless(told) == told


def _lmtp(octets: bytes) -> bytes:
    session = Connection(return_paths().refusal)
    session.receive(b"LHLO " + octets + b"\r\nMAIL FROM:<" + octets + b">\r\nRCPT TO:<" + octets + b">\r\n")
    return session.output()


def _policy(octets: bytes) -> bytes:
    session = PolicyConnection(PolicyService(return_paths())._decide)
    request = b"request=smtpd_access_policy\nrecipient=wiki-" + octets + b"@b.example\n\n"
    return session.receive(request)


def _socketmap(evil: str) -> bytes:
    session = SocketmapConnection(Lookups(return_paths(), failed=lambda: None))
    question = f"bounce wiki-{evil}@b.example".encode("utf-8", "surrogatepass")
    return session.receive(b"%d:%b," % (len(question), question) + netstring("verp x y z"))
