"""The daemon with its HTTP door open: bounces by curl end in the history, and readiness tells the truth."""

import asyncio
import json
import socket
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.configuration.configured import Config
from tests.integration.http_house import curl, ran
from tests.integration.test_daemon import NOW, serving
from tests.support.daemon_here import said
from tests.support.desk import NEW_RULE, STRANGE, say
from tests.support.leaks import secret
from tests.support.places import free_port
from tests.support.practice import ADDRESS, WIKI, bounce, configured, load

TOKEN = secret("a-token-of-some-length-0123456789")
BOUNCE = "postfix/01-no-such-user"  # a recorded one
MORE = """
[http]
listen = "127.0.0.1:{port}"
token_file = "http.token"
[http.sns]
topics = ["arn:aws:sns:eu-west-1:123456789012:ses"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = configured(tmp_path)
    (tmp_path / "http.token").touch(0o600)
    (tmp_path / "http.token").write_text(TOKEN + "\n")
    path.write_text(path.read_text() + MORE.format(port=free_port()))
    return load(tmp_path)


def url(config: Config) -> str:
    assert config.listen.http
    return "http://{}:{}".format(*config.listen.http.address)


def looked(config: Config, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url(config) + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def curled(config: Config, path: str, *options: str, stdin: bytes = b"") -> tuple[int, bytes]:
    token = f"Authorization: Bearer {TOKEN}"
    return await ran(curl(), "-s", "--fail", "-H", token, *options, url(config) + path, stdin=stdin)


async def handed_in(config: Config, raw: bytes, return_path: str) -> int:
    query = f"recipient={return_path}"
    code, _ = await curled(config, "/bounces", "--data-binary", "@-", "--url-query", query, stdin=raw)
    return code


async def told(config: Config, event: dict[str, str]) -> tuple[int, bytes]:
    kind = "Content-Type: application/json"
    return await curled(config, "/events", "-H", kind, "-d", json.dumps(event))


@pytest.mark.slow
async def test_all_ways_in_end_in_one_history(config: Config, tmp_path: Path) -> None:
    sent = [NOW - timedelta(days=days) for days in (1, 2, 3)]
    paths = [config.verp.issue(WIKI, 7, ADDRESS, time) for time in sent]
    event = {"return_path": paths[2], "address": ADDRESS, "action": "failed", "status": "5.1.1"}
    async with serving(config) as lines:
        assert await handed_in(config, bounce(config, BOUNCE, 7, sent[0], NOW), paths[0]) == 0
        form = ("-d", "action=bouncehandler", "-d", "format=json", "--data-urlencode", "email@-")
        mail = b"Delivered-To: postmaster@example.org\n" + bounce(config, BOUNCE, 7, sent[1], NOW)
        assert (await curled(config, "/w/api.php", *form, stdin=mail))[0] == 0
        assert (await told(config, event))[0] == 0
        assert (await told(config, event))[0] == 0
        booked = said(lines, "notice")
    assert [line["receipt"] for line in booked] == ["taken"] * 3 + ["duplicate"]
    assert {(line["category"], line["hard"]) for line in booked} == {("user-unknown", True)}
    assert [line for line in lines if line["event"] == "refused"] == []
    assert ADDRESS not in str(lines)
    history = await asyncio.to_thread(say, tmp_path, "history", "7", "--json")
    bounces = json.loads(history.output)["bounces"]
    assert [(entry["category"], entry["hard"]) for entry in bounces] == [("user-unknown", True)] * 3


@pytest.mark.slow
async def test_a_node_that_only_acts_tells_how_it_is_and_takes_none(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[node]\nroles = ["act"]\n' + path.read_text())
    acting = load(tmp_path)
    return_path = acting.verp.issue(WIKI, 7, ADDRESS, NOW - timedelta(days=1))
    async with serving(acting):
        assert (await asyncio.to_thread(looked, acting, "/healthz"))[0] == 200
        assert (await asyncio.to_thread(looked, acting, "/readyz"))[0] == 200
        with closing(sqlite3.connect(tmp_path / "history.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await asyncio.to_thread(looked, acting, "/readyz"))[0] == 503
            other.execute("ROLLBACK")
        assert await handed_in(acting, bounce(acting, BOUNCE, 7, NOW, NOW), return_path) != 0
        assert (await told(acting, {"return_path": return_path, "address": ADDRESS}))[0] != 0


@pytest.mark.slow
async def test_it_is_not_ready_while_nothing_can_be_written(config: Config, tmp_path: Path) -> None:
    async with serving(config):
        with closing(sqlite3.connect(tmp_path / "history.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await asyncio.to_thread(looked, config, "/readyz"))[0] == 503
            other.execute("ROLLBACK")
        assert (await asyncio.to_thread(looked, config, "/readyz"))[0] == 200


@pytest.mark.slow
async def test_a_socket_that_was_passed_is_used(config: Config) -> None:
    path = config.verp.issue(WIKI, 7, ADDRESS, NOW)
    assert config.listen.http
    with socket.create_server(("127.0.0.1", 0)) as listener, closing(listener.dup()) as passed:
        there = replace(config.listen.http, address=listener.getsockname())
        async with serving(config, ("http", passed)):
            elsewhere = replace(config, listen=replace(config.listen, http=there))
            assert await handed_in(elsewhere, STRANGE, path) == 0
            with pytest.raises(urllib.error.URLError):
                looked(config, "/healthz")


@pytest.mark.slow
async def test_what_no_rule_knows_is_set_aside_and_read_again(config: Config, tmp_path: Path) -> None:
    event = {"return_path": config.verp.issue(WIKI, 7, ADDRESS, NOW), "address": ADDRESS, "action": "failed"}
    async with serving(config):
        code, said = await told(config, {**event, "diagnostic": "550 zzyzx frobnicated the gizmo"})
        assert (code, b'"set aside"' in said) == (0, True)
    shown = await asyncio.to_thread(say, tmp_path, "aside", "show", "1")
    assert "zzyzx frobnicated the gizmo" in shown.output
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "rules.d" / "own.toml").write_text(NEW_RULE)
    reread = await asyncio.to_thread(say, tmp_path, "aside", "reread", "--json")
    assert '"user-unknown"' in reread.output


@pytest.mark.parametrize(
    ("days", "user", "status", "receipt"),
    [(0, "7", b"200", []), (0, "8", b"403", ["forged"]), (11, "7", b"410", ["too late"])],
)
async def test_a_return_path_is_proven(
    config: Config, days: int, user: str, status: bytes, receipt: list[str]
) -> None:
    path = config.verp.issue(WIKI, 7, ADDRESS, NOW - timedelta(days=days)).replace("-7-", f"-{user}-")
    tell = ("-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "@-")
    query = ("--url-query", f"recipient={path}")
    async with serving(config) as lines:
        _, said = await curled(config, "/bounces", *tell, *query, stdin=STRANGE)
    assert said == status
    assert [line["receipt"] for line in lines if line["event"] == "refused"] == receipt


@pytest.mark.slow
async def test_it_is_ready_until_the_databases_file_is_gone(config: Config, tmp_path: Path) -> None:
    path = config.verp.issue(WIKI, 7, ADDRESS, NOW)
    async with serving(config):
        assert (await asyncio.to_thread(looked, config, "/readyz"))[0] == 200
        (tmp_path / "history.db").rename(tmp_path / "elsewhere.db")
        status, words = await asyncio.to_thread(looked, config, "/readyz")
        assert (status, "file was removed or replaced" in words, str(tmp_path) in words) == (503, True, False)
        assert (await asyncio.to_thread(looked, config, "/healthz"))[0] == 200
        assert await handed_in(config, STRANGE, path) == 22
        (tmp_path / "elsewhere.db").rename(tmp_path / "history.db")
        assert (await asyncio.to_thread(looked, config, "/readyz"))[0] == 200
        assert await handed_in(config, STRANGE, path) == 0
    with pytest.raises(urllib.error.URLError):
        looked(config, "/healthz")
