"""The daily digest, to a real mail server: once a day, only with something to tell, over restarts too."""

import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
import structlog

from sidecar.edges.mail_server import MailServer
from sidecar.services.digest import Digest, compose
from sidecar.services.letters import Letterhead
from sidecar.storage import aside, digests
from sidecar.storage.aside import Aside
from tests.support.smtp_sink import SmtpSink

from .house import DAY, HARD, T0, House, Mail

HEAD = Letterhead(("ops@example.org", "night@example.org"), "bounces@example.org", "bounces.example.org")
ORDINARY = Mail.of("ordinary")


@pytest.fixture
def digest(house: House, sink: SmtpSink) -> Iterator[Digest]:
    made = making(house, sink)
    yield made
    made.close()


def making(house: House, sink: SmtpSink, hour: int = 6) -> Digest:
    """It looks some minutes after what came: on a server, what is younger may not be committed yet."""
    send = MailServer("127.0.0.1", sink.port).send
    return Digest(house.database, HEAD, hour, send, lambda: house.clock() + timedelta(minutes=3))


def told(sink: SmtpSink) -> list[str]:
    """The texts of the digests that arrived."""
    mails = (email.message_from_bytes(mail.raw, policy=email.policy.default) for mail in sink.mailbox.mails)
    return [mail.get_content().replace("\r\n", "\n") for mail in mails if isinstance(mail, EmailMessage)]


async def unknown_wiki(house: House) -> None:
    await house.take(HARD.raw, house.signer("frwiki").issue("frwiki", 7, HARD.recipient, house.clock()))


async def test_one_mail_tells_of_all_that_was_set_aside_and_cannot_loop(
    house: House, sink: SmtpSink, digest: Digest
) -> None:
    await house.bounce(ORDINARY)
    await house.bounce(ORDINARY, user_id=8)
    await unknown_wiki(house)
    assert await digest.round()
    [mail] = sink.mailbox.mails
    header = email.message_from_bytes(mail.raw, policy=email.policy.default)
    assert (mail.sender.strip("<>"), mail.recipients) == ("", HEAD.to)
    assert header["Auto-Submitted"] == "auto-generated"
    assert header["From"] == "bounces@example.org"
    assert header["Subject"] == "Set aside by the bounce sidecar of bounces.example.org: 3"
    assert header["Message-ID"] == "<set-aside.2026-11-20.bounces.example.org@example.org>"
    [text] = told(sink)
    assert "     2  neither a bounce nor an automatic answer; " in text
    assert "; id 1, 2\n" in text
    assert "     1  signed for the wiki frwiki, which is not configured; no domain; id 3\n" in text
    assert HARD.recipient not in text


async def test_nothing_to_tell_is_no_mail(house: House, sink: SmtpSink, digest: Digest) -> None:
    await house.bounce()
    assert not await digest.round()
    assert sink.mailbox.mails == []


async def test_a_day_has_one_mail_however_much_comes_and_however_often_we_start(
    house: House, sink: SmtpSink, digest: Digest
) -> None:
    await house.bounce(ORDINARY)
    assert await digest.round()
    await unknown_wiki(house)
    assert not await digest.round()
    after_a_restart = making(house, sink)
    assert not await after_a_restart.round()
    house.clock.tick(days=1)
    assert await after_a_restart.round()
    assert not await digest.round()
    after_a_restart.close()
    first, second = told(sink)
    assert "id 1\n" in first
    assert "frwiki" not in first
    assert "id 2\n" in second
    assert "neither a bounce" not in second


async def test_a_day_without_anything_at_its_hour_has_none_later(
    house: House, sink: SmtpSink, digest: Digest
) -> None:
    assert not await digest.round()
    await house.bounce(ORDINARY)
    house.clock.tick(hours=1)
    assert not await digest.round()
    house.clock.tick(days=1)
    assert await digest.round()


async def test_it_waits_for_its_hour(house: House, sink: SmtpSink) -> None:
    late = making(house, sink, hour=11)
    await house.bounce(ORDINARY)
    assert not await late.round()
    house.clock.tick(hours=1)
    assert await late.round()
    late.close()


async def test_a_mail_server_that_is_down_gets_it_when_it_is_back(
    house: House, sink: SmtpSink, digest: Digest
) -> None:
    await house.bounce(ORDINARY)
    sink.stop()
    with structlog.testing.capture_logs() as lines:
        assert not await digest.round()
    [line] = lines
    assert (line["event"], line["mails"]) == ("digest not sent", 1)
    assert "Connection refused" in line["why"]
    sink.start()
    assert await digest.round()
    assert len(sink.mailbox.mails) == 1


async def test_a_mail_server_that_refuses_is_asked_again_and_one_good_address_is_enough(
    house: House, sink: SmtpSink, digest: Digest
) -> None:
    await house.bounce(ORDINARY)
    sink.refuses = {to: f"451 4.3.0 {to}: Later" for to in HEAD.to}
    with structlog.testing.capture_logs() as lines:
        assert not await digest.round()
    [why] = [line["why"] for line in lines if line["event"] == "digest not sent"]
    assert why.endswith(": 451 4.3.0 (an address): Later")
    del sink.refuses["ops@example.org"]
    assert await digest.round()
    assert [mail.recipients for mail in sink.mailbox.mails] == [("ops@example.org",)]


async def test_killed_while_it_was_sent_there_is_no_second_mail_that_day_and_nothing_is_lost(
    house: House, sink: SmtpSink, digest: Digest
) -> None:
    await house.bounce(ORDINARY)
    await house.database.write(lambda c: digests.begin(c, "2026-11-20", 1))  # and then the power went
    assert not await digest.round()
    house.clock.tick(days=1)
    assert await digest.round()
    [text] = told(sink)
    assert "id 1\n" in text


async def test_what_somebody_has_looked_at_is_not_told(house: House, sink: SmtpSink, digest: Digest) -> None:
    await house.bounce(ORDINARY)
    await house.database.write(lambda c: aside.drop(c, 1))
    assert not await digest.round()


async def test_stopped_while_it_waits_it_ends(digest: Digest) -> None:
    digest.stop()
    await digest.run()


def entry(number: int, why: str = "no rule matched", domain: str = "example.com") -> Aside:
    return Aside(number, T0, why, "bounce", domain, "wiki-enwiki-7-1-k@bounces.example.org")


def test_what_strangers_wrote_cannot_break_the_mail() -> None:
    text = compose([entry(1, domain="a\r\nBcc: x@y.example\x1b[2J\u202e")], HEAD, T0).get_content()
    assert "no rule matched; a\\x0d\\x0aBcc: x@y.example\\x1b[2J\\u202e; id 1\n" in text


def test_many_are_told_in_few_lines() -> None:
    crowd = [entry(number) for number in range(1, 1001)]
    crowd += [entry(2000 + number, domain=f"{number}.example") for number in range(500)]
    mail = compose(crowd, HEAD, T0 + DAY + timedelta(hours=1))
    text = mail.get_content()
    assert "  1000  no rule matched; example.com; id 1, 2, 3," in text
    assert "20, ...\n" in text
    assert "... and 401 more groups\n" in text
    assert len(text.splitlines()) < 120
    assert mail["Message-ID"].startswith("<set-aside.2026-11-21.")
