"""The stories of fixtures/scenarios end as they say, each time; and one that says otherwise does not."""

import asyncio
from pathlib import Path

import pytest

from sidecar.scenario.outcome import Outcome, outcome
from sidecar.scenario.reading import read_scenario

pytestmark = pytest.mark.slow

STORIES = sorted((Path(__file__).parents[3] / "fixtures" / "scenarios").glob("*.toml"))

AT_ONCE = """\
title = "Dead at once"
users = [{ name = "Ada" }, { name = "Bob", count = 2 }]
steps = [{ send = "Ada", answer = "no-such-user" }, { send = "Bob" }]
policy = { preset = "bouncehandler", hard_bounces = 1 }
[expect]
"""

#: What is expected of it in vain.
WRONG = [
    ("actions = {}", "actions: expected none, found 1 done"),
    ("actions = { done = 2 }", "actions: expected 2 done, found 1 done"),
    ("brakes = 1", "brakes: expected 1, found 0"),
    ("receipts = { forged = 1 }", "mails forged: expected 1, found 0"),
    ("users.Ada = { confirmed = true }", "Ada address: expected confirmed, found unconfirmed"),
    ("users.Bob = { confirmed = false }", "Bob address: expected unconfirmed, found confirmed"),
    ("users.Bob = { unconfirmed = 1 }", "Bob unconfirmed: expected 1, found 0"),
    ("users.Ada = { warned = 1 }", "Ada warned: expected 1, found 0"),
    ("users.Ada = { told = [] }", "Ada told: expected nothing, found unconfirm"),
    ("users.Ada = { effects = ['changed'] }", "Ada effects: expected changed, found unconfirmed"),
    ("users.Ada = { why = ['mailbox-full'] }", "Ada why: expected mailbox-full, found no such words"),
]


def played(text: str) -> Outcome:
    return asyncio.run(outcome(read_scenario(text)))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_ends_as_it_says(path: Path) -> None:
    end = played(path.read_text())
    wrong = [check for check in end.checks if not check.ok]
    assert (wrong, end.why) == ([], {})
    assert end.checks


@pytest.mark.parametrize(("expected", "complaint"), WRONG)
def test_a_story_that_ends_otherwise_fails(expected: str, complaint: str) -> None:
    end = played(AT_ONCE + expected)
    [check] = end.checks
    assert not check.ok
    assert not end.ok
    assert complaint == f"{check.whom} {check.what}: expected {check.expected}, found {check.found}".strip()
    assert set(end.why) == ({"Ada"} if check.whom == "Ada" else set())


def test_whoever_ends_otherwise_has_the_reason_told() -> None:
    why = played(AT_ONCE + "users.Ada = { confirmed = true }").why["Ada"]
    assert "user-unknown, hard (5.1.1)" in why[0]
    assert any("decided: unconfirm, waiting: 1 hard bounces" in line for line in why)


def test_a_story_ends_the_same_each_time() -> None:
    path = next(path for path in STORIES if path.stem == "gentle-warned-and-still-dead")
    text = path.read_text().replace("warned = 1", "warned = 9")  # so that it tells all it knows
    ends = [played(text) for _ in range(2)]
    assert ends[0] == ends[1]
    assert len(ends[0].why["Ada"]) > 5


def test_there_is_a_story_for_each_name_and_no_title_twice() -> None:
    titles = [read_scenario(path.read_text()).title for path in STORIES]
    assert len(set(titles)) == len(titles) >= 25
