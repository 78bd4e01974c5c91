"""Debian's Postfix as its package configures and starts it, chroots and all, with our lines added.

Knows those lines, the sidecar beside it, and a server that refuses. Does not know what a bounce says.
"""

from collections.abc import Iterator

import pytest

from tests.support import units
from tests.support.debian_host import DebianHost
from tests.support.places import free_port
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar_inside import DOMAIN, SidecarInside
from tests.support.waiting import until

pytestmark = pytest.mark.servers

SPOOL = "/var/spool/postfix"

#: Ours. The socket is below the queue's folder because smtpd and lmtp are locked up there.
LINES = f"""
set -e
install -d -o bounce-sidecar -g postfix -m 2750 {SPOOL}/bounce-sidecar
postconf -M 'bounce-sidecar/unix=bounce-sidecar unix - - y - 8 lmtp flags=DOR'
postconf -e 'relay_domains = {DOMAIN}' \
    'transport_maps = inline:{{ {{ {DOMAIN} = bounce-sidecar:unix:bounce-sidecar/lmtp.sock }} }}' \
    'bounce-sidecar_destination_recipient_limit = 1'
"""

MAIL = "From: Wiki <noreply@wiki.example.org>\nTo: <{to}>\nSubject: Hello\n\nHello.\n"


def configured(host: DebianHost) -> set[str]:
    """Each line of main.cf, and of master.cf."""
    return {*host.run("postconf", "-n").splitlines(), *host.run("postconf", "-M").splitlines()}


@pytest.fixture
def sidecar(postfix_host: DebianHost) -> Iterator[SidecarInside]:
    """Running, and ended before its host."""
    sidecar = SidecarInside.installed(postfix_host)
    postfix_host.run("sh", "-c", LINES)
    sidecar.start()
    yield sidecar
    sidecar.stop()


@pytest.fixture
def postfix(postfix_host: DebianHost, sidecar: SidecarInside) -> Iterator[DebianHost]:
    """The host, its Postfix running; a server in the same network refuses for all the world."""
    with postfix_host.network():
        remote = RemoteMx(port=free_port())
        remote.start()
    postfix_host.run("postconf", "-e", f"relayhost = [127.0.0.1]:{remote.port}")
    # Postfix waits until a file that it reads has been left alone for two seconds.
    postfix_host.run("touch", "-d", "1 minute ago", "/etc/postfix/main.cf", "/etc/postfix/master.cf")
    units.start(postfix_host, postfix_host.path("/lib/systemd/system/postfix@.service").read_text())
    yield postfix_host
    remote.stop()


def send(host: DebianHost, return_path: str, to: str) -> None:
    """As the wiki does, whose mail() calls sendmail."""
    host.run("sendmail", "-f", return_path, to, stdin=MAIL.format(to=to), user="www-data")


def test_nothing_of_debians_is_changed(postfix_host: DebianHost) -> None:
    SidecarInside.installed(postfix_host)
    before = configured(postfix_host)
    postfix_host.run("sh", "-c", LINES)
    assert before - configured(postfix_host) == set()


def test_a_dead_address_comes_back_through_the_chroot_and_is_booked(
    postfix: DebianHost, sidecar: SidecarInside
) -> None:
    send(postfix, sidecar.issue(7, "nouser@remote.example"), "nouser@remote.example")
    bounce = sidecar.booked(7)
    assert (bounce["category"], bounce["hard"]) == ("user-unknown", True)
    assert "lmtp -n bounce-sidecar -t unix -u -c" in postfix.run("ps", "-eo", "args")  # -c: chroot


def test_while_the_sidecar_is_down_the_bounce_waits(postfix: DebianHost, sidecar: SidecarInside) -> None:
    return_path = sidecar.issue(8, "nouser@remote.example")
    sidecar.stop()
    send(postfix, return_path, "nouser@remote.example")
    until(lambda: '"queue_name": "deferred"' in postfix.run("postqueue", "-j"), "a deferred bounce")
    sidecar.start()
    postfix.run("postqueue", "-f")
    assert sidecar.booked(8)["hard"]
    until(lambda: not postfix.run("postqueue", "-j"), "an empty queue")
