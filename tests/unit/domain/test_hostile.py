"""Whatever arrives is read in under a second and in little memory, holds up nobody, and nothing raises."""

import threading
import time
import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.notice import read
from sidecar.domain.readable import readable
from tests.support.bombs import BOMBS

from .notices import SAMPLES, Sample
from .rulebook import ROOT

pytestmark = pytest.mark.slow

PATIENCE = 1.0  # seconds of processor time for one mail
HOLD = 0.05  # seconds for which no other thread may go on: a wiki waits as long for its return path
MEMORY = 12  # times the size of the mail, and as many MiB for a small one
MIB = 1024 * 1024
BIG = 10 * MIB

HEADER = b"From: MAILER-DAEMON@example.net\nSubject: Undelivered Mail Returned to Sender\n"
REPORT = HEADER + b'Content-Type: multipart/report; boundary="x"\n\n'
STATUS = b"--x\nContent-Type: message/delivery-status\n\n"
TEXT = HEADER + b"\nYour message could not be delivered to the following recipients:\n\n"


def nested(levels: int) -> bytes:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels))
    return HEADER + head.encode() + b"\nunable to deliver <a@example.org>\n"


def wide(levels: int) -> bytes:
    """A part for every few octets."""
    mail = b"\n"
    for level in range(levels):
        mail = b"Content-Type: multipart/a;boundary=%d\n\n" % level + (b"--%d\n" % level + mail) * 49
    return mail[:BIG]


HOSTILE = {
    "10 MiB of text": TEXT + b"a@example.org: 550 5.1.1 no\n" * (BIG // 28),
    "10 MiB without a newline": TEXT + b"x" * BIG,
    "10 MiB of carriage returns": b"\r" * BIG,
    "10 MiB of carriage returns and newlines": b"\r\r\n" * (BIG // 3),
    "10 MiB of newlines": b"\n" * BIG,
    "10 MiB of blanks": HEADER + b" " * BIG,
    "10 MiB of NULs": b"\0" * BIG,
    "10 MiB of high octets": TEXT + b"\xe3\x81" * (BIG // 2),
    "10 MiB of base64": HEADER + b"Content-Transfer-Encoding: base64\n\n" + b"QUFB\n" * (BIG // 5),
    "10 MiB of broken base64": HEADER + b"Content-Transfer-Encoding: base64\n\n" + b"=?" * (BIG // 2),
    "10 MiB of quoted-printable": HEADER + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * BIG,
    "10 MiB of status": REPORT + STATUS + b"Final-Recipient: rfc822;a@example.org\n\n" * (BIG // 40),
    "10 MiB in a field": HEADER + b"X-A: " + b"b" * BIG,
    "a million fields": b"A: b\n" * 1_000_000,
    "a million folded lines": b"Subject: a\n" + b" b\n" * 1_000_000,
    "a field of encoded words": b"Subject: " + b"=?utf-8?b?4oCm?= " * 60_000,
    "a field of commas": b"X-Failed-Recipients: " + b"a@example.org, " * 60_000 + b"\n\n",
    "10,000 parts": REPORT + b"--x\nContent-Type: text/plain\n\n<a@example.org>\n" * 10_000,
    "10,000 empty parts": REPORT + b"--x\n" * 10_000,
    "multiparts of 49 multiparts of 49": HEADER + wide(4),
    "multiparts without a boundary": REPORT
    + (b"--x\nContent-Type: multipart/mixed\n\n" + b"--a" + b" " * 197 + b"x\n") * 40_000,
    "headers of scraps": REPORT + (b"--x\n" + b"a\n" * 131_072) * 39,
    "scraps of status": REPORT + (STATUS + b"x\n\n" * 87_000) * 39,
    "lines that begin like a delimiter": REPORT + b"--xy\n" * (BIG // 5),
    "1,000 levels": nested(1000),
    "1,000 levels of messages": HEADER + b"Content-Type: message/rfc822\n\n" * 1000,
    "addresses without end": TEXT + b"a@b " * (MIB // 4),
    "one at sign after another": TEXT + b"@" * MIB,
    "local parts without a domain": TEXT + b"a" * 127 + b"@ " * MIB,
    "brackets": TEXT + b"<" * MIB,
    "opened tags": HEADER + b"Content-Type: text/html\n\n" + b"<a" * MIB,
    "one long tag": HEADER + b"Content-Type: text/html\n\n<" + b"a" * BIG,
    "styles": HEADER + b"Content-Type: text/html\n\n" + b"<style>" * MIB,
    "entities": HEADER + b"Content-Type: text/html\n\n" + b"&#xD800;&lt;" * MIB,
    "rules": TEXT + b"-" * MIB,
    "many rules": TEXT + (b"-" * 120 + b"\n") * 10_000,
    "comments": b"Auto-Submitted: " + b"(" * MIB + b"\n\n",
    "dashes for a boundary": HEADER + b"Content-Type: multipart/mixed\n\n" + b"--\n--a\n" * (MIB // 8),
    "boundaries": HEADER + b"Content-Type: multipart/mixed" + b'; boundary="' * 100_000 + b"\n\n--x\n",
    "escapes": TEXT + b"\x1b$B" * MIB,
    "an escape at which Python's codec breaks": TEXT + b"\x1b$B\x1b.J\x1bN\x84",
    "half surrogates": HEADER + b"Content-Type: text/plain; charset=utf-7\n\ncould not deliver +2AA-" * 100,
    "octal": REPORT + STATUS + b"Final-Recipient: a@example.org\nDiagnostic-Code: " + b"\\303" * MIB,
    "xtext": REPORT + STATUS + b"Final-Recipient: rfc822;" + b"+40" * MIB,
    "replies": TEXT + b"<a@example.org>: " + b"550 5.1.1 " * (MIB // 10),
}


def seconds(raw: bytes) -> float:
    started = time.process_time()
    read(raw)
    return time.process_time() - started


@pytest.mark.parametrize("name", HOSTILE)
def test_no_mail_takes_long_or_much(name: str) -> None:
    raw = HOSTILE[name]
    # Of three times the best: a busy machine is slower now and then, a slow reader always.
    assert any(seconds(raw) < PATIENCE for _ in range(3))
    notice = read(raw)
    for report in notice.reports:
        (report.address + report.diagnostic + report.original).encode("utf-8")
    tracemalloc.start()
    read(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY * max(MIB, len(raw))


def held(raw: bytes) -> float:
    """The longest time of a processor for which reading *raw* lets no other thread go on."""
    clock, longest, over = time.pthread_getcpuclockid(threading.get_ident()), 0.0, threading.Event()

    def wait() -> None:
        nonlocal longest
        before = time.clock_gettime(clock)
        while not over.wait(0.0005):
            now = time.clock_gettime(clock)
            longest, before = max(longest, now - before), now

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        read(raw)
    finally:
        over.set()
        waiting.join()
    return longest


@pytest.mark.parametrize("name", HOSTILE)
def test_no_mail_keeps_other_threads_waiting(name: str) -> None:
    # Of five times the best: on a busy machine it may be the other thread that gets no processor.
    assert any(held(HOSTILE[name]) < HOLD for _ in range(5))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_takes_long(name: str, seed: int) -> None:
    raw = BOMBS[name](Random(seed), BIG)
    assert any(seconds(raw) < PATIENCE for _ in range(3))
    readable(raw)


FIXTURES = sorted((ROOT / "fixtures/bounces").glob("*/0[12]*.eml"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_mail_may_end_at_any_byte(path: Path) -> None:
    raw = path.read_bytes()
    for end in range(len(raw)):
        read(raw[:end])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_notice_in_words_may_be_damaged_anywhere(sample: Sample, data: st.DataObject) -> None:
    raw = f"From: {sample.sender}\nSubject: {sample.subject}\n\n{sample.text}".encode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        raw = raw[:start] + data.draw(st.binary(max_size=20)) + raw[start + data.draw(st.integers(0, 80)) :]
    for report in read(raw).reports:
        (report.address + report.diagnostic).encode("utf-8")
