"""The README's first installation, followed word by word on a new Debian, until somebody is un-confirmed.

Knows what stands in for what is not there: the wiki, systemd, and the other end of the mail. All other
commands are the README's own.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import units
from tests.support.debian_host import DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.fixtures_debian import WHEELS
from tests.support.mta_inside import beside_remote
from tests.support.readme import steps
from tests.support.sidecar_inside import FOLDER, WIKI, SidecarInside
from tests.support.waiting import until
from wiki_adapter.practice_wiki import PracticeWiki

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
DEAD = "nouser@remote.example"

#: Instead of MediaWiki's maintenance scripts and of systemd: they note what they were asked.
NOTED = "/run/asked"
STANDS_IN = f"""#!/bin/sh
echo "$(basename "$0") $*" >> {NOTED}
"""

#: Mails that were sent days ago: so long does nobody wait here.
ISSUE = """
import sys
from datetime import timedelta
from pathlib import Path
from sidecar import host
verp = host.load_config(Path("/etc/bounce-sidecar/config.toml")).verp
for days in sys.argv[3:]:
    print(verp.issue("mywiki", int(sys.argv[1]), sys.argv[2], host.now() - timedelta(days=int(days))))
"""


@pytest.fixture
def host(first_installation_root: DebianRoot) -> Iterator[DebianHost]:
    """Debian with Postfix running, and all the world's mail answered by one server."""
    with beside_remote(first_installation_root) as (host, remote):
        host.run("postconf", "-e", f"relayhost = [127.0.0.1]:{remote.port}")
        units.start(host, host.path("/lib/systemd/system/postfix@.service").read_text())
        for program in ("php", "systemctl", "journalctl"):
            host.path(f"/usr/local/bin/{program}").write_text(STANDS_IN)
            host.path(f"/usr/local/bin/{program}").chmod(0o755)
        yield host


@pytest.fixture
def wiki(host: DebianHost) -> Iterator[PracticeWiki]:
    with host.network():
        wiki = PracticeWiki(wiki_id=WIKI)
    yield wiki
    wiki.close()


def follow(host: DebianHost, script: str) -> str:
    """As root, from a checkout; what pip installs was fetched before, as there is no network."""
    return host.run("env", "-C", str(ROOT), "sh", "-ec", script, PIP_NO_INDEX="1", PIP_FIND_LINKS=WHEELS)


def install(host: DebianHost, wiki: PracticeWiki) -> SidecarInside:
    """Steps 1 to 5."""
    (program,), (_, bot), (configuration,), (postfix,), (start,) = (steps()[step] for step in range(1, 6))
    follow(host, program)
    follow(host, bot)
    *_, password = next(line for line in asked(host) if "createBotPassword" in line).split()
    wiki.renew_password(password)
    configuration = configuration.replace("https://wiki.example.org/w/api.php", wiki.api_url)
    host.path(f"{FOLDER}/config.toml").write_text(configuration)
    follow(host, postfix)
    assert "1 in shadow mode" in follow(host, start)
    assert "systemctl enable --now bounce-sidecar" in asked(host)
    sidecar = SidecarInside(host)
    sidecar.start()
    return sidecar


def asked(host: DebianHost) -> list[str]:
    return host.path(NOTED).read_text().splitlines()


def status(host: DebianHost) -> str:
    """Whatever the exit code: nobody keeps the clock there."""
    return follow(host, "bounce-sidecar status || true")


def come_back(host: DebianHost, user_id: int, *days: int) -> None:
    """Mails of so many days ago are sent, by the wiki's account, to an address that is no more."""
    python = ("/opt/bounce-sidecar/bin/python", "-c", ISSUE, str(user_id), DEAD)
    for return_path in host.run(*python, *map(str, days), user="bounce-sidecar").split():
        host.run("sendmail", "-f", return_path, DEAD, stdin="Subject: Hello\n\nHello.\n", user="www-data")


def assert_well(found: list[dict[str, str]]) -> None:
    """All but what is not there: the world's name servers, and a wiki that has sent mail."""
    bad = {one["subject"]: one["what"] for one in found if one["state"] in ("WRONG", "UNKNOWN")}
    assert set(bad) <= {"mail", "mail server"}, bad
    assert "the MX of bounces.example.org" in bad.get("mail server", "the MX of bounces.example.org")
    well = [f"{one['subject']}: {one['what']}" for one in found if one["state"] == "OK"]
    for words in (
        "www-data may connect to",
        "postfix may connect to",
        "things are well",
        "BounceBot may act",
    ):
        assert any(words in line for line in well), (words, well)


def test_the_first_installation_works_as_it_is_written(host: DebianHost, wiki: PracticeWiki) -> None:
    ann = wiki.add_user("Ann", DEAD, datetime.now(UTC) - timedelta(days=100))
    sidecar = install(host, wiki)
    (check,) = steps()[6]
    follow(host, check)
    sidecar.says("event='refused'")
    sidecar.says("event='set aside'")
    assert "neither a bounce nor" in follow(host, "bounce-sidecar aside list")
    (doctor,) = steps()[8]
    assert_well(json.loads(follow(host, f"{doctor.strip()} --json || true")))

    come_back(host, ann, 9, 8, 1)
    sidecar.says("hard=True", times=3)
    assert re.search(rf"mywiki.*{ann}.*shadow", follow(host, "bounce-sidecar outbox --all"))
    assert wiki.mailbox(ann).confirmed_at is not None

    follow(host, f'sed -i \'s/^mode = "shadow"/mode = "enforce"/\' {FOLDER}/config.toml')
    (canary,) = steps()[7]
    file = host.path(f"{FOLDER}/config.toml")
    file.write_text(f"{file.read_text()}\n{canary}")
    follow(
        host, f"printf '[brake]\\ndelay_minutes = 0\\n' >> {FOLDER}/config.toml"
    )  # nobody waits an hour here
    sidecar.stop()
    sidecar.start()
    until(lambda: "back after" in status(host), "a canary of the daemon's own")
    come_back(host, ann, 0)
    until(lambda: wiki.mailbox(ann).confirmed_at is None, "Ann's address to be un-confirmed")
