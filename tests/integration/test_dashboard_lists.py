"""The pages of the dashboard over a real history: what they say, and what they do not let happen."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import html5lib
import pytest

from sidecar.domain.admission import Admission
from sidecar.domain.wiki import Unconfirm, WikiUnavailable
from sidecar.services.circuit import Circuits, Pauses
from sidecar.storage import actions, brakes, canaries, ledger, outbox
from sidecar.storage.actions import State
from sidecar.storage.outbox import Because
from tests.support.dashboard import BEARER, T0, TOKEN, DashboardHouse, OpenDashboard, Said
from tests.unit.storage.rows import bounce, notice, owe

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVIL = "<script>alert(1)</script>\x1b[2J \u202e"
ACTING = Admission(TOKEN, b"k" * 32, actions=True)
EMPTY = {
    "/user": "<form",
    "/outbox": "<p>Nothing.</p>",
    "/aside": "<p>Nothing.</p>",
    "/brakes": "No brake holds anything",
    "/wikis": "2 wikis are known, 0 in trouble",
}


async def page(house: DashboardHouse, path: str) -> str:
    """The page, valid in a strict reader's eyes."""
    said = await house.ask(path, headers=BEARER)
    assert said.status == 200, said.text
    html5lib.HTMLParser(strict=True).parse(said.text)
    return said.text


@pytest.mark.parametrize("path", EMPTY)
async def test_a_page_of_an_empty_history_says_that_there_is_nothing(
    opened: OpenDashboard, path: str
) -> None:
    assert EMPTY[path] in await page(await opened(), path)


@pytest.mark.parametrize(
    "path", ["/user?wiki=enwiki&user=7", "/outbox", "/aside", "/aside/mail?id=1", "/brakes", "/wikis"]
)
async def test_a_page_that_cannot_be_made_says_why(opened: OpenDashboard, tmp_path: Path, path: str) -> None:
    house = await opened()
    (tmp_path / "history.db").unlink()
    (tmp_path / "history.db").mkdir()
    said = await house.ask(path, headers=BEARER)
    assert said.status == 503
    assert "The database" in said.text
    assert "db status" in said.text


async def test_the_story_of_a_user_is_there_with_its_outlook(opened: OpenDashboard) -> None:
    house = await opened()
    await house.database.write(lambda c: owe(c, now=T0 - DAY))
    text = await page(house, "/user?wiki=enwiki&user=7")
    assert "mail was sent and came back" in text
    assert "user-unknown, hard" in text
    assert "is waiting" in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("wiki=enwiki&user=abc", "A user is a number"),
        ("wiki=enwiki&user=99999999999999999999", "A user is a number"),
        ("wiki=nowiki&user=7", "Choose a wiki"),
        ("wiki=enwiki&user=8", "Nothing is known of user 8 of enwiki"),
    ],
)
async def test_who_is_not_found_is_told_so(opened: OpenDashboard, query: str, words: str) -> None:
    assert words in await page(await opened(), f"/user?{query}")


@pytest.mark.slow
async def test_the_lists_of_the_outbox_go_from_page_to_page(opened: OpenDashboard) -> None:
    house = await opened()

    def fill(connection: Any) -> None:
        for number in range(1, 121):
            owe(connection, user_id=number, now=T0 - DAY + timedelta(minutes=number))

    await house.database.write(fill)
    seen: list[int] = []
    path, pages = "/outbox", 0
    while path:
        text = await page(house, path)
        seen += [number for number in range(1, 121) if f'user={number}"' in text]
        pages += 1
        before = text.partition("&amp;before=")[2].partition('"')[0]
        path = f"/outbox?list=waiting&before={before}" if before else ""
    assert (sorted(seen), pages) == (list(range(1, 121)), 3)
    assert ">120<" in await page(house, "/outbox?list=done"), "how many wait is told with each list"


async def test_what_mails_and_wikis_say_does_nothing_in_a_page(opened: OpenDashboard) -> None:
    house = await opened()
    raw = f"Subject: {EVIL}\nX-A: =?utf-8?q?=3Cimg_src=3Dx=3E?=\n\n{EVIL}\n".encode()

    def fill(connection: Any) -> None:
        entry = replace(notice(1, T0 - DAY, aside=EVIL), raw=raw, domain=EVIL, return_path=EVIL)
        ledger.append(connection, entry)
        other = ledger.append(connection, notice(2, T0 - DAY))
        assert other is not None
        ledger.book(connection, other, replace(bounce(T0 - DAY), words=EVIL, domain=EVIL))
        asked = Unconfirm("enwiki", 7, T0 - DAY, EVIL)
        outbox.enqueue(connection, asked, Because([1], EVIL), T0 - DAY)
        brakes.trip(connection, EVIL, "", EVIL, T0 - DAY, since=T0 - DAY, hold_from=None)
        Circuits(Pauses()).failed(connection, "enwiki", "bot", WikiUnavailable(EVIL), T0 - HOUR)

    await house.database.write(fill)
    for path in (
        "/", "/aside", "/aside/mail?id=1", "/outbox", "/outbox?list=held", "/brakes",
        "/user?wiki=enwiki&user=7", "/wikis",
    ):  # fmt: skip
        text = await page(house, path)
        assert "<script" not in text, path
        assert "<img src=x" not in text, path
        assert not {"\x1b", "\u202e"} & set(text), path
    assert "alert(1)" in await page(house, "/aside/mail?id=1")


@pytest.mark.parametrize("query", ["", "?id=0", "?id=-1", "?id=2", "?id=x", "?id=9223372036854775808"])
async def test_a_mail_that_is_not_set_aside_is_not_shown(opened: OpenDashboard, query: str) -> None:
    house = await opened()
    await house.database.write(lambda c: ledger.append(c, notice(1)))
    assert (await house.ask(f"/aside/mail{query}", headers=BEARER)).status == 404
    assert (await house.ask("/aside/mail?id=1", headers=BEARER)).status == 404, "it was understood"


async def braked(house: DashboardHouse) -> int:
    def fill(connection: Any) -> int:
        owe(connection, now=T0 - DAY)
        found = brakes.trip(connection, "", "", "by hand", T0, since=T0 - 2 * DAY, hold_from=None)
        assert found is not None
        return found

    return await house.database.write(fill)


async def form_token(house: DashboardHouse, cookie: str) -> str:
    text = (await house.ask("/brakes", headers={"Cookie": cookie})).text
    return text.partition('name="form_token" value="')[2].partition('"')[0]


async def press(house: DashboardHouse, way: str, brake: int | str) -> Said:
    cookie = await house.login()
    form = {"form_token": await form_token(house, cookie), "way": way, "brake": str(brake)}
    return await house.post("/brakes", form, Cookie=cookie)


async def states(house: DashboardHouse) -> list[str]:
    return [one.state for one in await house.database.read(actions.entries)]


@pytest.mark.parametrize(
    ("way", "word", "state"),
    [("release", "released", State.WAITING), ("discard", "discarded", State.DISCARDED)],
)
async def test_a_brake_is_let_go_and_the_audit_says_by_whom(
    opened: OpenDashboard, way: str, word: str, state: State
) -> None:
    house = await opened(admission=ACTING)
    brake = await braked(house)
    said = await press(house, way, brake)
    assert (said.status, said.headers["Location"]) == (303, f"/brakes?gone={brake}")
    assert f"Brake {brake} was {word}." in await page(house, f"/brakes?gone={brake}")
    assert await states(house) == [state]
    events = await house.database.read(lambda c: actions.events_of_user(c, "enwiki", 7))
    assert f"by dashboard token: brake {brake}" in events[-1].detail


async def test_a_brake_that_does_not_hold_is_not_let_go_twice(opened: OpenDashboard) -> None:
    house = await opened(admission=ACTING)
    brake = await braked(house)
    cookie = await house.login()
    form = {"form_token": await form_token(house, cookie), "way": "release", "brake": str(brake)}
    assert [(await house.post("/brakes", form, Cookie=cookie)).status for _ in range(2)] == [303, 409]


@pytest.mark.parametrize(("way", "brake"), [("burn", "1"), ("release", "x"), ("release", "1" * 30), ("", "")])
async def test_a_form_of_somebody_elses_making_does_nothing(
    opened: OpenDashboard, way: str, brake: str
) -> None:
    house = await opened(admission=ACTING)
    await braked(house)
    assert (await press(house, way, brake)).status == 400
    assert await states(house) == [State.HELD]


@pytest.mark.parametrize(
    ("admission", "headers", "status"),
    [
        (Admission(TOKEN, b"k" * 32), {}, 403),
        (ACTING, {"Origin": "https://evil.example"}, 403),
        (ACTING, {"Sec_Fetch_Site": "cross-site"}, 403),
        (ACTING, {"Cookie": "bounce_sidecar_session=none"}, 401),
    ],
)
async def test_nothing_is_let_go_by_whom_it_is_not_for(
    opened: OpenDashboard, admission: Admission, headers: dict[str, str], status: int
) -> None:
    house = await opened(admission=admission)
    brake = await braked(house)
    cookie = await house.login()
    token = house.server._gate.seals.form(f"session {cookie.partition('=')[2]}", T0)
    form = {"way": "release", "brake": str(brake), "form_token": token}
    assert (await house.post("/brakes", form, **{"Cookie": cookie, **headers})).status == status
    assert await states(house) == [State.HELD]


async def test_the_form_of_another_session_does_nothing(opened: OpenDashboard) -> None:
    house = await opened(admission=ACTING)
    brake = await braked(house)
    mine, other = await house.login(), await house.login()
    form = {"form_token": await form_token(house, other), "way": "release", "brake": str(brake)}
    assert (await house.post("/brakes", form, Cookie=mine)).status == 403
    assert (await house.post("/brakes", form, Cookie=other)).status == 303


async def test_a_dashboard_that_only_shows_offers_no_button(opened: OpenDashboard) -> None:
    house = await opened()
    brake = await braked(house)
    text = (await house.ask("/brakes", headers={"Cookie": await house.login()})).text
    assert "<button name" not in text
    assert f"brake release {brake}" in text


async def test_wikis_in_trouble_come_first_and_can_be_chosen(opened: OpenDashboard) -> None:
    house = await opened(wikis=("aawiki", "bbwiki", "zzwiki"))
    error = WikiUnavailable("HTTP 503")
    await house.database.write(lambda c: Circuits(Pauses()).failed(c, "zzwiki", "bot", error, T0 - HOUR))
    text = await page(house, "/wikis")
    assert text.index(">zzwiki<") < text.index(">aawiki<")
    assert "3 wikis are known, 1 in trouble" in text
    assert "aawiki" not in await page(house, "/wikis?only=trouble")
    assert "zzwiki" not in await page(house, "/wikis?name=BB")
    house.now = T0 + DAY
    assert "3 wikis are known, 0 in trouble" in await page(house, "/wikis"), "nobody has called it since"


@pytest.mark.slow
async def test_whether_a_canary_is_sent_is_said_whatever_was_sent_by_hand(opened: OpenDashboard) -> None:
    assert "none was sent yet" in await page(await opened(), "/")
    off = await opened(canary_every=None)
    assert "no bounce is sent to ourselves" in await page(off, "/")

    def by_hand(connection: Any) -> None:
        entered = canaries.enter(connection, "mx1", "canary-0-1", T0 - HOUR)
        assert entered
        canaries.settle(connection, entered, "Connection refused")

    await off.database.write(by_hand)
    text = await page(off, "/")
    assert "no bounce is sent to ourselves" in text
    assert "did not" not in text
