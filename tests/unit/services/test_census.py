"""Looking at a farm's sitematrix: when, and what becomes of the answer. A practice farm over HTTP."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from sidecar.configuration.configured import FarmConfig
from sidecar.domain.census import Census
from sidecar.edges import census_file
from sidecar.edges.sitematrix_look import look_at, shelf_at
from sidecar.host import load_config
from sidecar.services.census import FIRST_RETRY, LONGEST_RETRY, RECENT, CensusTaker, NotTaken
from tests.support.practice import PASSWORD, configured
from wiki_adapter.practice_farm import PracticeFarm
from wiki_adapter.practice_http import Reply, page

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass
class Desk:
    """A census taker with a clock of its own, and what it told."""

    farm: PracticeFarm
    settings: FarmConfig
    path: Path
    now: datetime = T0
    told: list[str] = field(default_factory=list)
    jitter: float = 0.0

    def taker(self) -> CensusTaker:
        look = look_at(self.settings.sitematrix, "ops@example.org", 10 * DAY, self.settings.refresh)
        shelf = shelf_at(self.settings.cache)
        return CensusTaker(
            look, shelf, lambda: self.now, lambda: self.jitter, lambda: self.told.append("changed")
        )

    def known(self) -> Census:
        found = census_file.load(Path(self.settings.cache))
        assert found
        return found


@pytest.fixture
def farm() -> Iterator[PracticeFarm]:
    with PracticeFarm([f"w{number}wiki" for number in range(30)]) as farm:
        yield farm


@pytest.fixture
def desk(farm: PracticeFarm, tmp_path: Path) -> Desk:
    path = configured(tmp_path)
    (tmp_path / "farm.password").touch(0o600)
    (tmp_path / "farm.password").write_text(PASSWORD)
    path.write_text(
        path.read_text()
        + f"""
[farm]
sitematrix = "{farm.matrix_url}"
account = "BounceBot@sidecar"
password_file = "farm.password"
cache = "{tmp_path}/sitematrix.json"
"""
    )
    settings = load_config(path).farm
    assert settings
    return Desk(farm, settings, path)


async def test_the_first_look_is_at_once_and_what_is_found_is_taken_by_whoever_reads_the_configuration(
    desk: Desk,
) -> None:
    taker = desk.taker()
    assert await taker.first_wait() == timedelta(0)
    assert await taker.step() == DAY
    taker.close()
    assert (desk.told, len(desk.known().present)) == (["changed"], 30)
    config = load_config(desk.path)
    assert [wiki.id for wiki in config.wikis] == ["enwiki", *desk.farm.names]
    assert config.wikis[1].api == desk.farm.api_url("w0wiki")


async def test_a_restart_does_not_ask_again_what_was_asked_just_now(desk: Desk) -> None:
    await desk.taker().step()
    for age, wait in ((MINUTE, DAY - MINUTE), (RECENT, timedelta(0)), (-MINUTE, timedelta(0))):
        desk.now = T0 + age
        assert await desk.taker().first_wait() == wait
    Path(desk.settings.cache).write_text("{}")
    assert await desk.taker().first_wait() == timedelta(0)


async def test_a_look_that_shows_nothing_new_changes_nothing_and_nodes_drift_apart(desk: Desk) -> None:
    taker = desk.taker()
    await taker.step()
    desk.now, desk.jitter = T0 + DAY, 0.5
    assert await taker.step() == 0.95 * DAY
    assert (desk.told, desk.known().fetched) == (["changed"], T0 + DAY)
    desk.farm.names.append("newwiki")
    await taker.step()
    assert desk.told == ["changed", "changed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("says", "why"),
    [
        (page(200, "Welcome"), "the answer is not JSON"),
        (page(503, "Service Unavailable"), "127.0.0.1: status 503"),
        (page(301, "Moved", Location="https://elsewhere.example/"), "127.0.0.1: status 301"),
        (Reply('{"error": {"code": "badvalue", "info": "no"}}'), "the wiki answers badvalue: no"),
        (Reply("[1]"), "not of MediaWiki's API"),
        (Reply('{"sitematrix": {"0": {"site": []}}}'), "there is no wiki in it"),
        (Reply("x" * (8 * 2**20 + 1)), "more than 8388608 octets"),
    ],
    ids=["HTML", "503", "redirect", "error", "JSON of another", "empty", "endless"],
)
async def test_an_answer_that_is_none_is_told_and_what_was_known_holds(
    desk: Desk, says: Reply, why: str
) -> None:
    taker = desk.taker()
    await taker.step()
    before = desk.known()
    desk.farm.matrix_says = says
    with structlog.testing.capture_logs() as lines:
        waits = [await taker.step() for _ in range(9)]
    assert waits[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert waits[-1] == LONGEST_RETRY
    assert {line["event"] for line in lines} == {"sitematrix not used"}
    assert all(why in line["why"] for line in lines)
    assert (desk.known(), desk.told) == (before, ["changed"])
    desk.farm.matrix_says = None
    assert [await taker.step(), await taker.step()] == [DAY, DAY]
    desk.farm.matrix_says = says
    assert await taker.step() == FIRST_RETRY, "from the beginning"


async def test_nobody_there_is_told(desk: Desk) -> None:
    desk.farm.close()
    with pytest.raises(NotTaken, match=r"^http://127.0.0.1:\d+/w/api.php: "):
        await desk.taker().round()


async def test_a_matrix_that_has_lost_its_wikis_is_not_believed_until_an_operator_says_so(desk: Desk) -> None:
    taker = desk.taker()
    await taker.step()
    del desk.farm.names[10:]
    with pytest.raises(NotTaken, match=r"20 of 30 wikis are gone .* say `wikis refresh --believe`$"):
        await taker.round()
    assert len(desk.known().present) == 30
    await taker.round(believe=True)
    assert (len(desk.known().present), len(desk.known().wikis)) == (10, 30)


async def test_a_cache_that_cannot_be_written_is_told_and_one_that_cannot_be_read_is_made_anew(
    desk: Desk, farm: PracticeFarm
) -> None:
    cache = Path(desk.settings.cache)
    cache.mkdir()
    with pytest.raises(NotTaken, match="the cache cannot be written: "):
        await desk.taker().round()
    assert [path.name for path in cache.parent.glob(".sitematrix*")] == []
    cache.rmdir()
    cache.write_text('{"version": 1')
    assert load_config(desk.path).farm
    await desk.taker().round()
    assert len(desk.known().present) == 30
    assert cache.stat().st_mode & 0o777 == 0o644


async def test_who_asks_says_who_it_is_and_asks_for_no_more_than_it_needs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []
    answer: Callable[..., Reply] = desk.farm.answer

    def listening(request: object) -> Reply:
        asked.append({"agent": request.user_agent, **request.parameters})  # type: ignore[attr-defined]
        return answer(request)

    monkeypatch.setattr(desk.farm.server, "answer", listening)
    await desk.taker().round()
    [request] = asked
    assert re.fullmatch(r"bounce-sidecar/\S+ \(ops@example.org\)", request["agent"])
    assert (request["action"], request["smsiteprop"]) == ("sitematrix", "url|dbname")
