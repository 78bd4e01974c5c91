"""doctor and the real MediaWiki: each thing broken in turn, whose line names it with the remedy."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.doctor.wikis import Examiner
from sidecar.domain.finding import Finding, State
from sidecar.wiki_opener import wiki_opener
from tests.contract.bench import Mood
from tests.contract.test_gate_contract import SETTINGS, STAND_IN
from tests.support.doctor import about, examined
from tests.support.mediawiki import MediaWiki
from tests.support.mediawiki_site import WIKI_ID
from tests.support.practice import ENTRY, HEAD, keep_secrets, load
from wiki_adapter.examining import shipped

pytestmark = pytest.mark.servers

WRONG, OK = State.WRONG, State.OK
GATE = """
[verp.bouncehandler]
secret_file = "gate.password"
[[wikis]]
id = "{wiki}"
api = "{api}"
adapter = "bouncehandler"
"""

MOODS = {
    Mood.READ_ONLY: ("readonly", "what is owed waits"),
    Mood.HTTP_503: ("HTTP 503", "the wiki's own log"),
    Mood.BOT_BLOCKED: ("BounceBot is blocked", "Special:Unblock/BounceBot"),
    Mood.NO_RIGHT: ("BounceBot has not the right emailbounce", "Special:UserRights"),
    Mood.NO_GRANT: ("this login lacks the grant", "grants basic and emailbounce"),
    Mood.NO_EXTENSION: ("the extension BounceSidecar is not installed", "wfLoadExtension"),
}


@pytest.fixture
def bench(mediawiki: MediaWiki) -> Iterator[MediaWiki]:
    password = mediawiki.password
    yield mediawiki
    mediawiki.renew_password(password)


@pytest.fixture
def folder(tmp_path: Path, bench: MediaWiki) -> Path:
    write(tmp_path, ENTRY.format(wiki=WIKI_ID, api=bench.api_url, password_file="bot.password"))
    (tmp_path / "bot.password").write_text(bench.password + "\n")
    return tmp_path


def write(folder: Path, entry: str) -> None:
    keep_secrets(folder, gate="a secret of the gate in this test, 0123456789")
    (folder / "config.toml").write_text(HEAD.format(folder=folder, mode="enforce") + entry)


def the_line(folder: Path, wiki: str = WIKI_ID) -> Finding:
    (line,) = about(f"wiki {wiki}", examined(folder))
    return line


def test_a_wiki_that_is_well(folder: Path, bench: MediaWiki) -> None:
    line = the_line(folder)
    words = f"MediaWiki {bench.version}"
    assert (line.state, line.what.startswith(words)) == (OK, True), line
    assert line.what.endswith(f", extension {shipped.version}, BounceBot may act")


@pytest.mark.parametrize("mood", MOODS)
def test_each_mood_has_its_line(folder: Path, bench: MediaWiki, mood: Mood) -> None:
    what, remedy = MOODS[mood]
    with bench.mood(mood):
        line = the_line(folder)
    assert (line.state, what in line.what, remedy in line.remedy) == (WRONG, True, True), line


def test_a_password_that_was_revoked(folder: Path, bench: MediaWiki) -> None:
    bench.revoke()
    line = the_line(folder)
    assert (line.state, line.what) == (WRONG, "login: wrongpassword")
    assert "Special:BotPasswords" in line.remedy


def test_a_wiki_that_confirms_no_addresses(folder: Path, bench: MediaWiki) -> None:
    bench.set(wgEmailAuthentication=False)
    line = the_line(folder)
    assert (line.state, "emailauthenticationdisabled" in line.what) == (WRONG, True)
    assert "$wgEmailAuthentication = true" in line.remedy


def test_another_wikis_id(folder: Path, bench: MediaWiki) -> None:
    write(folder, ENTRY.format(wiki="otherwiki", api=bench.api_url, password_file="bot.password"))
    (folder / "bot.password").write_text(bench.password + "\n")
    line = the_line(folder, "otherwiki")
    assert (line.state, f"calls itself {WIKI_ID}" in line.what) == (WRONG, True)
    assert f'set id = "{WIKI_ID}"' in line.remedy


def test_no_central_accounts(folder: Path) -> None:
    with (folder / "config.toml").open("a") as file:
        file.write("central = true\n")
    line = the_line(folder)
    assert (line.state, "the wiki has no CentralAuth" in line.what) == (WRONG, True)


def test_a_clock_that_is_apart(folder: Path) -> None:
    """Ours, as nobody can set the wiki's."""

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(hours=2)

    async def look() -> list[Finding]:
        config = load(folder)
        examiner = Examiner(wiki_opener(config, clock), clock, {}, lambda _: False)
        return [line async for lines in examiner.findings(config.wikis) for line in lines]

    (line,) = asyncio.run(look())
    assert (line.state, "the wiki's clock is 7,20" in line.what) == (WRONG, True), line


def test_gate_mode_and_a_host_that_may_not_knock(folder: Path, bench: MediaWiki) -> None:
    write(folder, GATE.format(wiki=WIKI_ID, api=bench.api_url))
    line = the_line(folder)
    assert (line.state, "BounceHandler" in line.remedy) == (WRONG, True)
    load_it = f"wfLoadExtension( 'BounceHandler', '{STAND_IN}/extension.json' );\n{SETTINGS}"
    bench.configure(load_it)
    line = the_line(folder)
    assert (line.state, "BounceHandler takes what we say" in line.what) == (OK, True), line
    elsewhere = "$GLOBALS['wgBounceHandlerInternalIPs'] = [ '192.0.2.1' ];"
    bench.configure(f"{load_it}\n$wgExtensionFunctions[] = static function () {{ {elsewhere} }};")
    line = the_line(folder)
    assert (line.state, "$wgBounceHandlerInternalIPs" in line.remedy) == (WRONG, True), line
