"""Debian's Exim with split configuration, as its package starts it, with files of ours added.

Knows those files, the sidecar beside it, and a server that refuses. Does not know what a bounce says.
"""

import smtplib
from collections.abc import Iterator

import pytest

from sidecar.recorded import recorded
from tests.support.debian_host import DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.mta_inside import beside_remote, submit
from tests.support.sidecar_inside import DOMAIN, SidecarInside
from tests.support.waiting import until

pytestmark = pytest.mark.servers

SOCKET = "/run/bounce-sidecar/lmtp.sock"
OUTSIDE = ("127.0.0.5", 0)  # relayed for is only 127.0.0.1

#: Ours, below /etc/exim4/conf.d. The domain is one that is relayed to: in a local one Debian's Exim refuses
#: addresses with a slash.
FILES = {
    "main/00_bounce-sidecar": f"MAIN_RELAY_TO_DOMAINS = {DOMAIN}\n",
    "router/180_bounce-sidecar": f"""\
bounce_sidecar:
  driver = accept
  domains = {DOMAIN}
  caseful_local_part
  transport = bounce_sidecar
  no_more
""",
    "transport/30_bounce-sidecar": f"""\
bounce_sidecar:
  driver = lmtp
  socket = {SOCKET}
  timeout = 60s
  user = Debian-exim
  group = Debian-exim
""",
    "retry/20_bounce-sidecar": f"{DOMAIN}  *  F,1h,2m; F,14d,15m\n",
}

#: The test's: where the server is that refuses.
REMOTE = """
remote:
  driver = manualroute
  domains = remote.example
  route_list = * 127.0.0.1::{port}
  self = send
  transport = remote_smtp
"""

#: In [verp].
BOUNCEHANDLER = """\
format = "bouncehandler"
[verp.bouncehandler]
secret_file = "verp.secret"
"""

#: Spelled as BounceHandler does, until two of them have everything that a mail server might spoil.
SPELLED = """
from itertools import count
from pathlib import Path
from sidecar import host
verp = host.load_config(Path("/etc/bounce-sidecar/config.toml")).verp
issued = (verp.issue("mywiki", number, "ann@remote.example", host.now()) for number in count(100))
spoilt = (one for one in issued if "/" in one and "+" in one and one != one.lower())
print(next(spoilt), next(spoilt))
"""


@pytest.fixture(scope="module")
def host(exim_root: DebianRoot) -> Iterator[DebianHost]:
    """Exim not yet started; a server in the same network refuses mail for remote.example."""
    with beside_remote(exim_root) as (host, remote):
        host.path("/etc/exim4/conf.d/router/100_remote").write_text(REMOTE.format(port=remote.port))
        yield host


@pytest.fixture(scope="module")
def sidecar(host: DebianHost) -> SidecarInside:
    """Running, and Exim with our files beside it: both are ended with the host."""
    sidecar = SidecarInside.installed(host, "Debian-exim", mta_directory="/run/bounce-sidecar")
    configuration = host.path("/etc/bounce-sidecar/config.toml")
    configuration.write_text(configuration.read_text().replace("[sockets]", BOUNCEHANDLER + "[sockets]"))
    host.run("cp", "-p", "/etc/bounce-sidecar/verp.keys", "/etc/bounce-sidecar/verp.secret")
    sidecar.start()
    for name, text in FILES.items():
        added = host.path(f"/etc/exim4/conf.d/{name}")
        assert not added.exists()
        added.write_text(text)
    host.run("/etc/init.d/exim4", "start")
    return sidecar


def test_a_dead_address_comes_back_through_split_configuration_and_is_booked(
    host: DebianHost, sidecar: SidecarInside
) -> None:
    submit(host, sidecar.issue(7, "nouser@remote.example"), "nouser@remote.example")
    bounce = sidecar.booked(7)
    assert (bounce["category"], bounce["hard"]) == ("user-unknown", True)


def test_a_bounce_from_outside_is_taken_whatever_its_return_path_is_made_of(
    host: DebianHost, sidecar: SidecarInside
) -> None:
    kept, folded = host.python("-c", SPELLED, user="bounce-sidecar").split()
    others = [f"../{kept}", "somebody@elsewhere.example"]
    with host.network(), smtplib.SMTP("127.0.0.1", 25, source_address=OUTSIDE) as server:
        for return_path in (kept, folded.upper()):
            bounce = recorded("postfix/01-no-such-user").addressed("ann@remote.example", return_path)
            assert server.sendmail("", [return_path], bounce) == {}
        server.mail("")
        assert [server.rcpt(other)[0] for other in others] == [550, 550]
    assert [sidecar.booked(number(one))["hard"] for one in (kept, folded)] == [True, True]


def test_while_the_sidecar_is_down_the_bounce_waits(host: DebianHost, sidecar: SidecarInside) -> None:
    return_path = sidecar.issue(8, "nouser@remote.example")
    sidecar.stop()
    submit(host, return_path, "nouser@remote.example")
    until(lambda: f"== {return_path.partition('@')[0]}" in log(host), "a deferred bounce")
    sidecar.start()
    host.run("exim4", "-Rff", DOMAIN)
    assert sidecar.booked(8)["hard"]
    until(lambda: host.run("exim4", "-bpc").strip() == "0", "an empty queue")
    assert not host.path("/var/log/exim4/paniclog").exists()


def log(host: DebianHost) -> str:
    return host.path("/var/log/exim4/mainlog").read_text()


def number(return_path: str) -> int:
    """The user's."""
    return int(return_path.split("-")[2], 36)
