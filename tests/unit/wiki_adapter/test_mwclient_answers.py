"""What MwclientWiki makes of answers that no healthy wiki gives.

The server is real and its answers are written here. How wikis really answer is in tests/contract.
"""

from dataclasses import replace
from datetime import datetime

import pytest

from sidecar.domain.wiki import LoginThrottled, WikiError, WikiMisconfigured, WikiRefused, WikiUnavailable
from tests.unit.wiki_adapter.scripted_wiki import (
    ACTION,
    CSRF_TOKEN,
    LOGIN_TOKEN,
    PASSWORD,
    Wiki,
    access_to,
    failed,
    said,
    trouble,
)
from wiki_adapter.mwclient_wiki import MwclientWiki
from wiki_adapter.practice_http import Reply


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
