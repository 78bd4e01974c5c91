"""A wiki that answers as told, and what the tests of the adapter ask of it.

Knows the steps of a conversation. Does not know what is expected.
"""

import json
from datetime import UTC, datetime

import pytest

from sidecar.domain.wiki import Unconfirm, WikiError
from tests.support.leaks import secret
from wiki_adapter import BotPassword, WikiAccess
from wiki_adapter.mwclient_wiki import MwclientWiki
from wiki_adapter.practice_http import PracticeServer, Reply, Request

PASSWORD = secret("0123456789abcdefghijklmnopqrstuv")
ACTION = Unconfirm("testwiki", 5, datetime(2026, 3, 20, 8, 30, 15, 999_999, tzinfo=UTC), "3 hard bounces")
LOGIN_TOKEN, CSRF_TOKEN = "login+\\", "csrf+\\"


def said(**answer: object) -> Reply:
    return Reply(json.dumps(answer))


def failed(code: str, info: str = "") -> Reply:
    return said(error={"code": code, "info": info})


class Wiki:
    """A server that answers as told: ``says[module]``, the last one again and again."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.says: dict[str, list[Reply]] = {
            "login token": [said(query={"tokens": {"logintoken": LOGIN_TOKEN}})],
            "login": [said(login={"result": "Success"})],
            "csrf token": [said(query={"tokens": {"csrftoken": CSRF_TOKEN}})],
            "emailbounce": [said(emailbounce={"result": "already"})],
        }
        self.server = PracticeServer(self.answer)

    def answer(self, request: Request) -> Reply:
        self.heard.append(request)
        replies = self.says[step(request)]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    @property
    def steps(self) -> list[str]:
        return [step(request) for request in self.heard]


def step(request: Request) -> str:
    action = request.parameters["action"]
    return f"{request.parameters['type']} token" if action == "query" else action


LOGIN = ["login token", "login", "csrf token"]


def access_to(wiki: Wiki, *, api_url: str = "") -> WikiAccess:
    url = api_url or wiki.server.url + "/w/api.php"
    return WikiAccess(url, BotPassword("BounceBot@sidecar", PASSWORD), contact="ops@wiki.example.org")


def trouble(client: MwclientWiki, kind: type[WikiError]) -> str:
    with pytest.raises(WikiError) as caught:
        client.perform(ACTION)
    assert type(caught.value) is kind
    assert caught.value.__context__ is None
    return str(caught.value)
