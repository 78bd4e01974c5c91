"""Providers by domain and by the host that refused."""

import pytest

from sidecar.domain.provider import provider_of


@pytest.mark.parametrize(
    ("domain", "remote_mta", "provider"),
    [
        ("gmail.com", "dns; gmail-smtp-in.l.google.com", "google"),
        ("GoogleMail.com.", "", "google"),
        ("hotmail.co.uk", "", "microsoft"),
        ("live.nl", "", "microsoft"),
        ("school.example", "dns; school-example.mail.protection.outlook.com", "microsoft"),
        ("yahoo.co.jp", "", "yahoo"),
        ("company.example", "dns; aspmx.l.google.com.", "google"),
        ("company.example", "dns; mx2.mail.hoster.example", "hoster.example"),
        ("company.example", "mx2.hoster.co.uk", "hoster.co.uk"),
        ("company.example", "dns; 192.0.2.7", "company.example"),
        ("company.example", "dns; [192.0.2.7]", "company.example"),
        ("company.example", "x-unix; /bin/mail", "company.example"),
        ("company.example", "localhost", "company.example"),
        ("live.music.example.org", "", "live.music.example.org"),
        ("mygmail.com", "", "mygmail.com"),
        ("notgoogle.com", "dns; mx.notgoogle.com", "notgoogle.com"),
        ("", "", ""),
    ],
)
def test_a_provider_is_known_by_its_domains_else_by_its_hosts(
    domain: str, remote_mta: str, provider: str
) -> None:
    assert provider_of(domain, remote_mta) == provider


def test_a_name_is_bounded() -> None:
    assert len(provider_of("a" * 250 + ".example", "")) == 64
