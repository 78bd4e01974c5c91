"""A real Prometheus scrapes a real daemon with traffic: what the board asks it, and the alerts, are answered.

One daemon, one Prometheus, for all of it. The gauges are looked up five times a second, as often as they are
scraped.
"""

import asyncio
import contextlib
import re
import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sidecar import daemon
from sidecar.configuration.configured import Config
from sidecar.edges.socketmap import netstring
from sidecar.recorded import recorded
from sidecar.services import gauges
from sidecar.services.vitals import HostSigns
from tests.support.board import ALERTS, alerts, panels
from tests.support.daemon_here import serving, until
from tests.support.debs import DownloadFailed
from tests.support.desk import STRANGE
from tests.support.places import free_port, missing
from tests.support.practice import ADDRESS, ENTRY, HEAD, PASSWORD, keep_secrets, load
from tests.support.prometheus import Prometheus, install
from wiki_adapter.practice_wiki import PracticeWiki

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
DOWN = "dewiki"  # a wiki that does not answer
#: What is empty in good health, and here: nothing of Amazon's comes in this test.
EMPTY = {"Events of Amazon SES"}
RULE = "hard_bounces = 1\nspan_days = 1\n"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def wiki() -> Iterator[PracticeWiki]:
    with PracticeWiki("BounceBot@sidecar", PASSWORD, wiki_id="enwiki") as wiki:
        yield wiki


@pytest.fixture
def config(wiki: PracticeWiki, tmp_path: Path) -> Config:
    keep_secrets(tmp_path)
    text = HEAD.format(folder=tmp_path, mode="enforce") + RULE
    text = text.replace("[sockets]", '[sockets]\nsocketmap = "socketmap.sock"')
    for name, api in (("enwiki", wiki.api_url), (DOWN, "http://127.0.0.1:9/w/api.php")):
        text += ENTRY.format(wiki=name, api=api, password_file="bot.password")
    text += f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n[http]\nlisten = "127.0.0.1:{free_port()}"\n'
    (tmp_path / "config.toml").write_text(text)
    return load(tmp_path)


@pytest.fixture
def prometheus(config: Config, tmp_path: Path) -> Iterator[Prometheus]:
    try:
        programs = install()
    except DownloadFailed as trouble:
        missing(f"Prometheus: {trouble}")
    assert config.listen.metrics
    target = ":".join(map(str, config.listen.metrics))
    prometheus = Prometheus(programs, tmp_path / "prometheus", target, ALERTS)
    yield prometheus
    prometheus.end()


def ask(path: Path, *questions: str) -> None:
    """Of one socket, one after another."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        for question in questions:
            client.sendall(question.encode() if "\n" in question else netstring(question))
            assert client.recv(1000)


def traffic(config: Config, wiki: PracticeWiki) -> None:
    """Signed, asked, taken, set aside, refused: something of everything."""
    listen, user_id = config.listen, wiki.add_user("Ann", ADDRESS, now() - 99 * DAY)
    assert listen.verp
    assert listen.policy
    assert listen.socketmap
    ask(listen.verp, f"verp enwiki {user_id} {ADDRESS}", "verp nowiki 7 x@y.example")
    paths = [config.verp.issue(name, user_id, ADDRESS, now() - 2 * DAY) for name in ("enwiki", DOWN)]
    ask(listen.socketmap, f"bounce {paths[0]}")
    ask(listen.policy, f"request=smtpd_access_policy\nrecipient={paths[0]}\n\n")
    strange = config.verp.issue("enwiki", 99, ADDRESS, now() - DAY)
    with smtplib.LMTP(str(listen.lmtp), timeout=10) as mta:
        for path in paths:
            mta.sendmail("", [path], recorded("postfix/01-no-such-user").addressed(ADDRESS, path))
        mta.sendmail("", [strange], STRANGE)
        with contextlib.suppress(smtplib.SMTPRecipientsRefused):
            mta.sendmail("", [paths[0].replace("-", "-1", 1)], STRANGE)


async def test_the_board_shows_a_daemon_with_traffic_and_the_alerts_are_evaluated(
    config: Config, wiki: PracticeWiki, prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "EVERY", 0.2)
    host = HostSigns(now, lambda: 1, lambda: True)  # an octet is free: trouble, of the worst kind
    async with serving(config, daemon.World(host_signs=host)):
        await until(lambda: prometheus.query("up == 1"))
        await asyncio.to_thread(traffic, config, wiki)
        wants = (
            'count(bounce_sidecar_wiki_trouble) + sum(bounce_sidecar_actions_total{result="unconfirmed"}) > 1'
        )
        await until(lambda: prometheus.query(wants))
        await until(lambda: prometheus.query('ALERTS{alertname="BounceSidecarDiskFull"}'))
        found = {
            title: [await answered(prometheus, target) for target in panel["targets"]]
            for title, panel in panels()
        }
        rules = await asyncio.to_thread(prometheus.rules)
    assert {title for title, answers in found.items() if not all(answers)} == EMPTY
    assert [series["metric"] for series in found["What is wrong"][0]] == [
        {"kind": "disk-full", "severity": "critical"}
    ]
    assert [series["metric"] for series in found["In trouble"][0]] == [{"wiki": DOWN, "why": "unavailable"}]
    assert {rule["name"] for rule in rules} == set(alerts())
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


async def answered(prometheus: Prometheus, target: dict[str, Any]) -> list[dict[str, Any]]:
    """The series of a query of the board, as Grafana would ask it for this daemon."""
    expression = target["expr"].replace("$job", "bounce-sidecar").replace("$instance", ".+")
    expression = expression.replace("$__rate_interval", "1m")
    assert not re.search(r"\$\w", expression), expression
    return await asyncio.to_thread(prometheus.query, expression)
