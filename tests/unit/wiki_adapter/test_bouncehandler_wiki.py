"""What gate mode sends, and what it makes of the answers. How BounceHandler answers is in tests/contract.

The server is real and its answers are written here; the composition is the daemon's.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest

from sidecar.domain import notice
from sidecar.domain.access import Adapter
from sidecar.domain.wiki import (
    Effect,
    Outcome,
    Unconfirm,
    Wiki,
    WikiError,
    WikiMisconfigured,
    WikiUnavailable,
)
from sidecar.wiki_opener import wiki_opener
from tests.support.practice import KEY, configured, load
from wiki_adapter import OAuth2, WikiAccess
from wiki_adapter.bouncehandler_wiki import BounceHandlerWiki, report
from wiki_adapter.practice_http import PracticeServer, Reply, Request

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SENT = NOW - timedelta(days=20)
ACTION = Unconfirm("enwiki", 4711, SENT, "3 hard bounces in 9 days: 5.1.1 user unknown")
RETURN_PATH = "wiki-enwiki-3mv-tq8x34-AbC/dEf+0123GhIj@bounces.example.org"

GATE = """\
[verp.bouncehandler]
secret_file = "php.secret"
algorithm = "sha256"
domain = "bounces.wiki.example.org"
"""


class Gate:
    """A server that answers as told, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.says: object = {"bouncehandler": {"submitted": "job"}}
        self.server = PracticeServer(self.answer)

    def answer(self, request: Request) -> Reply:
        self.heard.append(request)
        return Reply(json.dumps(self.says))


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.server.close()


@pytest.fixture
def wiki(gate: Gate, tmp_path: Path) -> Wiki:
    """As the daemon opens it, three weeks after the mail that counted."""
    path = configured(tmp_path, api=f"{gate.server.url}/w/api.php")
    (tmp_path / "php.secret").touch(0o600)
    (tmp_path / "php.secret").write_text(KEY[::-1])
    text = path.read_text().replace('account = "BounceBot@sidecar"\npassword_file = "bot.password"\n', "")
    path.write_text(text.replace("[sockets]", GATE + "[sockets]") + 'adapter = "bouncehandler"\n')
    config = load(tmp_path)
    return wiki_opener(config, lambda: NOW)(config.wikis[0])


def test_one_request_without_a_login(gate: Gate, wiki: Wiki) -> None:
    assert wiki.perform(ACTION) == Outcome(Effect.SUBMITTED)
    [asked] = gate.heard
    assert (asked.method, asked.path, asked.cookie, asked.authorization) == ("POST", "/w/api.php", "", "")
    assert {name for name in asked.parameters if name != "email"} == {
        "action",
        "format",
        "formatversion",
        "maxlag",
    }


def test_the_return_path_is_signed_anew_for_a_mail_that_is_too_old_for_bouncehandler(
    gate: Gate, wiki: Wiki, tmp_path: Path
) -> None:
    """Its $wgVERPAcceptTime is 3 days; the mail that counted is 20 days old."""
    wiki.perform(ACTION)
    mail = message_from_string(gate.heard[0].parameters["email"], policy=policy.default)
    token = load(tmp_path).verp.recognise(str(mail["To"]), NOW)
    assert (token.wiki, token.user_id, token.sent, token.key_id) == ("enwiki", 4711, NOW, "bouncehandler")


def test_the_report_is_one_by_our_own_reading() -> None:
    read = notice.read(report(RETURN_PATH, ACTION.reason, NOW).encode())
    assert read.kind is notice.Kind.BOUNCE
    assert [(str(one.action), str(one.status)) for one in read.reports] == [("failed", "5.1.1")]


def test_a_reason_cannot_add_a_field_or_a_part() -> None:
    evil = "x\r\nTo: wiki-other@y.example\r\n\r\n--the-sidecar-has-decided\r\nStatus: 4.0.0\r\n\u2028ü"
    mail = report(RETURN_PATH, evil, NOW)
    lines = mail.split("\r\n")
    assert [line for line in lines if line.startswith(("To:", "Status:"))] == [
        f"To: {RETURN_PATH}",
        "Status: 5.1.1",
    ]
    assert lines.count("--the-sidecar-has-decided") == 2
    assert mail.isascii()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ({"bouncehandler": {"submitted": "failure"}}, WikiMisconfigured, "compare [verp.bouncehandler]"),
        ({"bouncehandler": {"submitted": "perhaps"}}, WikiMisconfigured, "neither job nor failure"),
        ({"bouncehandler": {}}, WikiMisconfigured, "neither job nor failure"),
        ({"bouncehandler": "job"}, WikiMisconfigured, "cannot read"),
        (
            {"error": {"code": "invalid-ip", "info": "Only internal."}},
            WikiMisconfigured,
            "$wgBounceHandlerInternalIPs",
        ),
        (
            {"error": {"code": "badvalue", "info": "Unrecognized."}},
            WikiMisconfigured,
            "extension BounceHandler",
        ),
        ({"error": {"code": "readonly", "info": "Backup."}}, WikiUnavailable, "readonly: Backup."),
        ([], WikiUnavailable, "not of MediaWiki's API"),
    ],
)
def test_an_answer_has_its_meaning(
    gate: Gate, wiki: Wiki, said: object, kind: type[WikiError], words: str
) -> None:
    gate.says = said
    with pytest.raises(WikiError) as caught:
        wiki.perform(ACTION)
    assert type(caught.value) is kind
    assert words in str(caught.value)


def test_an_account_is_no_signature() -> None:
    access = WikiAccess("http://127.0.0.1:9/w/api.php", OAuth2("a.b.c"), "", Adapter.BOUNCEHANDLER)
    with pytest.raises(TypeError, match="signatures"):
        BounceHandlerWiki(access)


def test_every_adapter_is_opened_by_the_daemon(tmp_path: Path) -> None:
    configured(tmp_path)
    config = load(tmp_path)
    [wiki] = config.wikis
    for adapter in set(Adapter) - {Adapter.BOUNCEHANDLER}:
        opened = wiki_opener(config, lambda: NOW)(replace(wiki, adapter=adapter))
        assert type(opened).__name__.lower().startswith(adapter)
