"""Debian's Postfix as its package configures and starts it, chroots and all, with our lines added.

Knows those lines, the sidecar beside it, and a server that refuses. Does not know what a bounce says.
"""

from collections.abc import Iterator

import pytest

from tests.support import units
from tests.support.debian_host import DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.mta_inside import beside_remote, submit
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


def configured(host: DebianHost) -> set[str]:
    """Each line of main.cf, and of master.cf."""
    # Postfix waits until a file that it reads has been left alone for two seconds.
    host.run("touch", "-d", "1 minute ago", "/etc/postfix/main.cf", "/etc/postfix/master.cf")
    return {*host.run("postconf", "-n").splitlines(), *host.run("postconf", "-M").splitlines()}


@pytest.fixture(scope="module")
def host(postfix_root: DebianRoot) -> Iterator[DebianHost]:
    """Postfix not yet started; a server in the same network refuses for all the world."""
    with beside_remote(postfix_root) as (host, remote):
        host.run("postconf", "-e", f"relayhost = [127.0.0.1]:{remote.port}")
        yield host


@pytest.fixture(scope="module")
def sidecar(host: DebianHost) -> SidecarInside:
    """Running, and Postfix with our lines beside it: both are ended with the host."""
    sidecar = SidecarInside.installed(host)
    before = configured(host)
    host.run("sh", "-c", LINES)
    assert before - configured(host) == set()
    sidecar.start()
    units.start(host, host.path("/lib/systemd/system/postfix@.service").read_text())
    return sidecar


def test_a_dead_address_comes_back_through_the_chroot_and_is_booked(
    host: DebianHost, sidecar: SidecarInside
) -> None:
    submit(host, sidecar.issue(7, "nouser@remote.example"), "nouser@remote.example")
    bounce = sidecar.booked(7)
    assert (bounce["category"], bounce["hard"]) == ("user-unknown", True)
    assert "lmtp -n bounce-sidecar -t unix -u -c" in host.run("ps", "-eo", "args")  # -c: chroot


def test_while_the_sidecar_is_down_the_bounce_waits(host: DebianHost, sidecar: SidecarInside) -> None:
    return_path = sidecar.issue(8, "nouser@remote.example")
    sidecar.stop()
    submit(host, return_path, "nouser@remote.example")
    until(lambda: '"queue_name": "deferred"' in host.run("postqueue", "-j"), "a deferred bounce")
    sidecar.start()
    host.run("postqueue", "-f")
    assert sidecar.booked(8)["hard"]
    until(lambda: not host.run("postqueue", "-j"), "an empty queue")
