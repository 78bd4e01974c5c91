"""Which command was refused: Postfix and Exim say so in the words for people, not in their diagnostic."""

from collections.abc import Callable

import pytest

from sidecar.domain.classify import Category
from sidecar.domain.dsn import MAX_DIAGNOSTIC, read
from sidecar.domain.mime import parse
from sidecar.domain.phase import phases
from sidecar.domain.report import Report

from .rulebook import shipped
from .test_dsn import notification

BOOK = shipped()
SAID = "550 5.1.1 User unknown"
CONTENT, SENDER, BLOCKED = Category.CONTENT, Category.SENDER_REJECTED, Category.BLOCKED


def reports(words: str, *addresses: str, said: str = SAID, action: str = "failed") -> tuple[Report, ...]:
    blocks = (
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: 5.1.1\n"
        f"Diagnostic-Code: smtp; {said}\n"
        for address in addresses
    )
    return read(parse(notification("\n".join(blocks), words=words)))


def postfix(address: str, command: str) -> str:
    host = "mx.example.org[192.0.2.5]"
    return f"<{address}>: host {host} said: {SAID}\n    (in reply\n    to {command} command)\n"


def exim(address: str, phase: str) -> str:
    return (
        f"  {address}\n    host mx.example.org [192.0.2.5]\n"
        f"    SMTP error from remote mail server after {phase}:\n    {SAID}\n"
    )


@pytest.mark.parametrize(
    ("words", "diagnostic", "hard", "category"),
    [
        (postfix("a@example.org", "end of DATA"), f"{SAID} (in reply to end of DATA)", False, CONTENT),
        (postfix("a@example.org", "DATA"), f"{SAID} (in reply to DATA)", False, CONTENT),
        (postfix("a@example.org", "MAIL FROM"), f"{SAID} (in reply to MAIL FROM)", False, SENDER),
        (postfix("a@example.org", "EHLO"), f"{SAID} (in reply to EHLO)", False, BLOCKED),
        (postfix("a@example.org", "RCPT TO"), SAID, True, Category.USER_UNKNOWN),
        (f"<a@example.org>: host mx.example.org[192.0.2.5] refused to talk to me: {SAID}\n",
         f"{SAID} (refused to talk to me)", False, Category.POLICY),
        (exim("a@example.org", "end of data"), f"{SAID} (after end of data)", False, CONTENT),
        (exim("a@example.org", "pipelined MAIL FROM:<wiki@wiki.example.com> SIZE=2100"),
         f"{SAID} (after pipelined MAIL FROM)", False, SENDER),
        (exim("a@example.org", "initial connection"), f"{SAID} (after initial connection)", False, BLOCKED),
        (exim("a@example.org", "RCPT TO:<a@example.org>"), SAID, True, Category.USER_UNKNOWN),
    ],
)  # fmt: skip
def test_the_phase_of_a_refusal_joins_its_diagnostic(
    words: str, diagnostic: str, hard: bool, category: Category
) -> None:
    (report,) = reports(words, "a@example.org")
    verdict = BOOK.judge(report)
    assert (report.diagnostic, verdict.hard, verdict.category) == (diagnostic, hard, category)
    assert (report.status, report.reply) == ("5.1.1", "550")


@pytest.mark.parametrize("write", [postfix, exim])
def test_each_of_several_recipients_has_its_own_phase(write: Callable[[str, str], str]) -> None:
    data, sender = (
        ("end of DATA", "MAIL FROM") if write is postfix else ("end of data", "MAIL FROM:<w@example.com>")
    )
    told = {
        "a@example.org": "RCPT TO",
        "B@example.org": data,
        "c@example.com": sender,
        "d@example.net": "RCPT TO",
    }
    words = "It failed.\n\n" + "\n".join(write(address, phase) for address, phase in told.items())
    found = {report.address: BOOK.judge(report).category for report in reports(words, *told)}
    assert found == {
        "a@example.org": Category.USER_UNKNOWN,
        "B@example.org": CONTENT,
        "c@example.com": SENDER,
        "d@example.net": Category.USER_UNKNOWN,
    }


def test_who_fails_under_a_name_that_the_words_do_not_have_gets_any_phase_there_is() -> None:
    words = postfix("a@example.org", "RCPT TO") + "\n" + postfix("b@example.org", "end of DATA")
    assert phases(words, ["a@example.org", "c@example.org"]) == {
        "a@example.org": "",
        "c@example.org": "in reply to end of DATA",
    }


def test_a_diagnostic_that_gives_its_phase_is_left_alone_and_a_long_one_does_not_lose_it() -> None:
    words = postfix("a@example.org", "end of DATA")
    said = f"{SAID} (in reply to MAIL FROM command)"
    assert [report.diagnostic for report in reports(words, "a@example.org", said=said)] == [said]
    (report,) = reports(words, "a@example.org", said=f"{SAID} {'so ' * 3000}")
    assert len(report.diagnostic) <= MAX_DIAGNOSTIC
    assert report.diagnostic.endswith(" (in reply to end of DATA)")


@pytest.mark.parametrize("action", ["delivered", "delayed"])
def test_what_did_not_fail_has_no_phase(action: str) -> None:
    words = postfix("a@example.org", "end of DATA")
    assert [report.diagnostic for report in reports(words, "b@example.org", action=action)] == [SAID]
