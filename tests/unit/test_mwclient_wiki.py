"""What MwclientWiki sends, and what it makes of answers that no healthy wiki gives.

The server is real and its answers are written here. How wikis really answer is in tests/contract.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sidecar.domain.wiki import (
    Effect,
    LoginRefused,
    LoginThrottled,
    Unconfirm,
    WikiError,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)
from tests.support.leaks import secret
from wiki_adapter import BotPassword, WikiAccess, open_wiki
from wiki_adapter.emailbounce import parameters
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


@pytest.fixture
def wiki() -> Iterator[Wiki]:
    wiki = Wiki()
    yield wiki
    wiki.server.close()


def access_to(wiki: Wiki, *, api_url: str = "") -> WikiAccess:
    url = api_url or wiki.server.url + "/w/api.php"
    return WikiAccess(url, BotPassword("BounceBot@sidecar", PASSWORD), contact="ops@wiki.example.org")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(wiki: Wiki, slept: list[float]) -> MwclientWiki:
    return MwclientWiki(access_to(wiki), sleep=slept.append)


def trouble(client: MwclientWiki, kind: type[WikiError]) -> str:
    with pytest.raises(WikiError) as caught:
        client.perform(ACTION)
    assert type(caught.value) is kind
    assert caught.value.__context__ is None
    return str(caught.value)


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


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(wiki: Wiki, client: MwclientWiki, status: int) -> None:
    wiki.says["login"] = [Reply("", status, {"Location": wiki.server.url + "/elsewhere/api.php"})]
    assert "final URL" in trouble(client, WikiMisconfigured)
    assert {request.path for request in wiki.heard} == {"/w/api.php"}


@pytest.mark.parametrize(
    ("at", "reply", "kind"),
    [
        ("emailbounce", said(batchcomplete=True), WikiMisconfigured),
        ("emailbounce", said(emailbounce="done"), WikiMisconfigured),
        ("emailbounce", said(emailbounce={"result": "burnt"}), WikiMisconfigured),
        ("emailbounce", said(emailbounce={"result": "protected", "group": "x" * 300}), WikiMisconfigured),
        ("emailbounce", said(emailbounce={"result": "protected", "group": "\x1b[2J"}), WikiMisconfigured),
        ("emailbounce", said(emailbounce={"result": "already", "fingerprint": [1]}), WikiMisconfigured),
        ("emailbounce", said(emailbounce={}), WikiMisconfigured),
        ("emailbounce", said(emailbounce={"result": "changed", "confirmed": "yesterday"}), WikiMisconfigured),
        (
            "emailbounce",
            said(emailbounce={"result": "changed", "confirmed": "2026-03-01 12:00"}),
            WikiMisconfigured,
        ),
        ("emailbounce", said(emailbounce={"result": "changed", "confirmed": 20260301}), WikiMisconfigured),
        ("emailbounce", said(error={"code": "unheard-of"}), WikiUnavailable),
        ("emailbounce", Reply("[]"), WikiUnavailable),
        ("emailbounce", Reply("null"), WikiUnavailable),
        ("emailbounce", Reply(""), WikiUnavailable),
        ("emailbounce", Reply("<html>Welcome"), WikiUnavailable),
        ("emailbounce", Reply("[" * 100_000), WikiUnavailable),
        ("emailbounce", Reply("", 204), WikiUnavailable),
        ("emailbounce", Reply("", headers={"X-Database-Lag": "9"}), WikiUnavailable),
        ("login token", said(query={"tokens": {}}), WikiMisconfigured),
        ("login token", said(query={}), WikiMisconfigured),
        ("login token", said(batchcomplete=True), WikiMisconfigured),
        ("login", said(login={}), WikiUnavailable),
        ("login", said(errors=[{"code": "readonly", "key": "readonlytext"}]), WikiUnavailable),
        ("csrf token", said(query={"tokens": {"csrftoken": None}}), WikiMisconfigured),
    ],
)
def test_an_answer_of_another_kind_is_an_error_of_ours(
    wiki: Wiki, client: MwclientWiki, at: str, reply: Reply, kind: type[WikiError]
) -> None:
    wiki.says[at] = [reply]
    trouble(client, kind)


def test_a_time_without_a_zone_is_never_sent(wiki: Wiki, client: MwclientWiki) -> None:
    with pytest.raises(WikiRefused, match="time zone"):
        client.perform(replace(ACTION, confirmed_before=datetime(2026, 3, 20)))
    assert "emailbounce" not in wiki.steps


def test_a_wiki_that_repeats_our_secrets_does_not_spread_them(wiki: Wiki, client: MwclientWiki) -> None:
    wiki.says["emailbounce"] = [failed("unheard-of", f"{PASSWORD} {CSRF_TOKEN} nora@mail.example.org")]
    assert trouble(client, WikiUnavailable) == "unheard-of: <secret> <secret> <address>"


def test_nor_does_one_that_repeats_them_in_a_code_a_login_or_a_group(
    wiki: Wiki, client: MwclientWiki
) -> None:
    wiki.says["emailbounce"] = [
        said(emailbounce={"result": "protected", "group": PASSWORD}),
        failed(PASSWORD),
    ]
    assert client.perform(ACTION).group == "<secret>"
    assert trouble(client, WikiUnavailable) == "<secret>:"
    wiki.says["emailbounce"] = [failed("badtoken")]
    wiki.says["login"] = [said(login={"result": "Failed", "reason": {"code": LOGIN_TOKEN + PASSWORD}})]
    assert trouble(client, WikiUnavailable) == "login: <secret><secret>"


def test_a_wait_that_cannot_be_waited_is_none(wiki: Wiki, client: MwclientWiki) -> None:
    reason = {"code": "login-throttled", "params": [{"duration": -(10**17)}]}
    wiki.says["login"] = [said(login={"result": "Failed", "reason": reason})]
    with pytest.raises(LoginThrottled) as caught:
        client.perform(ACTION)
    assert caught.value.retry_after == 0.0


def test_the_outbox_has_the_word_and_the_library_is_silent(
    wiki: Wiki, client: MwclientWiki, caplog: pytest.LogCaptureFixture
) -> None:
    wiki.says["login token"] = [Reply("<html>A long page", 503)]
    trouble(client, WikiUnavailable)
    wiki.server.close()
    trouble(client, WikiUnavailable)
    assert [record for record in caplog.records if record.name.startswith("mwclient")] == []


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://127.0.0.1/w/api.php", WikiMisconfigured),
        ("http:///w/api.php", WikiMisconfigured),
        ("wiki.example.org/w/api.php", WikiMisconfigured),
        ("http://" + "a" * 70 + ".invalid/w/api.php", WikiUnavailable),  # unforeseen
    ],
)
def test_what_is_no_url_ends_like_any_other_trouble(wiki: Wiki, url: str, kind: type[WikiError]) -> None:
    trouble(MwclientWiki(access_to(wiki, api_url=url), sleep=lambda _seconds: None), kind)
