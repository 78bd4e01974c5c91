"""Attacks on the dashboard's door: whoever is not let in, or lets a stranger's page speak for them."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.domain.admission import Admission
from sidecar.edges.http_listener import HttpLimits
from tests.integration.doors import PATIENCE
from tests.support.dashboard import BEARER, TOKEN, DashboardHouse
from tests.support.long_history import add_brake

PROXIED = Admission(
    TOKEN, b"k" * 32, ("127.0.0.0/8",), "X-Forwarded-User", True, "https://ops.example.org:8443"
)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DashboardHouse]:
    admission = getattr(request, "param", Admission(TOKEN, b"k" * 32, actions=True))
    house = await DashboardHouse(tmp_path, admission, limits=HttpLimits(idle=2.0)).open()
    yield house
    await house.close()


async def raw(house: DashboardHouse, said: bytes) -> bytes:
    """What comes back until the door hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    found = b""
    try:
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                writer.write(said)
                while more := await reader.read(65536):
                    found += more
    finally:
        writer.close()
    return found


def statuses(said: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"^HTTP/1\.[01] (\d+) ", said, re.MULTILINE)]


@pytest.mark.parametrize("house", [PROXIED], indirect=True)
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:8026", 421),  # a name of the attacker's, which DNS says is 127.0.0.1
        ("127.0.0.1.evil.example", 421),
        ("ops.example.org.evil.example", 421),
        ("ops.example.org@evil.example", 421),
        ("com.", 421),
        ("[evil.example", 421),
        ("127.0.0.1:8026", 200),  # nginx says where it sends a request
        ("[::1]:8026", 200),
        ("localhost:9", 200),
        ("bounces", 200),  # the name of an upstream
        ("OPS.example.org:8443", 200),
    ],
)
async def test_a_strangers_name_for_this_host_lets_nobody_say_who_they_are(
    house: DashboardHouse, host: str, status: int
) -> None:
    said = await house.ask("/", headers={"Host": host, "X-Forwarded-User": "alice"})
    assert said.status == status, said.text
    assert (status == 200) == ("alice" in said.text)


async def test_without_a_public_url_a_proxy_names_an_address(tmp_path: Path) -> None:
    house = await DashboardHouse(tmp_path, replace(PROXIED, public_url="")).open()
    try:
        for host, status in (("evil.example", 421), ("127.0.0.1:8026", 200)):
            said = await house.ask("/", headers={"Host": host, "X-Forwarded-User": "alice"})
            assert said.status == status
    finally:
        await house.close()


async def test_a_form_to_no_host_is_from_no_page_of_ours(house: DashboardHouse) -> None:
    """What this host calls itself is no answer: to ask for it may last, and hold up everybody's mail."""
    body = f"token={TOKEN}".encode()
    for origin in (socket.getfqdn(), "127.0.0.1", f"127.0.0.1:{house.port}", ""):
        said = await raw(
            house,
            f"POST /login HTTP/1.0\r\nOrigin: http://{origin}\r\nContent-Type: {FORM}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body,
        )
        assert statuses(said) == ["403"], (origin, said)
        assert b"Set-Cookie" not in said


HEAD = b"POST /login HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Type: " + FORM.encode() + b"\r\n"
SECOND = b"GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 0\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length: 0\nX: y\r\n\r\n",
    ],
)
async def test_a_request_whose_end_is_unclear_hides_no_other(house: DashboardHouse, lengths: bytes) -> None:
    said = await raw(house, HEAD + lengths + b"\r\n0\r\n\r\n" + SECOND)
    assert statuses(said)[0] == "400", said
    assert b"text/css" not in said


async def test_a_header_without_end_is_not_kept(house: DashboardHouse) -> None:
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(5000))
    assert statuses(await raw(house, b"GET /login HTTP/1.1\r\nHost: x\r\n" + flood)) == ["400"]


@pytest.mark.parametrize(
    "path",
    [b"/rates?\xff=user@example.org", b"http://user@example.org:99999/", b"/" + b"user@example.org" * 600],
)
async def test_what_cannot_be_read_is_not_quoted(house: DashboardHouse, path: bytes) -> None:
    said = await raw(house, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert statuses(said) == ["400"]
    assert said.endswith(b"\r\n\r\nBad Request")
    assert re.findall(rb"^Server: .*$", said, re.MULTILINE) == [b"Server: bounce-sidecar\r"]


@pytest.mark.parametrize(
    "path", ["//", "/.", "/./", "/%2e", "/RATES", "/rates/", "/rates%00", "/rates;x", "/%2frates", "/rates\\"]
)
async def test_a_page_has_one_address(house: DashboardHouse, path: str) -> None:
    said = await raw(
        house, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {BEARER['Authorization']}\r\n"
        "Connection: close\r\n\r\n".encode()
    )  # fmt: skip
    assert statuses(said)[0] in ("200", "400", "404"), said
    assert (statuses(said)[0] == "200") == (b"<h1" in said and b"There is nothing here" not in said)
    unknown = await raw(house, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert statuses(unknown)[0] in ("303", "400", "404")
    assert b"evil" not in unknown


@pytest.mark.parametrize(
    "query", ["to=/%0d%0aX:%20y", "to=//evil.example", "to=/rates%3f%0d%0aX:y", "to=/rates?\\evil", "to=%00"]
)
async def test_what_a_query_says_becomes_no_header_and_no_other_place(
    house: DashboardHouse, query: str
) -> None:
    for path in (f"/rates?{query}", f"/login?{query}"):
        said = await raw(house, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert statuses(said)[0] in ("200", "303", "400"), said
        assert b"\r\nX:" not in said
        where = re.findall(rb"^Location: (.*)\r$", said, re.MULTILINE)
        assert all(one.startswith(b"/login?to=/rates") for one in where)


async def test_no_way_but_a_posted_form_of_ours_lets_a_brake_go(house: DashboardHouse) -> None:
    await house.database.write(lambda connection: add_brake(connection, house.now))
    cookie = await house.login()
    page = await house.ask("/brakes", headers={"Cookie": cookie})
    [token] = set(re.findall('name="form_token" value="([^"]+)"', page.text))
    [brake] = set(re.findall('name="brake" value="([^"]+)"', page.text))
    form = {"form_token": token, "brake": brake, "way": "discard"}
    mine = {"Cookie": cookie, "Origin": house.url, "X-HTTP-Method-Override": "POST"}
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        await house.ask("/brakes", method, params=form | {"_method": "POST"}, headers=mine)
    for kind in (
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=b",
        "a/x-www-form-urlencoded",
    ):
        body = "&".join(f"{name}={value}" for name, value in form.items())
        said = await house.ask("/brakes", "POST", data=body, headers={**mine, "Content-Type": kind})
        assert said.status == 400, kind
    query = f"/brakes?form_token={token}"
    assert (await house.post(query, {"brake": brake, "way": "discard"}, Cookie=cookie)).status == 403
    for origin in ("null", "", f"{house.url}0", "http://127.0.0.1", "http://localhost", "http://x.127.0.0.1"):
        assert (await house.post("/brakes", form, Cookie=cookie, Origin=origin)).status == 403
    assert f"Discard what brake {brake}" in (await house.ask("/brakes", headers={"Cookie": cookie})).text
    assert (await house.post("/brakes", form, Cookie=cookie)).status == 303
