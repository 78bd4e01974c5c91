"""Scenario files that nobody means.

What must be: a story, or ScenarioError with problems in an operator's words.
"""

from pathlib import Path

from sidecar.scenario.reading import ScenarioError, read_scenario
from tests.attack.doors.configuration import check_words
from tests.attack.doors.fuzz import Target, fuzz
from tests.attack.doors.toml_words import TOML_WORDS
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign"]

_STORIES = Path(__file__).parents[3] / "fixtures" / "scenarios"


def _check(data: bytes) -> None:
    try:
        read_scenario(data.decode("utf-8", "replace"))
    except ScenarioError as error:
        check_words(error.problems)


TARGET = Target(
    __name__,
    _check,
    seeds=[file.read_bytes() for file in sorted(_STORIES.glob("*.toml"))],
    words=[
        *TOML_WORDS,
        b"day 9999999999 10:00",
        b"day -1 10:00",
        b"day 0 24:00",
        b"times = 99999999",
        b"count = 99999999",
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)
