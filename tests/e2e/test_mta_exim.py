"""`bounce-sidecar mta exim` on Debian's own Exim: the script sets it up, the check finds what is wrong.

Knows what an operator may have done to Debian's configuration, split or not. Not what a bounce says.
"""

import smtplib
from collections.abc import Iterator

import pytest

from tests.support.debian_host import CommandFailed, DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.mta_inside import OUTSIDE, MtaInside, beside_remote, dead, prepared, user_of
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar_inside import DOMAIN
from tests.support.waiting import until

pytestmark = pytest.mark.servers

CONFIG = "/etc/bounce-sidecar/config.toml"
ROUTERS = "/etc/exim4/conf.d/router/120_bounce-sidecar"
TRANSPORTS = "/etc/exim4/conf.d/transport/30_bounce-sidecar"
SETTINGS = "/etc/exim4/update-exim4.conf.conf"

#: The test's: where the server is that refuses.
REMOTE = """
remote:
  driver = manualroute
  domains = remote.example
  route_list = * 127.0.0.1::{port}
  self = send
  transport = remote_smtp
"""


@pytest.fixture(scope="module")
def remote(exim_root: DebianRoot) -> Iterator[tuple[DebianHost, RemoteMx]]:
    with beside_remote(exim_root) as both:
        yield both


@pytest.fixture(scope="module")
def mta(remote: tuple[DebianHost, RemoteMx]) -> MtaInside:
    """Set up by the script; the remote server refuses. All ends with the host."""
    host, server = remote
    mta = prepared(host, "exim")
    host.path("/etc/exim4/conf.d/router/100_remote").write_text(REMOTE.format(port=server.port))
    mta.apply()
    mta.sidecar.start()
    host.run("/etc/init.d/exim4", "start")
    return mta


@pytest.fixture
def restored(mta: MtaInside) -> Iterator[MtaInside]:
    """What a test does to the configuration is undone."""
    host = mta.host
    host.run("sh", "-c", "rm -rf /root/etc; mkdir /root/etc; cp -a /etc/exim4 /etc/bounce-sidecar /root/etc")
    yield mta
    host.run(
        "sh", "-c", "rm -rf /etc/exim4; cp -a /root/etc/exim4 /etc/; cp -a /root/etc/bounce-sidecar /etc/"
    )
    reload(host)


def reload(host: DebianHost) -> None:
    host.run("sh", "-ec", "update-exim4.conf; /etc/init.d/exim4 restart")


def test_a_canary_comes_back(mta: MtaInside) -> None:
    assert "\ncame back after " in mta.sidecar.command("canary")


def test_everything_is_right_afterwards(mta: MtaInside) -> None:
    assert mta.wrong() == []


def test_run_again_it_changes_nothing(mta: MtaInside) -> None:
    everything = "find /etc/exim4 -type f | sort | xargs sha256sum"
    before = mta.host.run("sh", "-c", everything)
    mta.apply()
    assert mta.host.run("sh", "-c", everything) == before


@pytest.mark.parametrize("separator", [" : ", ";"])
def test_domains_that_are_relayed_for_stay(restored: MtaInside, separator: str) -> None:
    others = separator.join(["backup.example.net", "*.example.net"])
    restored.host.run("sed", "-i", f"s/^dc_relay_domains=.*/dc_relay_domains='{others}'/", SETTINGS)
    restored.apply()
    restored.apply()
    ask = "${if match_domain{%s}{+relay_to_domains}{yes}{no}}"
    asked = [DOMAIN, "backup.example.net", "a.example.net", "example.com"]
    said = [restored.host.run("exim4", "-be", ask % one).strip() for one in asked]
    assert said == ["yes", "yes", "yes", "no"]


@pytest.mark.parametrize("door", ["pipe", "http", "lmtp"])
def test_the_whole_way_round_through_each_door(mta: MtaInside, door: str) -> None:
    mta.apply("--door", door)
    reload(mta.host)
    assert mta.wrong() == []
    first = {"lmtp": 100, "pipe": 3000, "http": 6000}[door]
    go_round(mta, first)


def go_round(mta: MtaInside, first: int) -> None:
    ours, kept, folded = mta.issue(first, dead())
    mta.submit(ours, dead())
    assert mta.bounce(kept) == {}
    assert mta.bounce(folded.upper()) == {}
    for return_path in (ours, kept, folded):
        bounce = mta.sidecar.booked(user_of(return_path))
        assert (bounce["category"], bounce["hard"]) == ("user-unknown", True)
    until(lambda: mta.host.run("exim4", "-bpc").strip() == "0", "an empty queue")


def test_a_forged_bounce_is_refused_and_the_owed_mailboxes_are_there(mta: MtaInside) -> None:
    good, spoilt, _ = mta.issue(9000, dead())
    forged = [good.replace("mywiki-", "mywiki-1"), spoilt.replace("mywiki-", "mywiki-1"), f"x@{DOMAIN}"]
    assert mta.replies(good, *forged, f"abuse@{DOMAIN}", "a@elsewhere.example") == [
        250,
        550,
        550,
        550,
        250,
        550,
    ]
    mta.submit("ann@wiki.example.org", f"postmaster@{DOMAIN}")
    until(lambda: "=> " in log(mta.host) and "<postmaster@" in log(mta.host), "postmaster's mail")


def test_while_the_sidecar_is_down_its_mail_waits_and_exim_stays_sane(mta: MtaInside) -> None:
    """Exim 4.96 panics over a second connection that fails in one session, unless it has another path."""
    good, other, third = mta.issue(9100, dead())
    mta.sidecar.stop()
    stale = "import socket; socket.socket(socket.AF_UNIX).bind('/run/bounce-sidecar/policy.sock')"
    mta.host.python("-c", stale, user="bounce-sidecar")  # as a daemon that was killed leaves it
    assert mta.replies(good, other, third, "root@wiki.example.org") == [451, 451, 451, 250]
    with mta.host.network(), smtplib.SMTP("127.0.0.1", 25, source_address=OUTSIDE) as server:
        server.ehlo()
        for return_path in (good, other, third):
            server.mail("")
            assert server.rcpt(return_path)[0] == 451
            server.rset()
    assert not mta.host.path("/var/log/exim4/paniclog").exists()
    first = mta.wrong()[0]
    assert first.startswith("WRONG the daemon is down")
    assert "systemctl start bounce-sidecar" in first
    mta.sidecar.start()
    assert mta.bounce(good) == {}
    assert mta.sidecar.booked(9100)["hard"]
    assert not mta.host.path("/var/log/exim4/paniclog").exists()


#: what somebody did, words of what is found, words of its remedy; each group at once
BROKEN = [
    [
        (
            f"sed -i \"s/^dc_other_hostnames=.*/dc_other_hostnames='{DOMAIN}'/\" {SETTINGS}",
            f"{DOMAIN} is in local_domains",
            "take it out of dc_other_hostnames",
        ),
        (":", 'does not take a signed return path with a "/"', "run the script"),
        ("rm /etc/exim4/conf.d/retry/20_bounce-sidecar", "is tried for 4 days", "run the script"),
        (f"sed -i s/caseful_local_part// {ROUTERS}", "folds return paths", "caseful_local_part"),
    ],
    [
        (f"sed -i s/^dc_relay_domains=.*// {SETTINGS}", "is not in relay_to_domains", "run the script"),
        (
            f"sed -i 's,^  socket = .*,  socket = /no/where,' {TRANSPORTS}",
            "goes to /no/where",
            "run the script",
        ),
        (
            f"sed -i 's,^  group = .*,  group = nogroup,' {TRANSPORTS}",
            "lmtp.sock may not be opened",
            "mta_group",
        ),
    ],
    [
        (
            f"rm {ROUTERS} {TRANSPORTS}",
            "Exim finds no way for mail",
            "run the",
        ),
        ("chgrp root /run/bounce-sidecar/policy.sock", "policy.sock may not be opened", "Debian-exim"),
    ],
    [
        (
            f"sed -i '/^bounce_sidecar_verify/,/^bounce_sidecar:/s/^  domains = .*/  domains = x/' {ROUTERS}",
            "does not refuse a forged return path: 250",
            "run the script",
        ),
        (
            f"sed -i 's,^  driver = lmtp,  driver = pipe\\n  command = /no/where $local_part,; /batch_max/d;"
            f" /socket =/d; /timeout =/d' {TRANSPORTS}",
            "has $local_part in its command",
            "RECIPIENT",
        ),
        (":", "when its command fails", "temp_errors = *"),
        (":", "when its command hangs", "timeout_defer"),
        (":", "starts /no/where", "run the script"),
    ],
]


@pytest.mark.parametrize("deeds", BROKEN, ids=lambda deeds: deeds[0][1])
def test_what_is_broken_is_named_with_its_remedy(
    restored: MtaInside, deeds: list[tuple[str, str, str]]
) -> None:
    restored.host.run("sh", "-ec", "\n".join(deed for deed, _, _ in deeds))
    reload(restored.host)
    wrong = restored.wrong()
    restored.host.run("sh", "-c", "chgrp Debian-exim /run/bounce-sidecar/policy.sock")
    for _, words, remedy in deeds:
        (found,) = [line for line in wrong if words in line]
        assert found.startswith("WRONG ")
        assert remedy in found.partition(" | ")[2]


def test_what_only_root_may_see_is_not_called_right(mta: MtaInside) -> None:
    with pytest.raises(CommandFailed) as answer:
        mta.sidecar.command("mta", "exim", "--check")
    lines = str(answer.value).splitlines()
    unknown = [line for line in lines if line.startswith("UNKNOWN")]
    assert len(unknown) == 2
    assert all("may connect" in line for line in unknown)


def test_the_script_for_the_other_kind_of_configuration_stops_at_once(mta: MtaInside) -> None:
    with pytest.raises(CommandFailed, match="dc_use_split_config is not false: write this script without"):
        mta.apply("--unsplit")


def test_without_split_configuration_it_works_as_well(
    restored: MtaInside, remote: tuple[DebianHost, RemoteMx]
) -> None:
    host, server = remote
    host.run("sh", "-c", "rm -rf /etc/exim4/conf.d")
    host.run("sed", "-i", "s/^dc_use_split_config=.*/dc_use_split_config='false'/", SETTINGS)
    template = host.path("/etc/exim4/exim4.conf.template")
    routers = f"begin routers\n{REMOTE.format(port=server.port)}"
    template.write_text(template.read_text().replace("begin routers\n", routers))
    restored.apply("--unsplit")
    once = template.read_text()
    restored.apply("--unsplit")
    assert template.read_text() == once
    reload(host)
    assert restored.wrong() == []
    go_round(restored, 9500)


def log(host: DebianHost) -> str:
    return host.path("/var/log/exim4/mainlog").read_text()
