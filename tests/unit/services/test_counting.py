"""What Prometheus is told: counted after the commit, once, under the words that the log uses."""

import sqlite3
from math import isnan
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.samples import Sample

from sidecar.domain.remedies import SEVERITIES, Kind
from sidecar.domain.trouble import Tolerance
from sidecar.domain.verp import UnknownWiki
from sidecar.domain.wiki import WikiMisconfigured, WikiRefused, WikiUnavailable
from sidecar.services.dispatch import Dispatcher
from sidecar.services.gauges import Gauges
from sidecar.services.lines import Lines, Way
from sidecar.telemetry import METRICS, Metrics

from .house import DAY, HARD, SOFT, T0, WIKIS, House, Mail

ORDINARY = Mail.of("ordinary")


async def test_notices_are_counted_by_receipt_and_kind(house: House) -> None:
    path = house.path()
    for raw in (HARD.raw, HARD.raw, ORDINARY.raw):
        await house.take(raw, path)
    assert house.counted("notices_total", receipt="taken", kind="bounce") == 1
    assert house.counted("notices_total", receipt="duplicate", kind="bounce") == 1
    assert house.counted("notices_total", receipt="set aside", kind="ordinary") == 1


async def test_bounces_are_counted_once_for_a_mail(house: House) -> None:
    path = house.path()
    for number in range(3):
        await house.take(HARD.raw + b"%d" % number, path)
    await house.bounce(SOFT)
    assert house.counted("bounces_total", category="user-unknown", hard="true") == 1
    assert house.counted("bounces_total", category="mailbox-full", hard="false") == 1


@pytest.mark.sqlite
async def test_what_was_not_booked_is_not_counted(house: House, tmp_path: Path) -> None:
    path = house.path()
    operator = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")
    with pytest.raises(sa.exc.OperationalError):
        await house.take(HARD.raw, path)
    operator.close()
    assert house.counted("notices_total", receipt="taken", kind="bounce") == 0
    assert house.counted("bounces_total", category="user-unknown", hard="true") == 0


async def test_refusals_are_counted_at_rcpt(house: House) -> None:
    forged = house.signer("enwiki", key=b"x" * 32).issue("enwiki", 7, HARD.recipient, T0)
    for recipient in (forged, forged, "bob@example.com"):
        house.intake.refusal(recipient)
    assert house.counted("refused_total", receipt="forged") == 2
    assert house.counted("refused_total", receipt="not ours") == 1


async def test_actions_are_counted_by_how_the_call_ended(house: House) -> None:
    house.wiki.troubles = [WikiUnavailable("down"), WikiMisconfigured("no"), WikiRefused("never")]
    await house.fail_for_eight_days(7, 8)
    for _ in range(8):
        while await house.dispatcher.step():
            pass
        house.clock.tick(hours=7)
    found = {
        result: house.counted("actions_total", result=result)
        for result in ("postponed", "misconfigured", "dead", "unconfirmed")
    }
    assert found == {"postponed": 1, "misconfigured": 1, "dead": 1, "unconfirmed": 1}
    ends = ("unavailable", "misconfigured", "refused", "ok")
    assert [house.counted("wiki_call_seconds_count", result=end) for end in ends] == [1, 1, 1, 1]


async def test_the_gauges_show_what_waits(house: House) -> None:
    gauges = Gauges(house.database, house.metrics, house.watchman(), house.dispatcher.calls)
    await gauges.round()
    assert (house.counted("set_aside_waiting"), house.counted("outbox_waiting")) == (0, 0)
    assert house.counted("oldest_due_seconds") == 0
    assert isnan(house.counted("last_action_timestamp_seconds")), "never"
    await house.bounce(ORDINARY)
    await house.fail_for_eight_days()
    house.clock.tick(minutes=10)
    await gauges.round()
    assert (house.counted("set_aside_waiting"), house.counted("outbox_waiting")) == (1, 1)
    assert house.counted("oldest_due_seconds") == 600
    assert house.counted("looked_timestamp_seconds") == house.clock.now.timestamp()
    assert await house.dispatcher.step()
    await gauges.round()
    assert (house.counted("outbox_waiting"), house.counted("oldest_due_seconds")) == (0, 0)
    assert house.counted("last_action_timestamp_seconds") == house.clock.now.timestamp()
    assert T0.timestamp() < house.counted("last_notice_timestamp_seconds") < house.clock.now.timestamp()


async def test_the_gauge_of_trouble_is_what_status_says(house: House) -> None:
    gauges = Gauges(house.database, house.metrics, house.watchman(), house.dispatcher.calls)
    await gauges.round()
    found = {sample.labels["kind"]: sample.value for sample in _samples(house.metrics, "trouble")}
    assert found == dict.fromkeys(Kind, 0.0) | {"no-daemon": 1.0}, "nobody beats in this test"
    for sample in _samples(house.metrics, "trouble"):
        assert sample.labels["severity"] == SEVERITIES[Kind(sample.labels["kind"])]
    await house.bounce(ORDINARY)
    house.clock.tick(days=3)
    await gauges.round()
    assert house.counted("trouble", kind="set-aside", severity="warning") == 1


async def test_what_is_borne_is_no_trouble_for_the_gauge_either(house: House) -> None:
    borne = Tolerance(aside=4 * DAY, ignore=frozenset({Kind.NO_DAEMON}))
    gauges = Gauges(house.database, house.metrics, house.watchman(borne), house.dispatcher.calls)
    await house.bounce(ORDINARY)
    house.clock.tick(days=3)
    await gauges.round()
    assert {sample.value for sample in _samples(house.metrics, "trouble")} == {0}
    house.clock.tick(days=2)
    await gauges.round()
    assert house.counted("trouble", kind="set-aside", severity="warning") == 1


async def test_what_was_wrong_stays_so_while_the_database_cannot_be_read(house: House) -> None:
    gauges = Gauges(house.database, house.metrics, house.watchman(), house.dispatcher.calls)
    await house.bounce(ORDINARY)
    house.clock.tick(days=3)
    await gauges.round()
    looked = house.clock.now.timestamp()
    await house.database.write(lambda connection: connection.execute(sa.text("DROP TABLE circuit")))
    house.clock.tick(minutes=1)
    with pytest.raises(sa.exc.SQLAlchemyError):
        await gauges.round()
    assert house.counted("trouble", kind="database", severity="critical") == 1
    assert house.counted("trouble", kind="set-aside", severity="warning") == 1
    assert house.counted("set_aside_waiting") == 1
    assert house.counted("looked_timestamp_seconds") == looked, "these are old, and say so"


def _samples(metrics: Metrics, name: str) -> list[Sample]:
    [family] = [one for one in metrics.registry.collect() if one.name == f"bounce_sidecar_{name}"]
    return list(family.samples)


async def test_a_node_that_calls_no_wiki_shows_the_trouble_that_others_met(house: House) -> None:
    house.wiki.troubles = [WikiUnavailable("down")]
    await house.fail_for_eight_days()
    assert await house.dispatcher.step()
    metrics = Metrics()
    lines = Lines({wiki: Way(lambda: house.wiki, "") for wiki in WIKIS})
    other = Dispatcher(house.database, lines, {}, house.clock, lambda: 0.0, metrics=metrics)
    gauges = Gauges(house.database, metrics, house.watchman(), other.calls)
    await gauges.round()

    def seen(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"bounce_sidecar_{name}", labels)

    assert (seen("wikis"), seen("circuits_open")) == (2, 1)
    assert seen("wiki_trouble", wiki="enwiki", why="unavailable") == 1
    assert seen("wiki_trouble", wiki="dewiki", why="unavailable") is None
    house.clock.tick(minutes=10)
    await gauges.round()
    assert (seen("circuits_open"), seen("wiki_trouble", wiki="enwiki", why="unavailable")) == (0, 1)
    assert await house.dispatcher.step()
    await gauges.round()
    assert seen("wiki_trouble", wiki="enwiki", why="unavailable") is None
    other.close()


def test_return_paths_are_counted_and_those_that_could_not_be_issued(house: House) -> None:
    house.paths.issue("enwiki", 7, HARD.recipient)
    with pytest.raises(UnknownWiki):
        house.paths.issue("nowiki", 7, HARD.recipient)
    assert house.counted("return_paths_total", result="issued") == 1
    assert house.counted("return_paths_total", result="refused") == 1


def test_every_metric_says_what_to_do_when_it_moves() -> None:
    families = {family.name: family.documentation for family in Metrics().registry.collect()}
    assert families == {f"bounce_sidecar_{name}": text for name, text in METRICS.items()}
    assert all(len(text) > 100 for text in families.values())
