"""RFC 3464 as MTAs write it: every oddity here was seen on the server named, and is written anew."""

import pytest

from sidecar.domain.dsn import MAX_ADDRESS, MAX_DIAGNOSTIC, MAX_REPORTS, plain_words, read, trim_address
from sidecar.domain.mime import parse
from sidecar.domain.report import Report, ReportAction

DIAGNOSTIC = "550 5.1.1 <a@example.org>: User unknown"


def notification(
    status: str,
    *,
    words: str = "It failed.",
    outer: str = "multipart/report; report-type=delivery-status",
    inner: str = "message/delivery-status",
    original: str = "Subject: hello\n\nhello\n",
    boundary: str = "b/1",
) -> bytes:
    return (
        f'From: MAILER-DAEMON@example.org\nContent-Type: {outer};\n\tboundary="{boundary}"\n\n'
        f"--{boundary}\nContent-Type: text/plain; charset=utf-8\n\n{words}\n"
        f"--{boundary}\nContent-Type: {inner}\n\nReporting-MTA: dns; mx.example.net\n\n{status}\n"
        f"--{boundary}\nContent-Type: message/rfc822\n\n{original}\n--{boundary}--\n"
    ).encode()


def reports(status: str, **more: str) -> tuple[Report, ...]:
    return read(parse(notification(status, **more)))


def test_a_report_holds_all_that_the_block_says() -> None:
    block = (
        "Original-Recipient: rfc822;alias@example.org\nFinal-Recipient: rfc822; a@example.org\n"
        "Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.org\n"
        f"Diagnostic-Code: smtp; {DIAGNOSTIC}\n"
    )
    assert reports(block) == (
        Report(
            address="a@example.org",
            action=ReportAction.FAILED,
            original="alias@example.org",
            status="5.1.1",
            reply="550",
            diagnostic=DIAGNOSTIC,
            remote_mta="mx.example.org",
        ),
    )


@pytest.mark.parametrize(
    "block",
    [
        "Final-Recipient: RFC822; a@example.org\nAction: Failed\nStatus: 5.1.1",
        "final-recipient:rfc822;<a@example.org>\naction:FAILED\nstatus:5.1.1 (user unknown)",
        "FINAL-RECIPIENT: a@example.org\nACTION: failed (permanently)\nSTATUS: 5.1.1",
        "Action: failed\nFinal-Recipient: rfc822;a@example.org (A. User)\nStatus:\t5.1.1",
        "Final-Recipient:\n rfc822;\n a@example.org\nAction:\n failed\nStatus:\n 5.1.1",
        "Original-Recipient: rfc822;<a@example.org>\nFinal-Recipient: LOCAL;<a>\nAction:failed\nStatus:5.1.1",
        "X-Actual-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1",
    ],
)
def test_odd_spellings_say_the_same(block: str) -> None:
    (report,) = reports(block)
    assert (report.address, report.action, report.status) == ("a@example.org", ReportAction.FAILED, "5.1.1")


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("multipart/mixed", "message/delivery-status"),  # OpenSMTPD
        ("multipart/report", "message/global-delivery-status"),  # RFC 6533; Postfix, Courier
        ("Multipart/Report", "MESSAGE/DELIVERY-STATUS; charset=us-ascii"),
    ],
)
def test_the_status_part_counts_and_not_what_it_is_wrapped_in(outer: str, inner: str) -> None:
    assert (
        len(reports("Final-Recipient: rfc822;a@example.org\nAction: failed", outer=outer, inner=inner)) == 1
    )


def test_a_wrapped_report_is_found_and_a_deeper_one_is_not() -> None:
    mail = notification("Final-Recipient: rfc822;a@example.org\nAction: failed\nStatus: 5.1.1")
    for level in range(6):
        assert len(read(parse(mail))) == (1 if level < 4 else 0), level
        wrapper = f"Content-Type: multipart/mixed; boundary=w{level}\n\n--w{level}\n".encode()
        mail = wrapper + mail + f"\n--w{level}--\n".encode()


def test_a_bounce_that_returns_a_bounce_speaks_for_itself_only() -> None:
    block = "Final-Recipient: rfc822;victim@example.org\nAction: failed\nStatus: 5.1.1"
    inner = notification(block, boundary="b/0").decode()
    outer = reports("Final-Recipient: rfc822;a@example.org\nAction: failed\nStatus: 5.2.2", original=inner)
    assert [report.address for report in outer] == ["a@example.org"]
    forwarded = b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n"
    assert read(parse(forwarded + inner.encode() + b"\n--o--\n")) == ()


def test_several_recipients_stay_apart_even_without_a_blank_line() -> None:
    one = "Final-Recipient: rfc822;a@example.org\nAction: failed\nStatus: 5.1.1\n"
    other = (
        "Final-Recipient: rfc822;b@example.org\nAction: relayed (to non-DSN-aware mailer)\nStatus: 2.1.5\n"
    )
    for between in ("\n", "\n \n\n", ""):
        assert [(r.address, r.action) for r in reports(one + between + other)] == [
            ("a@example.org", ReportAction.FAILED),
            ("b@example.org", ReportAction.RELAYED),
        ]


@pytest.mark.parametrize(
    ("field", "diagnostic", "status", "reply"),
    [
        ("5.0.0", "smtp; 550 5.1.1 No such user", "5.1.1", "550"),  # Exim, Courier
        ("4.0.0", "smtp; 452 4.2.2 Full", "4.2.2", "452"),
        ("", "smtp; 550-5.1.1 No such user", "5.1.1", "550"),
        ("5.0.0", "smtp; 550 No such user", "5.0.0", "550"),
        ("5.1.1", "smtp; 550 5.7.1 No", "5.1.1", "550"),  # a status that says something stands
        ("5.0.0", "X-Postfix; connect to mx[5.1.1.9]: refused", "5.0.0", ""),
        ("5.1.1", "550 5.1.1 untyped", "5.1.1", "550"),
    ],
)
def test_the_diagnostic_gives_the_status_that_the_field_does_not(
    field: str, diagnostic: str, status: str, reply: str
) -> None:
    (report,) = reports(
        "Final-Recipient: rfc822;a@example.org\nAction: failed\n"
        f"Status: {field}\nDiagnostic-Code: {diagnostic}"
    )
    assert (report.status, report.reply) == (status, reply)


def test_a_diagnostic_that_nullmailer_did_not_fold_is_whole() -> None:
    (report,) = reports(
        "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: SMTP; 550-5.1.1 The account does\n550-5.1.1 not exist.\n550 5.1.1 https://x.example"
    )
    assert report.diagnostic == "550-5.1.1 The account does 550-5.1.1 not exist. 550 5.1.1 https://x.example"


@pytest.mark.parametrize(
    ("words", "diagnostic"),
    [
        ("  a@example.org\n    host mx [192.0.2.5]\n    retry timeout exceeded\n\nelse",
         "host mx [192.0.2.5] retry timeout exceeded"),  # Exim
        ("  b@example.org\n    other\n  a@example.org\n    Unrouteable address\n", "Unrouteable address"),
        ("a@example.org: 550 5.1.1 No\nb@example.org: 552 Full\n", "550 5.1.1 No"),  # OpenSMTPD
        ("<A@example.org>: host mx said: 550 5.1.1\n    <a@example.org>: No such user\n\nelse",
         "host mx said: 550 5.1.1 <a@example.org>: No such user"),  # Postfix
        ("<a@example.org>\n    (reason: 550 No)\n", "(reason: 550 No)"),  # sendmail
        ("To: a@example.org\nsomething\n", ""),
    ],
)  # fmt: skip
def test_words_stand_in_for_a_diagnostic_that_is_not_there(words: str, diagnostic: str) -> None:
    (report,) = reports("Final-Recipient: rfc822;a@example.org\nAction: failed\nStatus: 5.0.0", words=words)
    assert report.diagnostic == diagnostic


def test_8_bit_diagnostics_are_read_in_either_encoding_and_in_exims_octal() -> None:
    block = "Final-Recipient: rfc822;a@example.org\nAction: failed\nDiagnostic-Code: smtp; 550 não existe"
    for raw in (notification(block), notification(block).decode().encode("latin-1")):
        assert read(parse(raw))[0].diagnostic == "550 não existe"
    assert plain_words(r"550 n\303\243o existe") == "550 não existe"
    assert plain_words(r"550 n\343o \999") == r"550 n\343o \999"


@pytest.mark.parametrize(
    ("action", "status", "read_as"),
    [
        ("delivered", "2.0.0", ReportAction.DELIVERED),
        ("expanded", "2.0.0", ReportAction.EXPANDED),
        ("delayed", "4.4.1", ReportAction.DELAYED),
        ("gescheitert", "5.1.1", ReportAction.UNSTATED),
        ("", "2.0.0", ReportAction.DELIVERED),
        ("", "", ReportAction.UNSTATED),
    ],
)
def test_an_action_is_read_or_unstated_and_success_is_never_taken_for_failure(
    action: str, status: str, read_as: ReportAction
) -> None:
    (report,) = reports(f"Final-Recipient: rfc822;a@example.org\nAction: {action}\nStatus: {status}")
    assert report.action is read_as


@pytest.mark.parametrize(
    ("status", "field", "words", "read_as"),
    [
        ("4.4.7", "", "a@example.org: Envelope expired\n", ReportAction.FAILED),  # OpenSMTPD's last word
        ("4.4.7", "Diagnostic-Code: smtp; 400 4.4.7 Message expired", "", ReportAction.FAILED),
        ("4.0.0", "", "a@example.org: Envelope expired\n", ReportAction.DELAYED),
        ("4.4.7", "", "a@example.org: 421 4.3.2 Busy, try again\n", ReportAction.DELAYED),
        # Exchange's warning
        (
            "4.4.7",
            "Will-Retry-Until: Sat, 21 Nov 2026 10:47:58 +0000",
            "a@example.org: not yet expired\n",
            ReportAction.DELAYED,
        ),
    ],
)
def test_a_delay_whose_time_has_expired_is_the_end(
    status: str, field: str, words: str, read_as: ReportAction
) -> None:
    block = f"Final-Recipient: rfc822;a@example.org\nAction: delayed\nStatus: {status}\n{field}".rstrip()
    (report,) = reports(block, words=words)
    assert report.action is read_as


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("rfc822; a@example.org", "a@example.org"),
        ("utf-8; n\\x{FC}r@example.org", "nür@example.org"),
        ("utf-8; x\\x{D800}\\x{FFFFFF}@example.org", "x\\x{D800}\\x{FFFFFF}@example.org"),
        ('rfc822; "a (b)"@example.org', '"a (b)"@example.org'),
        ("rfc822; @relay.example:a@example.org", "a@example.org"),
        ("rfc822; <@relay.example,@mx.example:a@example.org>", "a@example.org"),
        ('"A. User" <a@example.org>', "a@example.org"),
        ("rfc822;", ""),
        ("<>", ""),
        ("", ""),
        ("rfc822; " + "a" * MAX_ADDRESS + "@example.org", ""),
    ],
)
def test_an_address_is_trimmed_to_itself(field: str, address: str) -> None:
    assert trim_address(field) == address


def test_recipients_and_words_are_bounded() -> None:
    block = (
        "Final-Recipient: rfc822;a{}@example.org\nAction: failed\nDiagnostic-Code: smtp; 550 " + "x " * 9000
    )
    many = reports("\n\n".join(block.format(number) for number in range(10)))
    assert [len(report.diagnostic) for report in many] == [MAX_DIAGNOSTIC] * 10
    short = "Final-Recipient: rfc822;a{}@example.org\nAction: failed"
    assert len(reports("\n\n\n\n".join(short.format(number) for number in range(1000)))) == MAX_REPORTS


@pytest.mark.parametrize("block", ["", "X-Nothing: here", "Status: 5.1.1", "Action: failed", "\n\n\n"])
def test_scraps_are_no_reports(block: str) -> None:
    assert reports(block) == ()
