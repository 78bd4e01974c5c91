"""What MwclientWiki sends: the login, the action, and when it is sent again.

The server is real and its answers are written here. How wikis really answer is in tests/contract.
"""

import re

import pytest

from sidecar.domain.wiki import Effect, LoginRefused, WikiUnavailable
from tests.unit.wiki_adapter.scripted_wiki import (
    ACTION,
    CSRF_TOKEN,
    LOGIN,
    LOGIN_TOKEN,
    PASSWORD,
    Wiki,
    access_to,
    failed,
    said,
    trouble,
)
from wiki_adapter import open_wiki
from wiki_adapter.emailbounce import parameters
from wiki_adapter.mwclient_wiki import MwclientWiki
from wiki_adapter.practice_http import Reply


def test_nothing_is_sent_before_the_first_action(wiki: Wiki, client: MwclientWiki) -> None:
    assert wiki.heard == []
    client.perform(ACTION)
    client.perform(ACTION)
    assert wiki.steps == [*LOGIN, "emailbounce", "emailbounce"]


def test_the_login_is_ours(wiki: Wiki, client: MwclientWiki) -> None:
    client.perform(ACTION)
    login = wiki.heard[1]
    assert (login.method, login.path) == ("POST", "/w/api.php")
    assert login.parameters == {
        "action": "login",
        "errorformat": "raw",
        "format": "json",
        "formatversion": "2",
        "lgname": "BounceBot@sidecar",
        "lgpassword": PASSWORD,
        "lgtoken": LOGIN_TOKEN,
    }


def test_the_action_says_who_asks_and_steps_back_when_the_wiki_lags(wiki: Wiki, client: MwclientWiki) -> None:
    client.perform(ACTION)
    act = wiki.heard[-1]
    assert act.method == "POST"
    assert act.parameters == {
        "action": "emailbounce",
        **{name: str(value) for name, value in parameters(ACTION).items()},
        "token": CSRF_TOKEN,
        "assertuser": "BounceBot",
        "maxlag": "5",
        "format": "json",
        "formatversion": "2",
    }


def test_the_user_agent_names_us_and_whom_to_ask(wiki: Wiki, client: MwclientWiki) -> None:
    client.perform(ACTION)
    wanted = re.compile(r"bounce-sidecar/\d+\.\d+\S* \(ops@wiki\.example\.org\)( .*)?")
    assert all(wanted.fullmatch(request.user_agent) for request in wiki.heard)


def test_the_door_opens_this_adapter(wiki: Wiki) -> None:
    assert open_wiki(access_to(wiki)).perform(ACTION).effect is Effect.ALREADY


def test_a_url_without_a_folder_is_one_too(wiki: Wiki) -> None:
    MwclientWiki(access_to(wiki, api_url=wiki.server.url + "/api.php")).perform(ACTION)
    assert {request.path for request in wiki.heard} == {"/api.php"}


@pytest.mark.parametrize("code", ["badtoken", "assertuserfailed", "assertnameduserfailed"])
def test_a_lost_login_is_renewed_once(
    wiki: Wiki, client: MwclientWiki, slept: list[float], code: str
) -> None:
    client.perform(ACTION)
    wiki.says["emailbounce"].insert(0, failed(code))
    assert client.perform(ACTION).effect is Effect.ALREADY
    assert wiki.steps == [*LOGIN, "emailbounce", "emailbounce", *LOGIN, "emailbounce"]
    assert slept == []


def test_a_login_that_does_not_hold_is_not_renewed_for_ever(wiki: Wiki, client: MwclientWiki) -> None:
    client.perform(ACTION)
    wiki.says["emailbounce"] = [failed("badtoken", "Invalid CSRF token.")]
    wiki.heard.clear()
    assert trouble(client, WikiUnavailable) == "badtoken: Invalid CSRF token."
    assert wiki.steps == ["emailbounce", *LOGIN, "emailbounce"]


def test_an_interrupted_login_begins_again(wiki: Wiki, client: MwclientWiki, slept: list[float]) -> None:
    wiki.says["csrf token"].insert(0, Reply("<html>", 502))
    assert client.perform(ACTION).effect is Effect.ALREADY
    assert wiki.steps == [*LOGIN, *LOGIN, "emailbounce"]
    assert len(slept) == 1


def test_the_password_is_sent_once_when_it_is_wrong(
    wiki: Wiki, client: MwclientWiki, slept: list[float]
) -> None:
    wiki.says["login"] = [said(login={"result": "Failed", "reason": {"code": "wrongpassword", "params": []}})]
    assert "BotPasswords" in trouble(client, LoginRefused)
    assert wiki.steps == ["login token", "login"]
    assert slept == []


def test_seconds_of_patience_end(wiki: Wiki, client: MwclientWiki, slept: list[float]) -> None:
    wiki.says["emailbounce"] = [failed("readonly", "Backup.")]
    assert trouble(client, WikiUnavailable) == "readonly: Backup."
    assert wiki.steps == [*LOGIN, *["emailbounce"] * 3]
    assert 0.5 < sum(slept) < 4.0
    assert len(slept) == 2


@pytest.mark.parametrize(("retry_after", "attempts"), [("1", 3), ("2", 3), ("3", 1), ("86400", 1)])
def test_a_wait_that_the_wiki_asks_for_is_granted_if_short(
    wiki: Wiki, client: MwclientWiki, slept: list[float], retry_after: str, attempts: int
) -> None:
    wiki.says["emailbounce"] = [Reply("", 503, {"Retry-After": retry_after})]
    assert trouble(client, WikiUnavailable) == "HTTP 503"
    assert wiki.steps.count("emailbounce") == attempts
    assert all(pause >= float(retry_after) for pause in slept)
