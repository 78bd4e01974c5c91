"""POST /sends: what another node has signed; all of it, or the reason why not."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sidecar.domain.send import Send
from sidecar.edges.http_sends import MOST, as_json
from sidecar.edges.notes_client import CannotTell, NotesClient
from tests.integration.http_house import BEARER, TOKEN, HttpHouse

Serve = Callable[..., Awaitable[HttpHouse]]
SENT = datetime(2026, 2, 20, 8, 30, 15, tzinfo=UTC)
MAIL = Send("enwiki", 7, SENT, "a1b2c3", "0123abcd")


async def test_what_one_node_tells_the_other_notes(serve_http: Serve) -> None:
    house = await serve_http()
    mails = [MAIL, Send("dewiki", 2**40, SENT, "ffffff", "0123abcd")]
    await NotesClient(house.url, TOKEN).tell(mails)
    assert house.noted == mails


async def test_no_address_crosses_the_wire() -> None:
    assert as_json([MAIL]) == {
        "sends": [{"wiki": "enwiki", "user": 7, "sent": 1771576215, "tag": "a1b2c3", "key": "0123abcd"}]
    }


async def test_without_the_token_nothing_is_noted(serve_http: Serve) -> None:
    house = await serve_http()
    with pytest.raises(CannotTell, match="status 401"):
        await NotesClient(house.url, "another" * 5).tell([MAIL])
    assert (await house.ask("/sends", json.dumps(as_json([MAIL])))).status == 401
    assert house.noted == []


async def test_a_node_that_is_away_is_told_so(serve_http: Serve) -> None:
    house = await serve_http()
    await house.server.close(grace=0.1)
    with pytest.raises(CannotTell, match="ClientConnectorError"):
        await NotesClient(house.url, TOKEN).tell([MAIL])


ONE: dict[str, Any] = as_json([MAIL])["sends"][0]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        [],
        {"sends": "many"},
        {"sends": [], "more": 1},
        {"sends": [ONE] * (MOST + 1)},
        {"sends": [7]},
        {"sends": [{**ONE, "address": "ann@remote.example"}]},
        {"sends": [{**ONE, "user": "7"}]},
        {"sends": [{**ONE, "user": True}]},
        {"sends": [{**ONE, "wiki": "x" * 65}]},
        {"sends": [{**ONE, "sent": 10**30}]},
        {"sends": [ONE, {**ONE, "tag": None}]},
    ],
    ids=str,
)
async def test_what_no_node_says_is_refused_whole(serve_http: Serve, body: Any) -> None:
    house = await serve_http()
    text = body if isinstance(body, str) else json.dumps(body)
    said = await house.ask("/sends", text, headers=BEARER)
    assert (said.status, house.noted) == (400, [])
    assert said.body["words"]
