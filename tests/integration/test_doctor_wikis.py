"""doctor and the wikis: a practice wiki in each of its troubles, whose line names it with the remedy."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.cli import doctor as doctor_command
from sidecar.configuration.configured import WikiConfig
from sidecar.doctor.wikis import Examiner
from sidecar.domain.examination import Examinable
from sidecar.domain.finding import Finding, State
from sidecar.storage import circuits, rates
from sidecar.storage.circuits import SHARED, Standing
from sidecar.storage.database import Database
from sidecar.wiki_opener import wiki_opener
from tests.support.certificates import Authority, served
from tests.support.doctor import about, examined
from tests.support.places import free_port
from tests.support.practice import ENTRY, PASSWORD, WIKI, configured, keep_secrets, load
from wiki_adapter.examining import shipped
from wiki_adapter.practice_wiki import PracticeWiki, Trouble

WRONG, WARN, UNKNOWN, OK = State.WRONG, State.WARN, State.UNKNOWN, State.OK

#: The lines of a wiki that is in this trouble: each with words of what is wrong, and of the remedy.
TROUBLES: dict[Trouble, list[tuple[State, str, str]]] = {
    Trouble.READ_ONLY: [(WRONG, "it cannot do it now: readonly", "what is owed waits")],
    Trouble.LAGGED: [(OK, "may act", "")],
    Trouble.RATE_LIMITED: [(WRONG, "it cannot do it now: ratelimited", "what is owed waits")],
    Trouble.HTTP_500: [(WRONG, "HTTP 500", "the wiki's own log")],
    Trouble.HTTP_503: [(WRONG, "HTTP 503", "the wiki's own log")],
    Trouble.HTTP_429: [(WRONG, "HTTP 429", "the wiki's own log")],
    Trouble.NOT_JSON: [(WRONG, "InvalidResponse", "not JSON; if it stays, check api")],
    Trouble.BOT_BLOCKED: [(WRONG, "BounceBot is blocked", "Special:Unblock/BounceBot")],
    Trouble.NO_RIGHT: [(WRONG, "BounceBot has not the right emailbounce", "Special:UserRights")],
    Trouble.NO_GRANT: [(WRONG, "this login lacks the grant", "grants basic and emailbounce")],
    Trouble.NO_EXTENSION: [(WRONG, "the extension BounceSidecar is not installed", "wfLoadExtension")],
    Trouble.OLD_EXTENSION: [(WARN, f"is 0.0.1, ours is {shipped.version}", "copy")],
    Trouble.NO_CONFIRMING: [(WRONG, "emailauthenticationdisabled", "$wgEmailAuthentication = true")],
    Trouble.CLOCK_AHEAD: [(WRONG, "the wiki's clock is 7,", "chrony")],
    Trouble.PRIVATE: [(OK, "may act", "")],
    Trouble.REDIRECT: [(WRONG, "HTTP 301", "final URL")],
}
#: SLOW and HANGING cost their time; NO_OAUTH and EXCEPTION have to do with what is not asked here.
LEFT_OUT = {Trouble.SLOW, Trouble.HANGING, Trouble.NO_OAUTH, Trouble.EXCEPTION}


@pytest.fixture
def wiki() -> Iterator[PracticeWiki]:
    with PracticeWiki(wiki_id=WIKI) as wiki:
        yield wiki


@pytest.fixture
def folder(tmp_path: Path, wiki: PracticeWiki) -> Path:
    configured(tmp_path, api=wiki.api_url)
    return tmp_path


def lines(folder: Path, *words: str, wiki: str = WIKI) -> list[Finding]:
    return about(f"wiki {wiki}", examined(folder, *words))


def test_every_trouble_is_in_the_table() -> None:
    assert set(TROUBLES) | LEFT_OUT == set(Trouble)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_has_its_line_and_its_remedy(folder: Path, wiki: PracticeWiki, trouble: Trouble) -> None:
    with wiki.suffering(trouble):
        found = lines(folder)
    assert [one.state for one in found] == [state for state, _, _ in TROUBLES[trouble]], found
    for one, (_, what, remedy) in zip(found, TROUBLES[trouble], strict=True):
        assert what in one.what
        assert remedy in one.remedy


def test_a_wiki_that_is_well_takes_one_line_and_one_login(folder: Path, wiki: PracticeWiki) -> None:
    (line,) = lines(folder)
    assert line.what == f"MediaWiki 1.43.0, extension {shipped.version}, BounceBot may act"
    assert wiki.logins == (1, 0)


def test_another_wiki_than_the_configured_one(folder: Path) -> None:
    with PracticeWiki(wiki_id="dewiki") as other:
        configured(folder, api=other.api_url)
        (line,) = lines(folder)
    assert (line.state, "calls itself dewiki" in line.what) == (WRONG, True)
    assert 'set id = "dewiki"' in line.remedy


def test_no_central_accounts_where_they_are_configured(folder: Path) -> None:
    with (folder / "config.toml").open("a") as file:
        file.write("central = true\n")
    (line,) = lines(folder)
    assert (line.state, "the wiki has no CentralAuth" in line.what) == (WRONG, True)


@pytest.mark.parametrize(
    ("api", "words"),
    [
        ("http://127.0.0.1:{free}/w/api.php", "takes no connection"),
        ("https://no-such-wiki.invalid/w/api.php", "no-such-wiki.invalid cannot be looked up"),
    ],
)
def test_a_wiki_that_is_not_there(folder: Path, api: str, words: str) -> None:
    configured(folder, api=api.format(free=free_port()))
    (line,) = lines(folder)
    assert (line.state, words in line.what) == (WRONG, True)


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "certificate has expired"), (90, "self-signed certificate")]
)
def test_a_certificate_that_is_not_to_be_trusted(folder: Path, days: int, words: str) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    certificate = Authority(folder).certify("localhost", until, by_itself=days > 0)
    with pytest.MonkeyPatch.context() as patch, served(certificate) as port:
        patch.setenv("REQUESTS_CA_BUNDLE", str(folder / "authority.pem"))
        configured(folder, api=f"https://localhost:{port}/w/api.php")
        (line,) = lines(folder)
    assert (line.state, words in line.what) == (WRONG, True)


# Logins


def test_a_wrong_password_is_tried_once(folder: Path, wiki: PracticeWiki) -> None:
    wiki.revoke_password()
    (line,) = lines(folder)
    assert (line.state, line.what) == (WRONG, "login: wrongpassword")
    assert "Special:BotPasswords" in line.remedy
    assert wiki.logins == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own", "shared"])
def test_what_a_wiki_is_known_to_have_refused_is_not_tried_unless_asked_for(
    folder: Path, wiki: PracticeWiki, name: str
) -> None:
    (configured_wiki,) = load(folder).wikis
    login = configured_wiki.login
    row = {"own": (WIKI, login), "shared": (SHARED + login, "")}[name]
    now = datetime.now(UTC)
    note(folder, Standing(row[0], 3, None, "login: wrongpassword", now, row[1]))
    (line,) = lines(folder)
    assert (line.state, wiki.logins) == (WRONG, (0, 0))
    assert "is not tried again: login: wrongpassword" in line.what
    assert "doctor --login" in line.remedy
    (line,) = lines(folder, "--login")
    assert (line.state, wiki.logins) == (OK, (1, 0))


def test_another_password_is_tried(folder: Path, wiki: PracticeWiki) -> None:
    note(folder, Standing(WIKI, 3, None, "login: wrongpassword", datetime.now(UTC), "another login"))
    (line,) = lines(folder)
    assert (line.state, wiki.logins) == (OK, (1, 0))


def test_of_wikis_that_share_a_login_one_refusal_is_enough(folder: Path, wiki: PracticeWiki) -> None:
    others = [f"x{number}wiki" for number in range(6)]
    entries = [ENTRY.format(wiki=name, api=wiki.api_url, password_file="bot.password") for name in others]
    with (folder / "config.toml").open("a") as file:
        file.writelines(entries)
    wiki.revoke_password()
    found = examined(folder)
    assert wiki.logins == (0, 1)
    for name in others:
        assert "enwiki has refused the same login just now" in " ".join(
            one.what for one in about(f"wiki {name}", found)
        )


def note(folder: Path, row: Standing) -> None:
    write(folder, lambda connection: circuits.put(connection, row))


def write(folder: Path, work: Callable[[sa.Connection], None]) -> None:
    async def open_and_write() -> None:
        database = Database(f"sqlite:///{folder}/history.db")
        await database.open()
        await database.write(work)
        await database.close()

    asyncio.run(open_and_write())


# Many


def test_one_wiki_of_many_by_its_name(folder: Path, wiki: PracticeWiki) -> None:
    keep_secrets(folder, other=PASSWORD[::-1])
    with (folder / "config.toml").open("a") as file:
        file.write(ENTRY.format(wiki="otherwiki", api=wiki.api_url, password_file="other.password"))
    found = examined(folder, "--wiki", WIKI)
    assert {one.subject for one in found if one.subject.startswith("wiki ")} == {f"wiki {WIKI}"}
    assert wiki.logins == (1, 0)


def test_wikis_that_take_their_time_are_asked_together(folder: Path, wiki: PracticeWiki) -> None:
    keep_secrets(folder, **{f"p{number}": f"{number}" * 32 for number in range(6)})
    with (folder / "config.toml").open("a") as file:
        for number in range(6):
            name = f"x{number}wiki"
            file.write(ENTRY.format(wiki=name, api=wiki.api_url, password_file=f"p{number}.password"))
    begun = time.monotonic()
    with wiki.suffering(Trouble.HTTP_503):
        found = examined(folder)
    assert len([one for one in found if one.subject.startswith("wiki ")]) == 7
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(("signer", "state"), [(WIKI, OK), ("otherwiki", WARN)])
def test_a_wiki_of_which_nothing_is_signed(folder: Path, signer: str, state: State) -> None:
    today = datetime.now(UTC).date()
    write(folder, lambda connection: rates.add_signed(connection, "mx1", {(signer, today): 3}))
    (line,) = lines(folder)
    assert (line.state, f"mail last signed on {today}" in line.what) == (state, state is OK)


def test_a_wiki_that_hangs_is_not_waited_for(folder: Path, wiki: PracticeWiki) -> None:
    def clock() -> datetime:
        return datetime.now(UTC)

    async def look(examiner: Examiner) -> list[Finding]:
        return [one async for found in examiner.findings(load(folder).wikis) for one in found]

    examiner = Examiner(wiki_opener(load(folder), clock), clock, {}, lambda _: False, patience=0.3)
    with wiki.suffering(Trouble.HANGING):
        (line,) = asyncio.run(look(examiner))
    assert (line.state, "no answer within 0.3 s" in line.what) == (UNKNOWN, True)
    assert line.remedy == f"doctor --wiki {WIKI}"
    assert examiner.unfinished


def test_a_mistake_of_ours_takes_only_its_own_line(folder: Path) -> None:
    def clock() -> datetime:
        return datetime.now(UTC)

    def open_nothing(_: WikiConfig) -> Examinable:
        raise RuntimeError("a secret, perhaps")

    async def look() -> list[Finding]:
        examiner = Examiner(open_nothing, clock, {}, lambda _: False)
        return [one async for found in examiner.findings(load(folder).wikis) for one in found]

    (line,) = asyncio.run(look())
    assert (line.state, "the check broke: RuntimeError at test_doctor_wikis.py" in line.what) == (
        UNKNOWN,
        True,
    )
    assert "secret" not in line.what


def test_secrets_that_systemd_has_given_to_the_unit(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path_factory.mktemp("credentials")
    for name in ("verp.keys", "bot.password"):
        (folder / name).rename(given / name)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")  # restored afterwards, whoever sets it
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert "No such file" in examined(folder)[1].what
    monkeypatch.setattr(doctor_command, "CREDENTIALS", given)
    (line,) = lines(folder)
    assert line.state is OK


def test_no_secret_is_ever_said(folder: Path, wiki: PracticeWiki) -> None:
    wiki.revoke_password()
    said = repr(examined(folder))
    assert PASSWORD not in said
