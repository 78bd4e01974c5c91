"""Codes as they stand in diagnostics: found where they are, and not where something else looks like one."""

import pytest

from sidecar.domain.status import find_reply, find_status, is_vague


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 User unknown", "5.1.1"),
        ("550-5.1.1 The email account", "5.1.1"),
        ("Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("550 #5.1.0 Address rejected", "5.1.0"),
        ("550 5.7.606 Access denied", "5.7.606"),
        ("554 5.01.010 odd zeros", "5.1.10"),
        ("failed with 5.2.2.", "5.2.2"),
        ("connect to mx.example.org[5.1.1.2]:25: Connection refused", ""),
        ("connect to mx.example.org[192.5.1.1]: refused", ""),
        ("Exim 4.96.1 said no", ""),
        ("250 accepted", ""),
        ("3.1.1 is no class", ""),
        ("", ""),
    ],
)
def test_a_status_is_found_in_running_text(text: str, status: str) -> None:
    assert find_status(text) == status


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("5.1.1", "5.1.1"),
        ("5.0.0 (permanent failure)", "5.0.0"),
        (" 4.4.7", "4.4.7"),
        ("5.9.8", "5.9.8"),
        ("5", ""),
        ("permanent", ""),
    ],
)
def test_a_status_field_is_believed_whatever_its_subject(field: str, status: str) -> None:
    assert find_status(field, whole_field=True) == status


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("550 5.1.1 User unknown", "550"),
        ("550-5.1.1 The email account", "550"),
        ("550", "550"),
        ("host mx.example.org[192.0.2.5] said: 451 4.3.0 try again", "451"),
        ("SMTP error from remote mail server after RCPT TO:<a@example.org>: 550 No such user", "550"),
        ("(reason: 550 5.1.1 <a@example.org>... User unknown)", "550"),
        ("5.1.0 - Unknown address error 550-'5.1.1 unknown'", "550"),
        ("message size 552 exceeds", ""),
        ("connect to 192.0.2.550", ""),
        ("Unrouteable address", ""),
        ("670 no such code", ""),
    ],
)
def test_a_reply_code_is_found_where_something_announces_it(text: str, reply: str) -> None:
    assert find_reply(text) == reply


def test_a_status_without_detail_is_vague() -> None:
    assert [is_vague(status) for status in ("", "5.0.0", "4.0.0", "5.1.0", "5.1.1")] == [
        True, True, True, False, False,
    ]  # fmt: skip
