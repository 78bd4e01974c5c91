"""A story's file is refused with all that is wrong with it, in plain words; its times are what they say."""

from datetime import timedelta

import pytest

from sidecar.domain.policy import Mode
from sidecar.scenario.reading import ScenarioError, read_scenario
from sidecar.scenario.script import Come, Send
from sidecar.scenario.times import duration, moment

GOOD = """\
title = "A story"
users = [{ name = "Ada" }]
steps = [
    { at = "day 1 10:00", send = "Ada", answer = "no-such-user", late = "2h" },
    { at = "+90s", bounce = "Ada", answer = { status = "5.1.1", diagnostic = "550 gone" } },
]
[expect]
brakes = 0
"""

#: What is changed in a good story, and what is said of it.
PROBLEMS = [
    ("title = ", "titel = ", ["title is missing", "titel is not a setting; did you mean title?"]),
    ('title = "A story"', "title =", ["this is no TOML: Invalid value (at line 1, column 8)"]),
    ('name = "Ada"', 'name = "A d a"', ["user A d a: name = 'A d a': string should match pattern"]),
    ('name = "Ada"', 'name = "Ad\u202ea"', [r"user Ad\u202ea: name = 'Ad\u202ea': string should match"]),
    (
        'name = "Ada"',
        'name = "Ada", cuont = 3',
        ["user Ada: cuont is not a setting; did you mean count?"],
    ),
    ('name = "Ada" }', 'name = "Ada" }, { name = "Ada" }', ["user Ada: there are two of that name"]),
    (
        'name = "Ada"',
        'name = "Ada", confirmed = "long ago"',
        ["user Ada: confirmed = 'long ago': want \"day 3\""],
    ),
    (
        'name = "Ada"',
        'name = "Ada", count = 2, address = "a@b.example"',
        ["user Ada: address: one for 2 users"],
    ),
    ('send = "Ada"', 'send = "Bob"', ["step 1: there is no user Bob"]),
    ('send = "Ada"', 'confirm = "Ada", send = "Ada"', ["step 1: want only one of confirm, send"]),
    ('send = "Ada", ', "", ["step 1: want one of send, bounce, confirm"]),
    ('"no-such-user"', '"gone"', ["step 1: answer = 'gone': no such mail in fixtures/bounces; there are: a"]),
    ('status = "5.1.1", ', "", ["step 2: answer status is missing"]),
    ('"2h"', '"2 moons"', ["step 1: late = '2 moons': want a duration"]),
    ('"2h"', "2", ["step 1: late = 2: want a text, in quotes"]),
    ('"+90s"', '"day 0"', ["step 2: at = 'day 0': earlier than the step before"]),
    ('"day 1 10:00"', '"day 1 25:00"', ["step 1: at = 'day 1 25:00': there is no such time of day"]),
    ('"day 1 10:00"', '"tomorrow"', ["step 1: at = 'tomorrow': want \"day 3\""]),
    ('bounce = "Ada"', 'bounce = "Ada", mail = "x"', ["step 2: mail = 'x': Ada was sent no such mail"]),
    ("brakes = 0", "", ["[expect] says nothing"]),
    ("brakes = 0", "users.Bob = { confirmed = true }", ["[expect.users]: there is no user Bob"]),
    ("brakes = 0", "users.Ada = { warnd = 1 }", ["[expect.users.Ada] warnd is not a setting; did"]),
    ("brakes = 0", "actions = { lost = 1 }", ["[expect.actions.lost] [key] = 'lost': should be 'waiting', "]),
    ("[expect]", "[policy]\npreset = 'none'\n[expect]", ["[policy] preset = 'none': not a preset"]),
    ("[expect]", "[policy]\nperiod_days = 3\n[expect]", ["[policy]: period_days means nothing to a streak"]),
    ("[expect]", "until = 'day 0'\n[expect]", ["until = 'day 0': earlier than the last step"]),
    ("[expect]", "[brake]\nleast = 0\n[expect]", ["[brake] least = 0: should be greater than or equal to 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), PROBLEMS)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, words: list[str]) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        read_scenario(GOOD.replace(old, new, 1))
    assert len(caught.value.problems) == len(words)
    for problem, start in zip(caught.value.problems, words, strict=True):
        assert problem.startswith(start)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(GOOD.replace("2h", "soon").replace("+90s", "then").replace("brakes", "brake"))
    assert [problem.split(" = ")[0] for problem in caught.value.problems] == [
        "[expect] brake is not a setting; did you mean brakes?",
        "step 1: late",
    ]


def test_a_story_without_steps_says_so() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario('title = "t"\nusers = [{ name = "Ada" }]\n[expect]\nbrakes = 0\n')
    assert caught.value.problems == ["steps is missing"]


def test_what_happens_stands_in_the_order_of_its_time() -> None:
    hours = timedelta(hours=1)
    story = read_scenario(GOOD)
    assert [(at, type(what)) for at, what in story.events] == [
        (34 * hours, Send),
        (34 * hours + timedelta(seconds=90), Come),
        (36 * hours, Come),
    ]
    assert story.until == 60 * hours
    assert story.policies["storywiki"].mode is Mode.ENFORCE


def test_a_group_is_sent_its_mails_one_after_the_other() -> None:
    text = GOOD.replace('name = "Ada"', 'name = "Ada", count = 3, domain = "b.example"')
    story = read_scenario(text.replace('late = "2h"', 'every = "150ms", times = 2'))
    assert [(person.name, person.address) for person in story.people] == [
        (f"Ada-{number}", f"ada-{number}@b.example") for number in (1, 2, 3)
    ]
    sends = [(at - timedelta(hours=34), what.person) for at, what in story.events if isinstance(what, Send)]
    assert sends == [(number * timedelta(milliseconds=150), number % 3) for number in range(6)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("2h", 7200), ("6 days", 518400), ("1d 12h", 129600), ("150ms", 0.15), ("1.5 h", 5400),
        ("-2 hours", -7200), ("+1 week", 604800), ("0", 0), ("+0", 0), ("5min", 300), ("1 second", 1),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "h", "2", "2 moons", "2h-", "two days", "2hh", "1h, 2m", "9" * 30 + "d"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        duration(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("day 0", 0), ("day 3", 72), ("day 3 14:30", 86.5), ("day -1", -24), ("+2h", 12), ("+0", 10)],
)
def test_moments(text: str, hours: float) -> None:
    assert moment(text, timedelta(hours=10)) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "3", "day", "day 3 24:00", "day 3 1:2", "2h", "-2h", "day 1 10:00:60"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text, timedelta(0))
