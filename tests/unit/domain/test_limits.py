"""How the work of reading and judging grows: never faster than the mail, and not with it beyond the limits.

Any filler at any place, by growth and not by the clock, which other programs disturb. The clock is a safety
net only; what one large mail may take stands in the tests of hostile mail.
"""

import base64
import tracemalloc
from collections.abc import Callable
from time import process_time

import pytest

from sidecar.domain.dsn import MAX_DIAGNOSTIC, MAX_REPORTS
from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.report import Report, ReportAction
from sidecar.edges.rule_files import built_in

pytestmark = pytest.mark.slow

BOOK = built_in()
SMALL, LARGE = 8 * 1024, 32 * 1024  # octets of filler; what grows by the square takes sixteen times as long
GROWTH = 9  # times as long, at most, for four times as much; leaves room for noise
SLACK = 0.03  # seconds of processor time that are no growth but noise
TRIES = 3  # noise only adds: the least of some tries is the truth
NET = 10.0  # seconds for one mail; a machine under load is slow, not this slow
MIB = 1024 * 1024

FILLERS = [
    *(b"\n", b"\r", b"\r\r\n", b" ", b" \n", b"\t", b"\0", b"a", b"a ", b"a\n", b" a\n", b"<", b">", b"@"),
    *(b"a@", b"<a@b.example>:\n", b"<a@b.example> ", b"a@b.example, ", b"a.a", b"(", b")", b"(a)", b'"'),
    *(
        b"'",
        b"\\",
        b"\\303",
        b"\\x{FF}",
        b"=",
        b"=?",
        b"=?utf-8?q?a?= ",
        b"&lt;",
        b"&#55296;",
        b"<a>",
        b"<!--",
    ),
    *(
        b"<!--",
        b"</",
        b";",
        b";boundary=",
        b"-",
        b"--\n",
        b"--x\n",
        b"--x\n\n",
        b"A: b\n",
        b":",
        b": \n",
        b"550 ",
    ),
    *(b"5.1.1 ", b"5.", b"1", b"Final-Recipient: a\nAction: b\n\n", b"said: ", b"<<< 550 ", b">>> RCPT TO:"),
    *(b"user ", b"not ", b"no such ", b"http://a ", b"www.", b"[1.2.3.4] ", b"\xff", b"\xed\xa0\x80"),
    *(b"\xe3\x81\x82", b"\x1b$B", b"+AGE-", b"|"),
]

REPORT = b'Content-Type: multipart/report; boundary="x"\n\n--x\n'
STATUS = b"Content-Type: message/delivery-status\n\n"
FAILED = REPORT + STATUS + b"Final-Recipient: rfc822; a@b.example\nAction: failed\n"
TOLD = b"From: MAILER-DAEMON@b.example\nSubject: Undelivered Mail Returned to Sender\n"
ENCODED = b"Content-Transfer-Encoding: %s\n\n"
SAID = b"Your message could not be delivered to the following recipients:\n\n<a@b.example>: "

#: Where a filler can stand.
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "everywhere": lambda filler: filler,
    "in a subject": lambda filler: TOLD[:-1] + filler + b"\n\n" + SAID,
    "in a content type": lambda filler: b"Content-Type: multipart/mixed; " + filler + b"\n\n--x\n\n--x--\n",
    "among failed recipients": lambda filler: b"X-Failed-Recipients: a@b.example, " + filler + b"\n\n" + SAID,
    "in the words": lambda filler: TOLD + b"\n" + SAID + filler,
    "in the words of a report": lambda filler: REPORT + b"\n" + SAID + filler + b"\n--x\n" + STATUS,
    "in HTML": lambda filler: TOLD + b"Content-Type: text/html\n\n<p>" + SAID + filler,
    "in base64": lambda filler: TOLD + ENCODED % b"base64" + base64.encodebytes(SAID + filler),
    "in quoted-printable": lambda filler: TOLD + ENCODED % b"quoted-printable" + SAID + filler,
    "in UTF-7": lambda filler: TOLD + b"Content-Type: text/plain; charset=utf-7\n\n" + SAID + filler,
    "in a status block": lambda filler: FAILED + filler,
    "in a diagnostic": lambda filler: FAILED + b"Diagnostic-Code: smtp; " + filler,
    "in an address": lambda filler: FAILED + b"Original-Recipient: rfc822; " + filler + b"@b.example",
    "in an automatic reply": lambda filler: b"Auto-Submitted: " + filler + b"\nSubject: " + filler + b"\n\n",
}


def judged(raw: bytes) -> Notice:
    notice = read(raw)
    for report in notice.reports:
        BOOK.judge(report)
    return notice


def seconds(work: Callable[[], object]) -> float:
    """Of a processor."""
    started = process_time()
    work()
    return process_time() - started


def grows(work: Callable[[bytes], object], filler: bytes, small: int, large: int) -> str:
    """What is wrong with the growth of *work*; "" if nothing is."""
    less, more = NET, NET
    for _ in range(TRIES):
        less = min(less, seconds(lambda: work((filler * small)[:small])))
        more = min(more, seconds(lambda: work((filler * large)[:large])))
        if more <= less * GROWTH + SLACK:
            return ""
    return f"{filler!r}: {less * 1000:.1f} ms, and {more * 1000:.1f} ms for four times as much"


@pytest.mark.parametrize("place", PLACES)
def test_four_times_the_mail_is_about_four_times_the_work(place: str) -> None:
    whole = PLACES[place]
    wrong = [grows(lambda filler: read(whole(filler)), filler, SMALL, LARGE) for filler in FILLERS]
    assert [words for words in wrong if words] == []


def test_four_times_the_diagnostic_is_about_four_times_the_judging() -> None:
    def judge(words: bytes) -> None:
        BOOK.judge(Report("a@b.example", ReportAction.FAILED, diagnostic=words.decode("latin-1")))

    wrong = [grows(judge, filler, MAX_DIAGNOSTIC // 4, MAX_DIAGNOSTIC) for filler in FILLERS]
    assert [words for words in wrong if words] == []


def recipients(number: int) -> bytes:
    block = b"Final-Recipient: rfc822; u%d@b.example\nAction: failed\nStatus: 5.1.1\n\n"
    return STATUS + b"".join(block % n for n in range(number))


def test_of_100_000_recipients_the_first_are_read() -> None:
    notice = measured(recipients(100_000))
    assert [report.address for report in notice.reports] == [f"u{n}@b.example" for n in range(MAX_REPORTS)]


NAME = b"x" * 10_000

LIMITS = {
    "100 recipients with a diagnostic of 4 kB each": STATUS
    + b"".join(
        b"Final-Recipient: rfc822; u%d@b.example\nAction: failed\nDiagnostic-Code: smtp; %s\n\n"
        % (n, b"no " * 1365)
        for n in range(100)
    ),
    "100,000 different fields": b"".join(b"X-%d: a\n" % n for n in range(100_000)) + b"\n" + SAID,
    "a field of 5 MiB": TOLD + b"To: " + b"a@b.example, " * (5 * MIB // 13) + b"\n\n" + SAID,
    "a field of 10,000 lines": TOLD + b"To: a" + b"\n a@b.example," * 10_000 + b"\n\n" + SAID,
    "10,000 fields of one name": b"Content-Type: multipart/report; boundary=x\n" * 10_000 + b"\n--x\n" + SAID,
    "10,000 different parts": REPORT + b"".join(b"\n<u%d@b.example>: no\n--x\n" % n for n in range(10_000)),
    "a boundary of 10,000 characters": (
        b"Content-Type: multipart/report; boundary=%s\n\n" % NAME + b"--%s\n" % NAME * 500
    ),
    "1,000 levels of one boundary": b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" * 1000 + SAID,
    "10 MiB of brackets": TOLD + b"\n" + SAID + b"<" * (10 * MIB),
    "10 MiB of at signs": TOLD + b"\n" + SAID + b"@" * (10 * MIB),
    "10 MiB of base64 on one line": TOLD
    + ENCODED % b"base64"
    + base64.b64encode(b"a@b.example\n" * (MIB // 2)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_mail_beyond_a_limit_is_read_as_far_as_the_limit(name: str) -> None:
    notice = measured(LIMITS[name])
    assert len(notice.reports) <= MAX_REPORTS
    assert (notice.kind in (Kind.BOUNCE, Kind.DELAYED, Kind.SUCCESS)) == bool(notice.reports)


def measured(raw: bytes) -> Notice:
    started = process_time()
    notice = judged(raw)
    assert process_time() - started < NET
    tracemalloc.start()
    try:
        read(raw)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(raw) + 16 * MIB
    finally:
        tracemalloc.stop()
    return notice
