"""`bounce-sidecar mta postfix` on Debian's own Postfix: the script sets it up, the check finds what is wrong.

Knows what an operator may have done to main.cf and master.cf. Does not know what a bounce says.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.postfix_broken import BROKEN, CONFIG, SOCKETS
from tests.support import units
from tests.support.debian_host import CommandFailed, DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.mta_inside import MtaInside, beside_remote, dead, prepared, user_of
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar_inside import DOMAIN
from tests.support.waiting import until

pytestmark = pytest.mark.servers


#: What an operator has there before us.
OTHERS = """
set -e
postconf -e 'relay_domains = backup.example.net' 'transport_maps = inline:{ { * = smtp:[127.0.0.1]:9 } }' \
    'smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination' \
    'relay_recipient_maps = inline:{ { ann@backup.example.net = OK } }'
"""

#: The daemon does not know it: what is sent is sent by hand.
CANARY = """
[canary]
smtp = "127.0.0.1:25"
every_minutes = 10080
patience_minutes = 0.01
slow_seconds = 3600
"""

#: Postfix waits until a file that it reads has been left alone for two seconds.
AGED = "touch -d '1 minute ago' /etc/postfix/main.cf /etc/postfix/master.cf"


@pytest.fixture(scope="module")
def remote(postfix_root: DebianRoot) -> Iterator[tuple[DebianHost, RemoteMx]]:
    with beside_remote(postfix_root) as both:
        yield both


@pytest.fixture(scope="module")
def mta(remote: tuple[DebianHost, RemoteMx]) -> MtaInside:
    """Set up by the script; the remote server refuses. All ends with the host."""
    host, server = remote
    mta = prepared(host, "postfix")
    host.run("postconf", "-e", f"relayhost = [127.0.0.1]:{server.port}")
    mta.apply()
    host.run("sh", "-c", AGED)
    mta.sidecar.start()
    units.start(host, host.path("/lib/systemd/system/postfix@.service").read_text())
    return mta


@pytest.fixture
def restored(mta: MtaInside) -> Iterator[MtaInside]:
    """What a test does to the configuration is undone."""
    host = mta.host
    host.run(
        "sh", "-c", "rm -rf /root/etc; cp -a /etc/postfix /root/etc; cp -a /etc/bounce-sidecar /root/etc/ours"
    )
    yield mta
    host.run("sh", "-c", f"chmod 660 {SOCKETS}/*; chgrp postfix {SOCKETS}/*")
    host.run("sh", "-c", "cp -a /root/etc/*.cf /etc/postfix/; cp -a /root/etc/ours/. /etc/bounce-sidecar/")
    reload(host)


def reload(host: DebianHost) -> None:
    host.run("sh", "-c", f"{AGED}; postfix reload")


def parameters(host: DebianHost) -> dict[str, str]:
    lines = (line.partition(" = ") for line in host.run("postconf", "-nx").splitlines())
    return {name: value for name, _, value in lines}


def test_everything_is_right_afterwards(mta: MtaInside) -> None:
    assert mta.wrong() == []


def test_run_again_it_changes_nothing(mta: MtaInside) -> None:
    before = mta.host.run("sh", "-c", "cat /etc/postfix/main.cf /etc/postfix/master.cf")
    mta.apply()
    assert mta.host.run("sh", "-c", "cat /etc/postfix/main.cf /etc/postfix/master.cf") == before


def test_what_was_configured_stays_and_ours_comes_first(restored: MtaInside) -> None:
    host = restored.host
    host.run("sh", "-c", OTHERS)
    before = parameters(host)
    restored.apply()
    restored.apply()
    after = parameters(host)
    for name, value in before.items():
        assert after[name].endswith(value)
    assert host.run("postconf", "-h", "relay_domains") == "$bounce_sidecar_domains, backup.example.net\n"
    reload(host)
    assert restored.wrong() == []
    good, *_ = restored.issue(20, dead())
    asked = (good, "ann@backup.example.net", "bob@backup.example.net", "ann@elsewhere.example")
    with host.network():
        assert restored.replies(*asked)[:3] == [250, 250, 550]


def test_no_relay_is_opened_for_a_stranger(restored: MtaInside) -> None:
    restored.host.run("postconf", "-e", "mynetworks = 127.0.0.1")
    reload(restored.host)
    good, *_ = restored.issue(21, dead())
    assert restored.replies(good, "ann@elsewhere.example") == [
        250,
        454,
    ]  # defer_unauth_destination, as before


@pytest.mark.parametrize("door", ["pipe", "http", "lmtp"])
def test_the_whole_way_round_through_each_door(mta: MtaInside, door: str) -> None:
    mta.apply("--door", door)
    reload(mta.host)
    assert mta.wrong() == []
    first = {"lmtp": 100, "pipe": 3000, "http": 6000}[door]
    ours, kept, folded = mta.issue(first, dead())
    mta.submit(ours, dead())
    assert mta.bounce(kept) == {}
    assert mta.bounce(folded.upper()) == {}
    for return_path in (ours, kept, folded):
        bounce = mta.sidecar.booked(user_of(return_path))
        assert (bounce["category"], bounce["hard"]) == ("user-unknown", True)
    until(lambda: not mta.host.run("postqueue", "-j"), "an empty queue")


def test_a_canary_comes_back_and_one_that_is_held_is_an_alarm_until_it_does(restored: MtaInside) -> None:
    host, sidecar = restored.host, restored.sidecar
    assert "\ncame back after " in sidecar.command("canary")
    file = host.path(CONFIG)
    file.write_text(file.read_text() + CANARY)
    host.run("postconf", "-e", "defer_transports = bounce-sidecar")
    reload(host)
    with pytest.raises(CommandFailed, match="it did not come back within 0 s"):
        sidecar.command("canary", "--wait", "0")
    until(lambda: "canary-lost" in restored.troubles(), "an alarm")
    [held] = restored.wrong()
    assert "waits in the queue, and is not tried | take bounce-sidecar out of defer_transports" in held
    host.run("postconf", "-e", "defer_transports =")
    reload(host)
    host.run("postqueue", "-f")
    until(lambda: "canary-lost" not in restored.troubles(), "no alarm any more")


def test_a_forged_bounce_is_refused_and_the_owed_mailboxes_are_there(mta: MtaInside) -> None:
    good, spoilt, _ = mta.issue(9000, dead())
    forged = [good.replace("mywiki-", "mywiki-1"), spoilt.replace("mywiki-", "mywiki-1"), f"x@{DOMAIN}"]
    assert mta.replies(*forged) == [550, 550, 550]
    mta.submit("ann@wiki.example.org", f"postmaster@{DOMAIN}")
    until(lambda: mta.host.path("/var/mail/root").exists(), "postmaster's mail")


def test_while_the_sidecar_is_down_its_mail_waits_and_other_mail_goes_on(mta: MtaInside) -> None:
    good, *_ = mta.issue(9100, dead())
    mta.sidecar.stop()
    assert mta.replies(good, "root@wiki.example.org") == [450, 250]
    first = mta.wrong()[0]
    assert first.startswith("WRONG the daemon is down")
    assert "systemctl start bounce-sidecar" in first
    mta.sidecar.start()
    assert mta.bounce(good) == {}
    assert mta.sidecar.booked(9100)["hard"]


@pytest.mark.parametrize("deeds", BROKEN, ids=lambda deeds: deeds[0][1])
def test_what_is_broken_is_named_with_its_remedy(
    restored: MtaInside, deeds: list[tuple[str, str, str]]
) -> None:
    restored.host.run("sh", "-ec", "postconf -X bounce-sidecar_destination_recipient_limit\n")
    restored.host.run("sh", "-ec", "\n".join(deed for deed, _, _ in deeds))
    reload(restored.host)
    wrong = restored.wrong()
    for _, words, remedy in deeds:
        (found,) = [line for line in wrong if words in line]
        assert found.startswith("WRONG ")
        assert remedy in found.partition(" | ")[2]


def test_postfix_that_does_not_run_is_named(restored: MtaInside) -> None:
    command = ["bounce-sidecar", "mta", "postfix", "--check", "--smtp", "127.0.0.1:2626"]
    with pytest.raises(CommandFailed, match=r"WRONG   no mail server answers at 127\.0\.0\.1:2626"):
        restored.host.run(*command)


def test_what_only_root_may_see_is_not_called_right(mta: MtaInside) -> None:
    with pytest.raises(CommandFailed) as answer:
        mta.sidecar.command("mta", "postfix", "--check")
    lines = str(answer.value).splitlines()
    unknown = [line for line in lines if line.startswith("UNKNOWN")]
    assert len(unknown) == 2
    assert all("may connect" in line for line in unknown)
    assert not [line for line in lines if line.startswith("WRONG")]
