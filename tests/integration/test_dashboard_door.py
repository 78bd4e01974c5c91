"""What every page says besides, what is no request of a page's, and how long anybody may take."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import html5lib
import pytest

from sidecar.domain.admission import Admission
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.gate import Gate
from sidecar.edges.dashboard.seals import Seals
from sidecar.edges.dashboard.server import DashboardServer
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.edges.http_listener import HttpLimits
from sidecar.telemetry import Door
from tests.integration.doors import PATIENCE
from tests.support.dashboard import BEARER, TOKEN, DashboardHouse, OpenDashboard
from tests.support.long_history import add_troubles, fill

PAGES = ("/", "/rates", "/login", "/nowhere")
CHARTS = tuple(f"/rates/{look}.svg" for look in ("failures", "actions", "categories", "providers"))
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


@pytest.fixture
async def full(opened: OpenDashboard) -> DashboardHouse:
    """With a history, and with troubles."""
    house = await opened()
    await house.database.write(lambda connection: fill(connection, 300, house.now))
    await house.database.write(lambda connection: add_troubles(connection, house.now))
    return house


async def raw(house: DashboardHouse, said: bytes) -> bytes:
    """What comes back until the door hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        writer.write(said)
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                return await reader.read()
        return b""
    finally:
        writer.close()


@pytest.mark.slow
async def test_every_answer_forbids_what_no_page_needs(full: DashboardHouse) -> None:
    for path in (*PAGES, *CHARTS, "/style.css", "/icon.svg"):
        said = await full.ask(path, headers=BEARER)
        policy = said.headers["Content-Security-Policy"]
        if path.endswith(".svg"):
            assert policy == (
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
            )
        else:
            assert policy == POLICY
        assert said.headers["X-Content-Type-Options"] == "nosniff"
        assert said.headers["X-Frame-Options"] == "DENY"
        assert said.headers["Referrer-Policy"] == "same-origin"
        assert said.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        kept = path in ("/style.css", "/icon.svg")
        assert ("immutable" in said.headers["Cache-Control"]) == kept
        assert ("no-store" in said.headers["Cache-Control"]) != kept


async def test_every_page_is_html_without_scripts_and_styles_of_its_own(full: DashboardHouse) -> None:
    for path in PAGES:
        text = (await full.ask(path, headers=BEARER if path != "/login" else None)).text
        html5lib.HTMLParser(strict=True).parse(text)
        assert re.findall(r"<script|<style|style=|\bon\w+=|https?://", text) == []
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        assert len(re.findall("<h1", text)) == 1
        assert '<html lang="en">' in text


@pytest.mark.slow
async def test_a_chart_is_an_image_without_scripts(full: DashboardHouse) -> None:
    for path in CHARTS:
        for query in ("", "?narrow", "?days=7&wiki=dewiki"):
            said = await full.ask(path + query, headers=BEARER)
            assert (said.status, said.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
            assert said.text.startswith("<svg ")
            assert re.findall(r"<script|xlink|href|onload|url\(|@import", said.text) == []
            assert "prefers-color-scheme: dark" in said.text


@pytest.mark.slow
async def test_what_the_wiki_said_is_no_markup(full: DashboardHouse) -> None:
    text = (await full.ask("/", headers=BEARER)).text
    assert "&lt;b&gt;make a new one&lt;/b&gt;" in text
    assert "<b>" not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    "query", ["days=0", "days=x&wiki=nowiki", "wiki=%3Cscript%3E", "days=7&days=30", "%ff"]
)
async def test_what_makes_no_sense_in_an_address_is_the_usual(full: DashboardHouse, query: str) -> None:
    said = await full.ask(f"/rates?{query}", headers=BEARER)
    assert said.status == 200
    assert "<script" not in said.text


@pytest.mark.slow
async def test_looking_changes_nothing_and_other_methods_are_none(full: DashboardHouse) -> None:
    head = await full.ask("/", "HEAD", headers=BEARER)
    assert (head.status, head.text) == (200, "")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        said = await full.ask("/", method, headers=BEARER)
        assert (said.status, said.headers["Allow"]) == (405, "GET, HEAD")
    assert (await full.ask("/logout", headers=BEARER)).status == 405


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (b"GET /<script> HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET //evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"303"),
    ],
)
async def test_garbage_gets_a_short_answer(opened: OpenDashboard, request_: bytes, status: bytes) -> None:
    house = await opened(limits=HttpLimits(idle=1.0))
    said = await raw(house, request_)
    assert said.split()[1] == status, said
    assert b"<script>" not in said
    assert (await house.ask("/login")).status == 200


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (FORM, b"token=" + b"a" * 9000, 413),
        (FORM, b"&".join(b"a%d=b" % n for n in range(30)), 400),
        (FORM, b"token=\xff\xfe", 400),
        ("multipart/form-data; boundary=x", b"--x--", 400),
        ("application/json", b'{"token": "x"}', 400),
        ("text/plain", b"token=x", 400),
        (FORM, b"", 200),
        (FORM, b"token=%00%ff", 403),
    ],
)
async def test_what_is_no_form_of_ours_is_not_read(
    opened: OpenDashboard, kind: str, body: bytes, status: int
) -> None:
    house = await opened()
    headers = {"Origin": house.url, "Content-Type": kind}
    assert (await house.ask("/login", "POST", data=body, headers=headers)).status == status


async def test_who_is_too_slow_is_hung_up_on(opened: OpenDashboard) -> None:
    house = await opened(limits=HttpLimits(idle=0.05, body=0.05))
    assert await raw(house, b"GET / HT") == b""
    host = house.url.removeprefix("http://").encode()
    head = b"POST /login HTTP/1.1\r\nHost: %b\r\nOrigin: http://%b\r\nContent-Type: %b\r\n"
    half = head % (host, host, FORM.encode()) + b"Content-Length: 99\r\n\r\nto"
    assert b" 408 " in await raw(house, half)


async def test_who_is_one_too_many_is_told_to_come_again(opened: OpenDashboard) -> None:
    house = await opened(limits=HttpLimits(connections=1))
    _, first = await asyncio.open_connection("127.0.0.1", house.port)
    first.write(b"GET /login HTTP/1.1\r\nHost: x\r\n")
    said = await raw(house, b"")
    assert said.startswith(b"HTTP/1.1 503 ")
    assert said.endswith(b"Too many connections, please try again\n")
    sample = house.metrics.registry.get_sample_value
    turned_away = {"door": "dashboard", "why": "connections"}
    assert sample("bounce_sidecar_temporary_failures_total", turned_away) == 1
    assert sample("bounce_sidecar_connections", {"door": "dashboard"}) == 1
    first.close()


class Deed:
    """A page that acts, behind a real door."""

    def __init__(self, house: DashboardHouse, *, actions: bool) -> None:
        self.house, self.done = house, []
        self.admission = Admission(TOKEN, b"k" * 32, ("127.0.0.0/8",), "X-Forwarded-User")
        seals = Seals(self.admission.session_key)
        self.desk = Desk("", seals, actions=actions)
        gate, pages = Gate(TOKEN, seals, self.admission.proxies), {}
        pages["/act"] = Page(self.act, ("GET", "POST"), name="Act", acts=True)
        self.desk.knows(pages)
        self.seals = seals
        door = Door(house.metrics, "act")
        self.server = DashboardServer(pages, gate, self.desk, lambda: house.now, self.admission, door)

    async def act(self, visit: Visit) -> Shown:
        if visit.form:
            self.done.append(str(visit.visitor))
        return await self.desk.show(
            visit, "message.html", words=f"token {self.seals.form(visit.visitor.bond, visit.now)}"
        )


@pytest.fixture
async def deed(opened: OpenDashboard, request: pytest.FixtureRequest) -> AsyncIterator[Deed]:
    made = Deed(await opened(), actions=getattr(request, "param", True))
    made.house.port = await made.server.listen("127.0.0.1", 0)
    yield made
    await made.server.close()


async def form_token(deed: Deed, **headers: str) -> str:
    said = await deed.house.ask("/act", headers={k.replace("_", "-"): v for k, v in headers.items()})
    return re.findall(r"<h1 [^>]*>token (\S+)</h1>", said.text)[0]


async def test_a_form_of_this_session_acts_and_tells_whose_it_was(deed: Deed) -> None:
    cookie = f"bounce_sidecar_session={deed.seals.session(deed.house.now)}"
    token = await form_token(deed, Cookie=cookie)
    assert (await deed.house.post("/act", {"form_token": token}, Cookie=cookie)).status == 200
    token = await form_token(deed, X_Forwarded_User="alice")
    assert (await deed.house.post("/act", {"form_token": token}, X_Forwarded_User="alice")).status == 200
    assert deed.done == ["dashboard token", "alice (dashboard)"]


async def test_a_form_of_somebody_else_or_of_yesterday_or_from_elsewhere_does_nothing(deed: Deed) -> None:
    house = deed.house
    mine, other = (f"bounce_sidecar_session={deed.seals.session(house.now)}" for _ in range(2))
    token = await form_token(deed, Cookie=mine)
    form = {"form_token": token}
    assert (await house.post("/act", form, Cookie=other)).status == 403
    assert (await house.post("/act", form, X_Forwarded_User="alice")).status == 403
    assert (await house.post("/act", form, Cookie=mine, Origin="https://evil.example")).status == 403
    assert (await house.post("/act", {"form_token": ""}, Cookie=mine)).status == 403
    assert (await house.post("/act", {"other": "x"}, Cookie=mine)).status == 403
    assert (await house.post("/act", form)).status == 401
    house.now += timedelta(hours=13)
    assert (await house.post("/act", form, Cookie=mine)).status == 401
    assert (await house.post("/act", form, X_Forwarded_User="alice")).status == 403
    assert deed.done == []


async def test_a_script_with_the_token_looks_and_does_nothing(deed: Deed) -> None:
    token = deed.seals.form("", deed.house.now)
    assert (await deed.house.post("/act", {"form_token": token}, **BEARER)).status == 403
    assert deed.done == []


@pytest.mark.parametrize("deed", [False], indirect=True)
async def test_where_acting_is_off_nothing_is_done(deed: Deed) -> None:
    token = await form_token(deed, X_Forwarded_User="alice")
    said = await deed.house.post("/act", {"form_token": token}, X_Forwarded_User="alice")
    assert said.status == 403
    assert "set [dashboard] actions = true" in said.text
    assert deed.done == []


async def test_closing_lets_an_answer_finish(opened: OpenDashboard) -> None:
    house = await opened(admission=replace(Admission(TOKEN, b"k" * 32), actions=True))
    asked = asyncio.ensure_future(house.ask("/rates", headers=BEARER))
    while not house.server._listener._requests:
        await asyncio.sleep(0)
    await house.server.close()
    assert (await asked).status == 200
