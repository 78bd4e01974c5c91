"""The weekly summary, to a real mail server: once a week, whoever sends it, and what it says."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
import structlog

from sidecar.domain.trouble import Tolerance
from sidecar.edges.mail_server import MailServer
from sidecar.services.letters import Letterhead
from sidecar.services.summary import Summary, due, look_back
from sidecar.services.summary_text import subject, text
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.storage import brakes, digests, rates
from sidecar.storage.database import Database
from sidecar.storage.schema import action
from tests.support.smtp_sink import SmtpSink

from .house import DAY, HARD, SOFT, T0, House, Mail

HEAD = Letterhead(("boss@example.org", "ops@example.org"), "bounces@example.org", "bounces.example.org")
MONDAY = date(2026, 11, 23)


@pytest.fixture
async def other(url: str, house: House) -> AsyncIterator[Database]:
    """Another node on the same history."""
    database = Database(url, busy_seconds=5)
    await database.join()
    yield database
    await database.close()


def making(house: House, sink: SmtpSink, database: Database | None = None) -> Summary:
    send = MailServer("127.0.0.1", sink.port).send
    host = HostSigns(house.clock, lambda: None, lambda: True)
    database = database or house.database
    watchman = Watchman(database, host, dict, Tolerance())
    return Summary(database, HEAD, (0, 6), send, watchman, house.clock)


@pytest.fixture
def summary(house: House, sink: SmtpSink) -> Iterator[Summary]:
    made = making(house, sink)
    yield made
    made.close()


async def a_week_with_bounces(house: House) -> None:
    """Friday to Monday, half past ten."""
    await house.bounce(HARD)
    await house.bounce(SOFT, user_id=8)
    await house.bounce(Mail.of("ordinary"), user_id=9)
    house.clock.tick(days=3, minutes=30)


def arrived(sink: SmtpSink) -> list[EmailMessage]:
    mails = (email.message_from_bytes(mail.raw, policy=email.policy.default) for mail in sink.mailbox.mails)
    return [mail for mail in mails if isinstance(mail, EmailMessage)]


async def test_it_is_one_mail_that_nothing_answers_and_that_names_nobody(
    house: House, sink: SmtpSink, summary: Summary
) -> None:
    await a_week_with_bounces(house)
    assert await summary.round()
    assert not await summary.round()
    [mail], [raw] = arrived(sink), sink.mailbox.mails
    assert (raw.sender.strip("<>"), raw.recipients) == ("", HEAD.to)
    assert mail["Subject"] == "bounce-sidecar: week 47: 2 bounces, 0 un-confirmed, 2 things need attention"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<summary.2026-W48.bounces.example.org@example.org>"
    assert (mail["From"], mail["To"]) == ("bounces@example.org", ", ".join(HEAD.to))
    assert mail["Date"].datetime == house.clock()
    assert mail["List-Id"] is None
    body = mail.get_content()
    assert HARD.recipient not in body
    assert "@" not in body
    assert max(map(len, body.splitlines())) <= 78
    assert "2026-11-16 to 2026-11-22 (UTC), beside the seven days before" in body
    assert "  Set aside for a person, and still there          1         0        +1" in body


async def test_it_tells_of_the_week_beside_the_one_before_and_what_is_wrong(house: House) -> None:
    await house.bounce(HARD)
    house.clock.tick(days=6)
    await house.fail_for_eight_days(7, 8)
    await house.database.write(lambda c: rates.add_signed(c, "node1", {("enwiki", date(2026, 11, 28)): 900}))
    await house.pay()
    await house.database.write(_trouble)
    monday = house.clock.now.date() - house.clock.now.weekday() * DAY + 7 * DAY
    host = HostSigns(house.clock, lambda: None, lambda: False)
    watchman = Watchman(house.database, host, dict, Tolerance())
    week = await look_back(house.database, watchman, monday)
    body = "\n".join(text(week, "bounces.example.org"))
    assert subject(week).startswith("bounce-sidecar: week 49: ")
    assert "critical: No daemon is running: none was ever seen" in body
    assert "What to do: `systemctl status bounce-sidecar`" in body
    assert "Refused by the wikis for good (`outbox` has their words)\n  enwiki: 1" in body
    assert "brake 1, tripped: 20 users" in body


def _trouble(connection: sa.Connection) -> None:
    at = T0 + 14 * DAY
    brakes.trip(connection, "remote.example", "", "20 users", at, since=at, hold_from=None)
    connection.execute(action.update().where(action.c.user_id == 8).values(state="dead"))


def test_a_summary_is_due_at_its_hour() -> None:
    monday = datetime(2026, 11, 23, 6, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert due(monday, 0, 6) == due(monday + 7 * DAY - second, 0, 6) == monday
    assert due(monday - second, 0, 6) == monday - 7 * DAY
    assert due(monday, 2, 6) == monday - 5 * DAY


async def test_a_history_that_began_this_week_has_nothing_to_tell(
    house: House, sink: SmtpSink, summary: Summary
) -> None:
    assert not await summary.round()
    await house.bounce()
    assert not await summary.round()
    house.clock.tick(days=2, hours=19)
    assert not await summary.round()
    house.clock.tick(hours=1)
    assert await summary.round()
    assert len(sink.mailbox.mails) == 1


async def test_two_nodes_send_one(house: House, sink: SmtpSink, summary: Summary, other: Database) -> None:
    await a_week_with_bounces(house)
    second = making(house, sink, other)
    sent = await asyncio.gather(summary.round(), second.round(), return_exceptions=True)
    again = [await summary.round(), await second.round()]
    second.close()
    assert (sorted(map(str, sent)), again) == (["False", "True"], [False, False])
    assert len(sink.mailbox.mails) == 1


async def test_killed_while_it_was_sent_there_is_no_second_one_that_week(
    house: House, sink: SmtpSink, summary: Summary
) -> None:
    await a_week_with_bounces(house)
    await house.database.write(lambda c: digests.begin(c, "2026-W48", 0))  # and then the power went
    assert not await summary.round()
    house.clock.tick(days=7)
    assert await summary.round()
    [mail] = arrived(sink)
    assert mail["Subject"].startswith("bounce-sidecar: week 48: 0 bounces")


async def test_a_mail_server_that_refuses_is_asked_again_and_complained_of_once(
    house: House, sink: SmtpSink, summary: Summary
) -> None:
    await a_week_with_bounces(house)
    sink.refuses = dict.fromkeys(HEAD.to, "451 4.3.0 Later")
    with structlog.testing.capture_logs() as lines:
        assert not await summary.round()
        assert not await summary.round()
        sink.refuses = {"ops@example.org": "550 5.1.1 No"}
        assert await summary.round()
    assert [line["event"] for line in lines] == ["summary not sent", "mail refused for some", "summary"]
    assert [mail.recipients for mail in sink.mailbox.mails] == [("boss@example.org",)]


async def test_a_digest_of_the_same_days_is_not_in_its_way(house: House, summary: Summary) -> None:
    await a_week_with_bounces(house)
    assert await house.database.write(lambda c: digests.begin(c, "2026-11-23", 3))
    assert await summary.round()
    assert await house.database.read(digests.told_through) == 0
