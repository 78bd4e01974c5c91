"""pywikibot in a daemon: imported only where it is wanted, with nobody's settings, one wiki at a time.

The wikis are practice wikis. That the adapter keeps the contract of wikis is in tests/contract.
"""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.domain.wiki import Effect, Wiki, WikiMisconfigured, WikiUnavailable
from tests.unit.wiki_adapter.practice_access import CONFIRMED, access_to, unconfirm
from wiki_adapter import Adapter, BotPassword, WikiAccess, open_wiki
from wiki_adapter.practice_http import PracticeServer, Reply, Request
from wiki_adapter.practice_wiki import PracticeWiki, Trouble
from wiki_adapter.pywikibot_wiki import PywikibotWiki

ROOT = Path(__file__).parents[3]


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


def by_pywikibot(wiki: PracticeWiki) -> Wiki:
    access = WikiAccess(
        wiki.api_url, BotPassword(wiki.account, wiki.password), "ops@example.org", Adapter.PYWIKIBOT
    )
    return open_wiki(access)


# Whoever does not want it


@pytest.mark.slow
def test_a_wiki_by_mwclient_imports_no_pywikibot(practice: PracticeWiki, tmp_path: Path) -> None:
    said = run(practice.api_url, 'print(act("mwclient", URL).effect, "pywikibot" in sys.modules)', tmp_path)
    assert said == "unconfirmed False"


@pytest.mark.slow
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


@pytest.mark.slow
def test_no_settings_are_read_but_ours(practice: PracticeWiki, tmp_path: Path) -> None:
    """pywikibot executes user-config.py of the working directory, of the home, and of -dir:."""
    for folder in (tmp_path, tmp_path / ".pywikibot"):
        folder.mkdir(exist_ok=True)
        (folder / "user-config.py").write_text("raise SystemExit('executed')")
        (folder / "user-config.py").chmod(0o600)
    script = 'print(act("pywikibot", URL).effect, len(sys.argv))'
    said = run(practice.api_url, script, tmp_path, f"-dir:{tmp_path}", "-config:x", HOME=str(tmp_path))
    assert said == "unconfirmed 3"


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
