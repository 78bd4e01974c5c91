"""Who comes into the dashboard: by token, by session, by a proxy; and who does not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from sidecar.domain.admission import Admission
from tests.support.dashboard import BEARER, TOKEN, DashboardHouse, OpenDashboard

HOUR = timedelta(hours=1)
PROXIED = Admission(TOKEN, b"k" * 32, ("127.0.0.0/8",), "X-Forwarded-User")


async def seen(house: DashboardHouse, **headers: str) -> bool:
    """Whether whoever says this sees the overview; else the login page."""
    said = await house.ask("/", headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert said.status in (200, 303)
    assert (said.status == 303) == ("/login" in said.headers.get("Location", ""))
    return said.status == 200


async def test_nobody_sees_anything_without_a_token(opened: OpenDashboard) -> None:
    house = await opened()
    assert not await seen(house)
    assert (await house.ask("/login")).status == 200


async def test_the_token_begins_a_session_that_leads_to_what_was_asked_for(opened: OpenDashboard) -> None:
    house = await opened()
    said = await house.post("/login", {"token": TOKEN, "to": "/"})
    assert (said.status, said.headers["Location"]) == (303, "/")
    assert await seen(house, Cookie=said.cookie)


async def test_the_cookie_is_for_these_pages_alone_and_for_no_script(opened: OpenDashboard) -> None:
    house = await opened()
    attributes = (await house.post("/login", {"token": TOKEN})).headers["Set-Cookie"].split("; ")[1:]
    assert attributes == ["Max-Age=43200", "Path=/", "HttpOnly", "SameSite=Strict"]
    url = "https://ops.example.org/bounces"
    proxied = await opened(admission=replace(PROXIED, public_url=url))
    said = await proxied.post("/bounces/login", {"token": TOKEN}, Origin="https://ops.example.org")
    assert said.headers["Set-Cookie"].split("; ")[2:] == [
        "Path=/bounces", "HttpOnly", "SameSite=Strict", "Secure",
    ]  # fmt: skip


async def test_a_session_ends_after_twelve_hours(opened: OpenDashboard) -> None:
    house = await opened()
    cookie = await house.login()
    house.now += 12 * HOUR - timedelta(seconds=1)
    assert await seen(house, Cookie=cookie)
    house.now += timedelta(seconds=2)
    assert not await seen(house, Cookie=cookie)


async def test_a_session_ends_with_the_logout_also_for_who_has_kept_the_cookie(opened: OpenDashboard) -> None:
    house = await opened()
    cookie, other = await house.login(), await house.login()
    said = await house.post("/logout", {}, Cookie=cookie)
    assert (said.status, said.headers["Location"]) == (303, "/login")
    assert "Max-Age=0" in said.headers["Set-Cookie"]
    assert not await seen(house, Cookie=cookie)
    assert await seen(house, Cookie=other)


async def test_a_session_ends_with_its_token_and_is_good_on_another_node_until_then(
    opened: OpenDashboard,
) -> None:
    first, second = await opened(), await opened()
    new = await opened(admission=Admission("another-token-of-some-length-9876", b"l" * 32))
    cookie = await first.login()
    assert [await seen(house, Cookie=cookie) for house in (first, second, new)] == [True, True, False]


@pytest.mark.parametrize(
    "cookie",
    [
        "bounce_sidecar_session=",
        "bounce_sidecar_session=AAAA",
        "bounce_sidecar_session=\xe9\xe9",
        "bounce_sidecar_session=" + "A" * 4000,
        'bounce_sidecar_session="unclosed',
        "=;;=;,;\\x00;bounce_sidecar_session",
        "a\tb=c; bounce_sidecar_session=gAAAAAB" + "_" * 100,
    ],
)
async def test_a_cookie_that_is_none_of_ours_is_none(opened: OpenDashboard, cookie: str) -> None:
    assert not await seen(await opened(), Cookie=cookie)


async def test_a_form_is_no_session(opened: OpenDashboard) -> None:
    house = await opened()
    seals, now = house.server._gate.seals, house.now
    assert not seals.is_session(seals.form("session", now), now)
    assert not seals.is_form(seals.session(now), "", now)


async def test_scripts_bring_the_token_as_a_bearer(opened: OpenDashboard) -> None:
    house = await opened()
    assert await seen(house, **BEARER)
    for wrong in ("Bearer wrong", "Bearer", f"Bearer {TOKEN}x", "Bearer \xe9"):
        said = await house.ask("/", headers={"Authorization": wrong})
        assert (said.status, said.headers["WWW-Authenticate"]) == (401, 'Bearer realm="bounce-sidecar"')
        house.now += timedelta(minutes=2)


async def test_a_password_for_the_web_server_in_front_is_nothing_to_us(opened: OpenDashboard) -> None:
    house = await opened()
    assert not await seen(house, Authorization="Basic eDp5")
    assert await seen(house, Authorization="Basic eDp5", Cookie=await house.login())


async def test_who_has_been_wrong_five_times_waits_a_minute_and_is_logged_no_more(
    opened: OpenDashboard,
) -> None:
    house = await opened()
    with capture_logs() as lines:
        wrong = [(await house.post("/login", {"token": "wrong"})).status for _ in range(7)]
    assert wrong == [403] * 5 + [429] * 2
    assert len(lines) == 5
    house.now += timedelta(seconds=61)
    assert (await house.post("/login", {"token": "wrong"})).status == 403


async def test_a_strangers_wrong_tokens_keep_nobody_out_who_comes_by_the_same_web_server(
    opened: OpenDashboard,
) -> None:
    house = await opened()
    for _ in range(10):
        await house.post("/login", {"token": "wrong"})
        assert (await house.ask("/", headers={"Authorization": "Bearer wrong"})).status == 401
    assert (await house.post("/login", {"token": TOKEN})).status == 303
    assert (await house.ask("/", headers=BEARER)).status == 200


async def test_a_trusted_proxy_says_who_it_is(opened: OpenDashboard) -> None:
    house = await opened(admission=PROXIED)
    said = await house.ask("/", headers={"X-Forwarded-User": "alice"})
    assert said.status == 200
    assert '<p class="who">alice</p>' in said.text


async def test_nobody_else_is_believed_and_no_proxy_that_is_unclear(opened: OpenDashboard) -> None:
    far = await opened(admission=replace(PROXIED, proxies=("192.0.2.7/32",)))
    assert not await seen(far, X_Forwarded_User="alice")
    near = await opened(admission=PROXIED)
    assert not await seen(near)
    for odd in ("", " ", "a" * 101, "a\tb", "\u202ex", "a\u00adb", "\u3000", "\ufeff"):
        assert not await seen(near, X_Forwarded_User=odd)
    twice = [("X-Forwarded-User", "alice"), ("X-Forwarded-User", "bob")]
    assert (await near.ask("/", headers=twice)).status == 303
    plain = await opened()
    assert not await seen(plain, X_Forwarded_User="alice")


async def test_without_a_token_nobody_has_the_right_one(opened: OpenDashboard) -> None:
    house = await opened(admission=replace(PROXIED, token=""))
    assert (await house.post("/login", {"token": ""})).status == 403
    assert (await house.ask("/", headers={"Authorization": "Bearer "})).status == 401
    assert "There is no token here" in (await house.ask("/login")).text


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "/login", "/\\evil", "/nowhere", "evil", "/\r\nX: y"]
)
async def test_a_login_leads_nowhere_else(opened: OpenDashboard, to: str) -> None:
    said = await (await opened()).post("/login", {"token": TOKEN, "to": to})
    assert (said.status, said.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
    ],
)
async def test_a_form_from_elsewhere_is_not_taken(opened: OpenDashboard, headers: dict[str, str]) -> None:
    house = await opened()
    said = await house.post("/login", {"token": TOKEN}, **headers)
    assert (said.status, said.cookie) == (403, "")
    assert "This form is not from our own page" in said.text


async def test_behind_a_web_server_the_public_address_is_the_origin(opened: OpenDashboard) -> None:
    house = await opened(admission=replace(PROXIED, public_url="https://ops.example.org:8443/b"))
    for origin, status in (("https://ops.example.org:8443", 303), (house.url, 403)):
        assert (await house.post("/b/login", {"token": TOKEN}, Origin=origin)).status == status
    assert (await house.ask("/")).status == 404
    assert (await house.ask("/bad/")).status == 404
    assert (await house.ask("/b/")).headers["Location"] == "/b/login?to=/"
    assert 'href="/b/style.css?' in (await house.ask("/b/login")).text
