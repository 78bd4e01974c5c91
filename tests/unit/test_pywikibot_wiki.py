"""pywikibot in a daemon: imported only where it is wanted, with nobody's settings, one wiki at a time.

The wikis are practice wikis; what Wikimedia's servers would say is said by one of them. That the adapter
keeps the contract of wikis is in tests/contract.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from sidecar import __version__
from sidecar.domain.wiki import Effect, Unconfirm, Wiki, WikiError, WikiMisconfigured, WikiUnavailable
from wiki_adapter import Adapter, BotPassword, DatabaseName, FamilySite, OAuth2, WikiAccess, open_wiki
from wiki_adapter.practice_http import PracticeServer, Reply, Request
from wiki_adapter.practice_wiki import PracticeWiki, Trouble
from wiki_adapter.pywikibot_wiki import PywikibotTransport, PywikibotWiki

ROOT = Path(__file__).parents[2]
CONTACT = "https://example.org/{ops}"  # pywikibot would fill in what is in braces
CONFIRMED, SENT = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC)

#: How each new process begins; then its script goes on.
PRELUDE = """\
import os, sys
from datetime import UTC, datetime
from sidecar.domain.wiki import Unconfirm
from wiki_adapter import Adapter, BotPassword, WikiAccess, open_wiki

def act(adapter, url):
    bot = BotPassword("BounceBot@sidecar", "practice" * 4)
    wiki = open_wiki(WikiAccess(url, bot, "ops@example.org", Adapter(adapter)))
    return wiki.perform(Unconfirm("practice", 2, datetime(2026, 3, 20, tzinfo=UTC), "a test"))

URL = {url!r}
"""


@pytest.fixture
def practice() -> Iterator[PracticeWiki]:
    with PracticeWiki() as wiki:
        wiki.add_user("Ann", "ann@a.example", CONFIRMED)
        yield wiki


def run(url: str, script: str, cwd: Path, *arguments: str, **environment: str) -> str:
    """What a new process prints; its input is closed, and it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE.format(url=url) + script, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def unconfirm(user_id: int) -> Unconfirm:
    return Unconfirm("practice", user_id, SENT, "a test")


def by_pywikibot(wiki: PracticeWiki) -> Wiki:
    access = WikiAccess(
        wiki.api_url, BotPassword(wiki.account, wiki.password), "ops@example.org", Adapter.PYWIKIBOT
    )
    return open_wiki(access)


# Whoever does not want it


def test_a_wiki_by_mwclient_imports_no_pywikibot(practice: PracticeWiki, tmp_path: Path) -> None:
    said = run(practice.api_url, 'print(act("mwclient", URL).effect, "pywikibot" in sys.modules)', tmp_path)
    assert said == "unconfirmed False"


def test_a_wiki_by_pywikibot_imports_it_at_the_first_action(practice: PracticeWiki, tmp_path: Path) -> None:
    script = """\
open_wiki(WikiAccess(URL, BotPassword("a@b", "c"), "", Adapter.PYWIKIBOT))
print("pywikibot" in sys.modules, act("pywikibot", URL).effect, "pywikibot" in sys.modules)
"""
    assert run(practice.api_url, script, tmp_path) == "False unconfirmed True"


def test_the_door_imports_no_library_at_all(tmp_path: Path) -> None:
    script = 'print([name for name in ("mwclient", "pywikibot", "requests") if name in sys.modules])'
    assert run("", script, tmp_path) == "[]"


# Whose settings


def test_no_settings_are_read_but_ours(practice: PracticeWiki, tmp_path: Path) -> None:
    """pywikibot executes user-config.py of the working directory, of the home, and of -dir:."""
    for folder in (tmp_path, tmp_path / ".pywikibot"):
        folder.mkdir(exist_ok=True)
        (folder / "user-config.py").write_text("raise SystemExit('executed')")
        (folder / "user-config.py").chmod(0o600)
    script = 'print(act("pywikibot", URL).effect, len(sys.argv))'
    said = run(practice.api_url, script, tmp_path, f"-dir:{tmp_path}", "-config:x", HOME=str(tmp_path))
    assert said == "unconfirmed 3"


def test_its_folder_is_private_and_goes_with_the_process(practice: PracticeWiki, tmp_path: Path) -> None:
    script = """\
act("pywikibot", URL)
from pywikibot import config
print(config.base_dir, oct(os.stat(config.base_dir).st_mode & 0o777), *os.listdir(config.base_dir))
"""
    folder, mode, *files = run(practice.api_url, script, tmp_path, TMPDIR=str(tmp_path)).split()
    assert (mode, files) == ("0o700", ["user-config.py"])
    assert Path(folder).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_settings_of_somebody_else_are_not_used(practice: PracticeWiki, tmp_path: Path) -> None:
    script = """\
import pywikibot
try:
    act("pywikibot", URL)
except Exception as error:
    print(error)
"""
    (tmp_path / "user-config.py").touch(0o600)
    said = run(practice.api_url, script, tmp_path, PYWIKIBOT_DIR=str(tmp_path))
    assert said == "pywikibot was imported before, with settings that are not ours"


def test_nothing_is_asked_on_a_terminal(practice: PracticeWiki, tmp_path: Path) -> None:
    """With its input closed, a prompt would end the process."""
    script = """\
try:
    act("pywikibot", URL)
except Exception as error:
    print(type(error).__name__)
"""
    practice.revoke_password()
    assert run(practice.api_url, script, tmp_path) == "LoginRefused"


# One session for the whole process


def test_two_wikis_do_not_mix_their_sessions() -> None:
    """Both have the same host, and their cookies the same name: cookies know no ports (RFC 6265 8.5)."""
    with PracticeWiki("ABot@sidecar", "a" * 32) as first, PracticeWiki("BBot@sidecar", "b" * 32) as second:
        wikis = [
            (wiki, by_pywikibot(wiki), wiki.add_user("Ann", "ann@a.example", CONFIRMED))
            for wiki in (first, second)
        ]
        for _ in range(3):
            for wiki, client, user in wikis:
                wiki.confirm(user, CONFIRMED)
                assert client.perform(unconfirm(user)).effect is Effect.UNCONFIRMED
        assert [wiki.logins for wiki, _, _ in wikis] == [(1, 0)] * 2


def test_threads_take_turns() -> None:
    with ExitStack() as life:
        wikis = [life.enter_context(PracticeWiki(f"Bot{n}@sidecar", f"{n}" * 32)) for n in range(4)]
        users = [[wiki.add_user(f"U{n}", f"u{n}@a.example", CONFIRMED) for n in range(10)] for wiki in wikis]
        clients = [by_pywikibot(wiki) for wiki in wikis]

        def work(number: int) -> list[Effect]:
            return [clients[number].perform(unconfirm(user)).effect for user in users[number]]

        with ThreadPoolExecutor(len(wikis)) as threads:
            effects = list(threads.map(work, range(len(wikis))))
        assert effects == [[Effect.UNCONFIRMED] * 10] * len(wikis)
        assert [wiki.logins for wiki in wikis] == [(1, 0)] * len(wikis)


def test_a_wiki_that_hangs_holds_up_another_for_a_request_and_no_longer(practice: PracticeWiki) -> None:
    with PracticeWiki() as hanging, ThreadPoolExecutor(1) as thread:
        slow = PywikibotWiki(replace(access_to(hanging), read_timeout=0.3), sleep=lambda _seconds: None)
        with hanging.suffering(Trouble.SLOW):
            waiting = thread.submit(slow.perform, unconfirm(2))
            assert by_pywikibot(practice).perform(unconfirm(2)).effect is Effect.UNCONFIRMED
            with pytest.raises(WikiUnavailable):
                waiting.result()


def test_who_does_not_get_a_turn_is_asked_again_later(practice: PracticeWiki) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang(_request: Request) -> Reply:
        asked.set()
        answered.wait(20)
        return Reply("{}")

    server = PracticeServer(hang)
    slow = PywikibotWiki(replace(access_to(practice), api_url=f"{server.url}/w/api.php"))
    hasty = PywikibotWiki(replace(access_to(practice), read_timeout=0.1))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(slow.perform, unconfirm(2))
        assert asked.wait(20)
        with pytest.raises(WikiUnavailable, match="busy with other wikis"):
            hasty.perform(unconfirm(2))
        answered.set()
        assert isinstance(waiting.exception(), WikiMisconfigured)
    assert hasty.perform(unconfirm(2)).effect is Effect.UNCONFIRMED
    server.close()


def access_to(wiki: PracticeWiki) -> WikiAccess:
    return WikiAccess(wiki.api_url, BotPassword(wiki.account, wiki.password), CONTACT, Adapter.PYWIKIBOT)


# Families and farms


#: Shortened; https://meta.wikimedia.org/w/api.php?action=help&modules=sitematrix
MATRIX = {
    "count": 4,
    "0": {"code": "de", "site": [{"url": "https://de.wikipedia.org", "dbname": "dewiki"}]},
    "1": {"code": "xx", "site": []},
    "specials": [
        {"url": "https://commons.wikimedia.org", "dbname": "commonswiki"},
        {"url": "http://plain.wikimedia.org", "dbname": "plainwiki"},
    ],
}


class Wikimedia:
    """Wikimedia's servers, as far as we ask them: the sitematrix, and behind every other name one wiki."""

    def __init__(self, wiki: PracticeWiki) -> None:
        self._wiki = wiki
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.server = PracticeServer(self.answer)

    def answer(self, request: Request) -> Reply:
        self.agents.add(request.user_agent)
        if request.parameters.get("action") == "sitematrix":
            return Reply(json.dumps({"sitematrix": MATRIX}))
        return self._wiki.answer(request)


class Rerouted(HTTPAdapter):
    """Instead of the internet: to a server on this host, which is told the name that was meant."""

    def __init__(self, wikimedia: Wikimedia) -> None:
        self._to = wikimedia
        super().__init__()

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        assert request.url
        _, _, host, path = request.url.split("/", 3)
        self._to.asked.append(host)
        meant, request.url = request.url, f"{self._to.server.url}/{path}"
        try:
            return super().send(request, *arguments, **options)
        finally:
            request.url = meant  # by which cookies are kept


@pytest.fixture
def wikimedia(practice: PracticeWiki) -> Iterator[Wikimedia]:
    farm = Wikimedia(practice)
    yield farm
    farm.server.close()


def on_the_farm(
    farm: FamilySite | DatabaseName, practice: PracticeWiki, wikimedia: Wikimedia
) -> PywikibotWiki:
    wiki = PywikibotWiki(replace(access_to(practice), api_url="", farm=farm), sleep=lambda _seconds: None)
    transport = wiki.transport
    assert isinstance(transport, PywikibotTransport)
    transport.session.mount("https://", Rerouted(wikimedia))
    return wiki


@pytest.mark.parametrize(
    ("farm", "hosts"),
    [
        (FamilySite("wikipedia", "de"), ["de.wikipedia.org"]),
        (FamilySite("commons", "commons"), ["commons.wikimedia.org"]),
        (DatabaseName("dewiki"), ["meta.wikimedia.org", "de.wikipedia.org"]),
        (DatabaseName("commonswiki"), ["meta.wikimedia.org", "commons.wikimedia.org"]),
    ],
)
def test_a_wiki_is_found_by_its_name(
    practice: PracticeWiki, wikimedia: Wikimedia, farm: FamilySite | DatabaseName, hosts: list[str]
) -> None:
    assert on_the_farm(farm, practice, wikimedia).perform(unconfirm(2)).effect is Effect.UNCONFIRMED
    assert list(dict.fromkeys(wikimedia.asked)) == hosts
    assert wikimedia.agents == {f"bounce-sidecar/{__version__} ({CONTACT})"}


@pytest.mark.parametrize(
    ("farm", "words"),
    [
        (FamilySite("wikipaedia", "de"), "check family"),
        (FamilySite("wikipedia", "xx"), "check family"),
        (DatabaseName("xxwiki"), "no database xxwiki"),
        (DatabaseName("plainwiki"), "no database plainwiki"),  # the password would be sent in the clear
    ],
)
def test_a_name_that_nobody_has_is_misconfigured(
    practice: PracticeWiki, wikimedia: Wikimedia, farm: FamilySite | DatabaseName, words: str
) -> None:
    with pytest.raises(WikiError, match=words) as caught:
        on_the_farm(farm, practice, wikimedia).perform(unconfirm(2))
    assert type(caught.value) is WikiMisconfigured


@pytest.mark.parametrize(
    "said", ["[]", "{}", '{"sitematrix": []}', "<html>", '{"error": {"code": "readonly"}}']
)
def test_a_sitematrix_that_says_something_else_is_asked_again_later(
    practice: PracticeWiki, wikimedia: Wikimedia, said: str
) -> None:
    wikimedia.server.answer = lambda _request: Reply(said)
    with pytest.raises(WikiUnavailable):
        on_the_farm(DatabaseName("dewiki"), practice, wikimedia).perform(unconfirm(2))


def test_a_sitematrix_that_is_away_is_asked_again_later(practice: PracticeWiki, wikimedia: Wikimedia) -> None:
    wiki = on_the_farm(DatabaseName("metawiki"), practice, wikimedia)
    wikimedia.server.close()
    with pytest.raises(WikiUnavailable):
        wiki.perform(unconfirm(2))


def test_it_takes_bot_passwords_alone(practice: PracticeWiki) -> None:
    with pytest.raises(TypeError, match="bot password"):
        PywikibotWiki(replace(access_to(practice), credentials=OAuth2("a.b.c")))
