"""Gate mode as a whole: bounces by LMTP, a decision, one bounce for the wiki's BounceHandler, and its job.

The wiki is real and has nothing of ours; BounceHandler is the stand-in, which tests/contract holds to it.
"""

import json
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import host
from sidecar.recorded import recorded
from tests.contract.bench import Mood
from tests.contract.test_gate_contract import STAND_IN
from tests.contract.wiki_words import ADDRESS, CONFIRMED, a_user
from tests.support.mediawiki import MediaWiki
from tests.support.sidecar import DIE_AFTER, Sidecar
from tests.support.waiting import until

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
START = datetime.now(UTC).replace(microsecond=0) - 20 * DAY  # older than $wgVERPAcceptTime lets pass

SETTINGS = f"""\
wfLoadExtension( 'BounceHandler', '{STAND_IN}/extension.json' );
$wgBounceRecordLimit = 1;
$wgBounceHandlerUnconfirmUsers = true;
"""


@pytest.fixture
def sidecar(mediawiki: MediaWiki, short_folder: Path) -> Iterator[Sidecar]:
    folder = short_folder / "sidecar"
    folder.mkdir(mode=0o755)
    sidecar = Sidecar(
        folder,
        wiki=mediawiki.wiki_id,
        api=mediawiki.api_url,
        account="nobody@nothing",
        password="",
        verp_socket=folder / "verp.sock",
        mode="enforce",
    )
    config = folder / "config.toml"
    account = 'account = "nobody@nothing"\npassword_file = "bot.password"\n'
    config.write_text(config.read_text().replace(account, 'adapter = "bouncehandler"\n'))
    secret = json.dumps((folder / "php.secret").read_text().strip())
    mediawiki.configure(f"{SETTINGS}$wgVERPsecret = {secret};")
    with mediawiki.mood(Mood.NO_EXTENSION):
        sidecar.set_clock(START)
        sidecar.start()
        yield sidecar
        sidecar.stop()


def bounces(sidecar: Sidecar, wiki: str, user: int, *days: int) -> None:
    """Mail to this user, sent and come back on each of these days."""
    verp = host.load_config(sidecar.folder / "config.toml").verp
    (before,) = sidecar.rows("SELECT count(*) FROM notice")[0]
    for number, day in enumerate(days, before + 1):
        sidecar.set_clock(START + day * DAY)
        return_path = verp.issue(wiki, user, ADDRESS, START + day * DAY)
        mail = recorded("postfix/01-no-such-user").addressed(ADDRESS, return_path)
        with smtplib.LMTP(str(sidecar.lmtp_socket), timeout=20) as mta:
            mta.sendmail("", [return_path], mail)
        sidecar.booked(number)


def action(sidecar: Sidecar, user: int) -> tuple[str, str, str]:
    [found] = sidecar.rows(f"SELECT state, effect, error FROM action WHERE user_id = {user}")
    return found


def test_only_the_decision_reaches_bouncehandler(mediawiki: MediaWiki, sidecar: Sidecar) -> None:
    user = a_user(mediawiki)
    bounces(sidecar, mediawiki.wiki_id, user, 0, 4)
    mediawiki.run_jobs()
    assert mediawiki.mailbox(user).confirmed_at == CONFIRMED
    bounces(sidecar, mediawiki.wiki_id, user, 8)
    until(lambda: action(sidecar, user) == ("done", "submitted", ""), "a submitted action")
    assert mediawiki.mailbox(user).confirmed_at == CONFIRMED
    mediawiki.run_jobs()
    assert mediawiki.mailbox(user).confirmed_at is None
    assert mediawiki.mailbox(user).address == ADDRESS


def test_what_was_submitted_counts_no_more(mediawiki: MediaWiki, sidecar: Sidecar) -> None:
    user = a_user(mediawiki)
    bounces(sidecar, mediawiki.wiki_id, user, 0, 4, 8)
    until(lambda: action(sidecar, user)[0] == "done", "a submitted action")
    mediawiki.run_jobs()
    mediawiki.confirm(user, START + 8 * DAY + timedelta(hours=1))
    bounces(sidecar, mediawiki.wiki_id, user, 9, 10)
    mediawiki.run_jobs()
    assert action(sidecar, user) == ("done", "submitted", "")
    assert mediawiki.mailbox(user).confirmed_at is not None


def test_killed_after_the_call_it_is_submitted_again(mediawiki: MediaWiki, sidecar: Sidecar) -> None:
    user = a_user(mediawiki)
    bounces(sidecar, mediawiki.wiki_id, user, 0, 4)
    sidecar.order(DIE_AFTER)
    bounces(sidecar, mediawiki.wiki_id, user, 8)
    sidecar.wait_for_death()
    mediawiki.run_jobs()
    assert mediawiki.mailbox(user).confirmed_at is None
    sidecar.set_clock(START + 8 * DAY + timedelta(hours=1))  # the dead process's lease has ended
    sidecar.start()
    until(lambda: action(sidecar, user) == ("done", "submitted", ""), "a submitted action")
    mediawiki.run_jobs()
    assert mediawiki.mailbox(user).confirmed_at is None


def test_a_secret_that_differs_keeps_what_is_owed(mediawiki: MediaWiki, sidecar: Sidecar) -> None:
    mediawiki.configure(f"{SETTINGS}$wgVERPsecret = 'another one than that of the sidecar';")
    user = a_user(mediawiki)
    bounces(sidecar, mediawiki.wiki_id, user, 0, 4, 8)
    until(lambda: "$wgVERPsecret" in action(sidecar, user)[2], "a postponed action")
    assert action(sidecar, user)[0] == "waiting"
    until(lambda: "wiki misconfigured" in sidecar.log(), "a line about it")  # written after the commit
