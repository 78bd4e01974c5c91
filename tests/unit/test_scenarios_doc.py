"""docs/scenarios.md names every step, every key and every word that a story may have."""

import re
from pathlib import Path

import pytest

from sidecar.configuration.setting_kinds import Section
from sidecar.domain.wiki import Effect
from sidecar.scenario import sections as s
from sidecar.scenario.script import BrakeDo, KeysDo, Mood

TEXT = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
STEPS = TEXT.split("### Steps")[1].split("### Settings")[0]


@pytest.mark.parametrize("verb", s.VERBS)
def test_every_step_has_a_row_and_its_keys_are_told(verb: str) -> None:
    assert re.search(rf"^\| `{verb} = ", STEPS, flags=re.MULTILINE)
    for key in s.VERBS[verb].model_fields:
        assert re.search(rf"`{key}\b", STEPS), key


@pytest.mark.parametrize("section", [s.UserSection, s.ExpectSection, s.ExpectUserSection])
def test_every_key_has_a_row(section: type[Section]) -> None:
    for key in section.model_fields:
        assert re.search(rf"^\| `{key}(\.Ada)?` \|", TEXT, flags=re.MULTILINE), key


def test_every_word_is_told() -> None:
    for word in (*Mood, *BrakeDo, *KeysDo, *Effect):
        assert f'"{word}"' in TEXT
    for key in (*s.Head.model_fields, *s.ComposedSection.model_fields):
        assert re.search(rf"`\[?{key}\b|\b{key} = ", TEXT, flags=re.MULTILINE), key
