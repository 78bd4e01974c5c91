"""summary: the weekly mail as it reads, and sent by hand."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import host
from sidecar.recorded import recorded
from tests.support.desk import arrive, say
from tests.support.practice import ADDRESS, configured, start_once
from tests.support.smtp_sink import SmtpSink

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)

GOLDEN = """\
Subject: bounce-sidecar: week 47: 2 bounces, 0 un-confirmed, {verdict}

The bounce sidecar of bounces.example.org, week 47
2026-11-16 to 2026-11-22 (UTC), beside the seven days before
"""
TABLES = """
The week                                   this week    before    change
  Mails signed                                     -         -         -
  Mails that came back                             2         1        +1
    for good (hard)                                2         1        +1
    for now, or not the address's fault            0         0         =
  Addresses un-confirmed                           0         0         =
  Users warned on the wiki                         0         0         =
  Confirmed again by an operator                   0         0         =
  Refused by the wikis                             0         0         =
  Set aside for a person, and still there          0         0         =

Whose mail servers sent it back            this week    before    change
  remote.example                                   2         1        +1

Why it came back                           this week    before    change
  user-unknown                                     2         1        +1
    the domain is there, the mailbox is not

An address is un-confirmed when mail to it has failed for good for long
enough: the wiki sends it no more mail, until its user confirms an
address again.
More: bounce-sidecar stats, bounce-sidecar status
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("summary")
    configured(folder)
    start_once(folder)
    raw = recorded("postfix/01-no-such-user").addressed(ADDRESS, "x@bounces.example.org")
    for user_id, days in ((7, 4), (8, 5), (9, 12)):
        arrive(folder, raw, NOW - days * DAY, user_id=user_id)
    return folder


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "now", lambda: NOW)


def tell(monkeypatch: pytest.MonkeyPatch, sink: SmtpSink) -> None:
    for name, value in (
        ("TO", '["boss@example.org"]'), ("SENDER", "b@example.org"), ("SMTP", f"127.0.0.1:{sink.port}"),
    ):  # fmt: skip
        monkeypatch.setenv(f"BOUNCE_SIDECAR_SUMMARY__{name}", value)


def test_it_is_read_without_being_sent(folder: Path) -> None:
    result = say(folder, "summary")
    assert result.exit_code == 0, result.output
    subject = result.stdout.splitlines()[0]
    assert result.stdout.startswith(GOLDEN.format(verdict=subject.rpartition(", ")[2]))
    assert result.stdout.endswith(TABLES)
    assert "Needs attention now\n  critical: No daemon is running" in result.stdout
    assert ADDRESS not in result.stdout


def test_it_is_sent_when_it_is_asked_for(
    folder: Path, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, sink)
    assert say(folder, "summary", "--send").stdout == "sent to 1 recipient\n"
    [mail] = sink.mailbox.mails
    told = email.message_from_bytes(mail.raw, policy=email.policy.default)
    assert mail.recipients == ("boss@example.org",)
    assert told["Message-ID"].startswith("<summary.20261125T120000.")


def test_a_mail_server_that_is_away_is_told_of(
    folder: Path, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, sink)
    sink.stop()
    result = say(folder, "summary", "--send")
    assert result.exit_code == 75
    assert result.stderr.startswith(f"not sent: 127.0.0.1:{sink.port}: ")


def test_nobody_to_send_it_to_is_refused(folder: Path) -> None:
    result = say(folder, "summary", "--send")
    assert (result.exit_code, result.stderr) == (2, "nobody to send it to: set to and sender in [summary]\n")
