"""Each alert fires when it should, alone, and is silent when it nearly should: promtool's tests of rules."""

import json
from pathlib import Path

import pytest

from sidecar.domain.remedies import SEVERITIES, Kind
from tests.support.board import ALERTS, alerts
from tests.support.debs import DownloadFailed
from tests.support.places import missing
from tests.support.prometheus import install, promtool

pytestmark = pytest.mark.servers

Series = dict[str, str]
NODE = 'instance="a:9108",job="bounce-sidecar"'
OTHER = NODE.replace("a:", "b:")
ON = "x*"  # for as long as the case lasts


def of(name: str, labels: str = "", node: str = NODE) -> str:
    """A series of ours."""
    return f"bounce_sidecar_{name}{{{labels}{',' if labels else ''}{node}}}"


def still(value: float) -> str:
    return f"{value}{ON}"


def grows(by: float, steps: int = 0) -> str:
    """By so much with each step; after so many *steps*, if said, no more."""
    return f"0+{by}x{steps} {by * steps}{ON}" if steps else f"0+{by}{ON}"


UP = f"up{{{NODE}}}"
STARTED = f"process_start_time_seconds{{{NODE}}}"
OPEN, MOST = f"process_open_fds{{{NODE}}}", f"process_max_fds{{{NODE}}}"
LOOKED, NOTICED = of("looked_timestamp_seconds"), of("last_notice_timestamp_seconds")
SIGNED = of("return_paths_total", 'result="issued"')
PUT_OFF = of("temporary_failures_total", 'door="lmtp",why="trouble"')
FORGED, LATE = (of("refused_total", f'receipt="{receipt}"') for receipt in ("forged", "too late"))
SPAM = of("bounces_total", 'category="spam",hard="false"')
UNKNOWN = of("bounces_total", 'category="user-unknown",hard="true"')
GOOD, LOST = of("reload_good"), of("sends_total", 'result="lost"')
VERSION, OLDER = of("build_info", 'version="2"'), of("build_info", 'version="1"', OTHER)


def took(name: str, door: str, *buckets: str) -> Series:
    """All of it within the last of *buckets*, and nothing within the others."""
    series = {bucket: still(0) for bucket in buckets[:-1]} | {buckets[-1]: grows(60), "+Inf": grows(60)}
    return {of(f"{name}_bucket", f'door="{door}",le="{le}"'): values for le, values in series.items()}


def well(minutes: int) -> Series:
    """A daemon in good health, a step being so long."""
    times = dict.fromkeys((LOOKED, NOTICED), grows(60 * minutes))
    trouble = {of("trouble", f'kind="{kind}",severity="{SEVERITIES[kind]}"'): still(0) for kind in Kind}
    ones = dict.fromkeys((UP, STARTED, GOOD, VERSION), still(1))
    counters = dict.fromkeys((PUT_OFF, FORGED, LATE, SPAM, UNKNOWN, LOST), still(0))
    files = {OPEN: still(100), MOST: still(4096)}
    return {**trouble, **times, **ones, **counters, **files, SIGNED: grows(minutes)}


#: What differs from good health, after how many minutes it must be told, and the length of a step.
Case = tuple[Series, int, int]
FIRES: dict[str, Case] = {
    "Down": ({UP: still(0)}, 5, 1),
    "Restarts": ({STARTED: f"1 2 3 {still(4)}"}, 5, 1),
    "Stale": ({LOOKED: still(0)}, 10, 1),
    "NotSigning": ({SIGNED: grows(60, 24)}, 7 * 1440 + 480, 60),
    "NoNotices": ({NOTICED: still(0)}, 1500, 30),
    "PutOff": ({PUT_OFF: grows(5)}, 20, 1),
    "SlowIntake": (took("intake_seconds", "lmtp", "5", "10"), 30, 1),
    "SlowSigning": (took("answer_seconds", "verp", "0.01", "0.025"), 30, 1),
    "Forged": ({FORGED: grows(20)}, 40, 1),
    "TooLate": ({LATE: grows(1)}, 60, 1),
    "Reputation": ({SPAM: grows(1)}, 60, 1),
    "HardSurge": ({UNKNOWN: grows(2)}, 60, 1),
    "ReloadRefused": ({GOOD: still(0)}, 5, 1),
    "SendsLost": ({LOST: f"0 0 0 {still(3)}"}, 5, 1),
    "MixedVersions": ({OLDER: still(1)}, 1500, 30),
    "Files": ({OPEN: still(3500)}, 10, 1),
}
NEVER = {"NoNotices": ({NOTICED: "NaN " * 52}, 1500, 30)}  # nothing has ever come back
ALMOST: dict[str, Case] = {
    "Down": ({UP: f"1 {still(0)}"}, 2, 1),  # no longer than a start takes
    "Restarts": ({STARTED: f"1 2 {still(3)}"}, 5, 1),
    "Stale": ({LOOKED: f"0 0 0 {still(180)}"}, 4, 1),
    "NotSigning": ({SIGNED: f"0+60x24 1440+10{ON}"}, 7 * 1440 + 480, 60),
    "NoNotices": ({NOTICED: still(0), SIGNED: grows(9)}, 1500, 30),
    "PutOff": ({PUT_OFF: grows(1)}, 20, 1),
    "SlowIntake": (took("intake_seconds", "lmtp", "2.5", "5"), 30, 1),
    "SlowSigning": (took("answer_seconds", "verp", "0.005", "0.01"), 30, 1),
    "Forged": ({FORGED: grows(5)}, 40, 1),
    "TooLate": ({LATE: grows(0.1)}, 60, 1),
    "Reputation": ({SPAM: grows(30)}, 2880, 30),  # every day as many
    "HardSurge": ({UNKNOWN: grows(60)}, 2880, 30),
    "ReloadRefused": ({GOOD: f"1 1 {still(0)}"}, 2, 1),
    "SendsLost": ({LOST: still(3)}, 5, 1),
    "MixedVersions": ({OLDER: "1x4 _x48"}, 1500, 30),  # while they were upgraded
    "Files": ({OPEN: still(3000)}, 10, 1),
}
KINDS = {
    f"BounceSidecar{''.join(word.capitalize() for word in kind.split('-'))}": of(
        "trouble", f'kind="{kind}",severity="{SEVERITIES[kind]}"'
    )
    for kind in Kind
}
HOLDS = 35  # minutes, which no alert on a trouble waits for


@pytest.fixture(scope="module")
def programs() -> Path:
    try:
        return install()
    except DownloadFailed as trouble:
        missing(f"Prometheus: {trouble}")


def told(programs: Path, folder: Path, cases: list[tuple[Case, list[str]]]) -> None:
    """Exactly these alerts fire in each case."""
    for step in {step for (_, _, step), _ in cases}:
        tests = [_test(case, fire) for case, fire in cases if case[2] == step]
        path = folder / f"{step}.json"
        path.write_text(
            json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": f"{step}m", "tests": tests})
        )
        code, words = promtool(programs, "test", "rules", str(path))
        assert code == 0, words


def _test(case: Case, fire: list[str]) -> dict[str, object]:
    changes, minutes, step = case
    series = {**well(step), **changes}
    firing = {
        "expr": 'sum by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minutes}m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fire],
    }
    lasts = f"x{minutes // step + 2}"
    given = [
        {"series": name, "values": values.replace(ON, lasts)} for name, values in series.items() if values
    ]
    return {"interval": f"{step}m", "input_series": given, "promql_expr_test": [firing]}


def test_the_rules_and_the_example_can_be_loaded(programs: Path) -> None:
    assert promtool(programs, "check", "rules", str(ALERTS))[0] == 0
    scrape = ALERTS.with_name("scrape.yml")
    assert promtool(programs, "check", "config", "--syntax-only", str(scrape))[0] == 0


def test_every_alert_is_tested_both_ways() -> None:
    names = {f"BounceSidecar{name}" for name in FIRES}
    assert names | set(KINDS) == set(alerts())
    assert FIRES.keys() == ALMOST.keys()


def test_each_kind_of_trouble_is_told_of_alone_once_for_all_nodes_and_not_before_its_time(
    programs: Path, tmp_path: Path
) -> None:
    cases: list[tuple[Case, list[str]]] = [(({}, HOLDS, 1), [])]
    for name, series in KINDS.items():
        both = {series: still(1), series.replace(NODE, OTHER): still(1)}
        cases += [((both, HOLDS, 1), [name]), ((both, 0, 1), [])]
    told(programs, tmp_path, cases)


def test_each_alert_on_what_has_changed_fires_alone(programs: Path, tmp_path: Path) -> None:
    every = [*FIRES.items(), *NEVER.items(), ("Down", ({UP: ""}, 10, 1))]  # nobody is scraped at all
    told(programs, tmp_path, [(case, [f"BounceSidecar{name}"]) for name, case in every])


def test_none_of_them_fires_when_it_is_not_quite_so_bad(programs: Path, tmp_path: Path) -> None:
    told(programs, tmp_path, [(case, []) for case in ALMOST.values()])
