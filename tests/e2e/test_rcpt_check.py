"""The lookup `bounce` asked by a real Postfix at RCPT: forged return paths never reach DATA."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import host
from tests.support.postfix import Postfix
from tests.support.sidecar import DOMAIN, Sidecar

pytestmark = pytest.mark.servers

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def sidecar(short_folder: Path) -> Iterator[Sidecar]:
    folder = short_folder / "sidecar"
    folder.mkdir(mode=0o755)
    nobody = "http://127.0.0.1:9/w/api.php"
    sidecar = Sidecar(
        folder,
        wiki="testwiki",
        api=nobody,
        account="BounceBot@sidecar",
        password="a" * 32,
        verp_socket=folder / "verp.sock",
        mode="shadow",
    )
    sidecar.set_clock(NOW)
    sidecar.start()
    sidecar.verp_socket.chmod(0o666)  # the test's Postfix works as an account of no group of ours
    yield sidecar
    sidecar.stop()


def test_postfix_refuses_what_is_forged_expired_or_foreign_and_defers_while_nobody_answers(
    sidecar: Sidecar, postfix: Postfix
) -> None:
    lookup = f"socketmap:unix:{sidecar.verp_socket}:bounce"
    postfix.configure({DOMAIN: f"lmtp:unix:{sidecar.lmtp_socket}"}, relay_recipient_maps=lookup)
    postfix.start()
    verp = host.load_config(sidecar.folder / "config.toml").verp
    good = verp.issue("testwiki", 7, "ann@example.com", NOW)
    old = verp.issue("testwiki", 7, "ann@example.com", NOW - timedelta(days=11))
    forged = good.replace("testwiki-7-", "testwiki-8-")
    with smtplib.SMTP("127.0.0.1", postfix.port) as mail_server:
        mail_server.ehlo()
        mail_server.mail("")
        asked = (good, good.upper(), forged, old, f"postmaster@{DOMAIN}")
        assert [mail_server.rcpt(address)[0] for address in asked] == [250, 250, 550, 550, 550]
        sidecar.stop()
        other = verp.issue("testwiki", 9, "bob@example.com", NOW)  # no answer of before can be reused
        assert mail_server.rcpt(other)[0] == 451
