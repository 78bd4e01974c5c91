"""Lines to wikis: what is open, for how long, and how many calls may be under way."""

import asyncio
import threading
from datetime import datetime, timedelta

import pytest

from sidecar.domain.wiki import Outcome, Unconfirm
from sidecar.services.lines import IDLE, MOST, Lines, Way
from sidecar.services.places import ASIDE, CALLS, PROBATION, Places

from .house import T0, VillageWiki

SECOND = timedelta(seconds=1)


def owed(wiki: str) -> Unconfirm:
    return Unconfirm(wiki, 7, T0, "a test")


async def call(lines: Lines, wiki: str, now: datetime) -> Outcome:
    return await lines.call(wiki, lambda port: port.perform(owed(wiki)), lines.ways[wiki], now)


async def test_a_thousand_wikis_that_nobody_calls_are_not_opened_and_take_no_thread() -> None:
    opened: list[str] = []

    def opening(wiki: str) -> VillageWiki:
        opened.append(wiki)
        return VillageWiki()

    before = threading.active_count()
    lines = Lines({f"w{n}": Way(lambda n=n: opening(f"w{n}"), "all") for n in range(1000)})  # type: ignore[misc]
    assert (opened, threading.active_count() - before) == ([], 0)
    for wiki in ("w3", "w3", "w5"):
        await call(lines, wiki, T0)
    assert (opened, lines.opened) == (["w3", "w5"], 2)
    assert threading.active_count() - before <= 2
    lines.close()


async def test_what_is_idle_is_let_go_and_opened_again_when_it_is_called() -> None:
    wiki = VillageWiki()
    lines = Lines({"enwiki": Way(lambda: wiki, "one")})
    await call(lines, "enwiki", T0)
    await lines.let_go(T0 + IDLE)
    assert (lines.opened, wiki.closed) == (1, 0)
    await lines.let_go(T0 + IDLE + SECOND)
    assert (lines.opened, wiki.closed) == (0, 1)
    await call(lines, "enwiki", T0 + IDLE + SECOND)
    assert lines.opened == 1
    lines.close()
    assert wiki.closed == 2


async def test_no_more_than_some_are_kept_open_and_the_longest_unused_goes() -> None:
    wikis = {f"w{n}": VillageWiki() for n in range(MOST + 2)}
    lines = Lines({name: Way(lambda wiki=wiki: wiki, "all") for name, wiki in wikis.items()})  # type: ignore[misc]
    for name in wikis:
        await call(lines, name, T0)
    await call(lines, "w0", T0)
    await lines.let_go(T0)
    assert [name for name, wiki in wikis.items() if wiki.closed] == ["w1", "w2"]
    lines.close()


async def test_who_is_called_while_others_are_let_go_is_neither_closed_nor_missed() -> None:
    slow, wikis = threading.Event(), {name: VillageWiki() for name in ("first", "second")}
    lines = Lines({name: Way(lambda wiki=wiki: wiki, "all") for name, wiki in wikis.items()})  # type: ignore[misc]
    for name in wikis:
        await call(lines, name, T0)
    wikis["first"].close = lambda: slow.wait(30)  # type: ignore[assignment,method-assign]
    later = T0 + IDLE + SECOND
    letting_go = asyncio.create_task(lines.let_go(later))
    await asyncio.sleep(0)  # it has begun, and waits for the first
    await call(lines, "second", later)
    slow.set()
    await letting_go
    assert lines.opened == 1
    await call(lines, "second", later)
    lines.close()


async def test_other_settings_open_the_wiki_anew_and_the_same_ones_do_not() -> None:
    old, new = VillageWiki(), VillageWiki()
    lines = Lines({"enwiki": Way(lambda: old, "one", "its url")})
    await call(lines, "enwiki", T0)
    lines.use({"enwiki": Way(lambda: new, "one", "its url")})
    await call(lines, "enwiki", T0)
    assert (len(old.calls), len(new.calls)) == (2, 0)
    lines.use({"enwiki": Way(lambda: new, "another password", "its url")})
    await call(lines, "enwiki", T0)
    assert (old.closed, len(new.calls)) == (1, 1)
    lines.close()


async def test_a_wiki_that_cannot_be_opened_is_tried_again_at_the_next_call() -> None:
    wiki, moods = VillageWiki(), [ImportError("no such adapter")]

    def opening() -> VillageWiki:
        if moods:
            raise moods.pop()
        return wiki

    lines = Lines({"enwiki": Way(opening, "one")})
    with pytest.raises(ImportError):
        await call(lines, "enwiki", T0)
    await call(lines, "enwiki", T0)
    assert len(wiki.calls) == 1
    lines.close()


def test_a_call_that_lasts_gives_its_place_to_another_and_there_is_an_end_to_that() -> None:
    places = Places()
    for number in range(CALLS + ASIDE):
        assert places.free
        places.take(f"w{number}")
        if number >= CALLS - 1:
            assert not places.free
            places.step_aside(f"w{number - CALLS + 1}")
    assert not places.free
    places.leave("w0")
    assert places.free


def test_wikis_that_failed_the_last_time_have_a_few_places_only() -> None:
    places = Places()
    for number in range(PROBATION):
        assert not places.probation_full
        places.take(f"w{number}", on_probation=True)
        places.step_aside(f"w{number}")
    assert (places.probation_full, places.free) == (True, True)
    places.leave("w3")
    assert not places.probation_full


def test_a_call_that_ended_as_it_was_to_step_aside_leaves_nothing_behind() -> None:
    places = Places()
    places.take("enwiki")
    places.leave("enwiki")
    places.step_aside("enwiki")
    places.take("enwiki")
    assert places.prompt == {"enwiki"}
