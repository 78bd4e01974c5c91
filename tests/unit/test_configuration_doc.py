"""docs/configuration.md names every setting with its default and meaning, and shows an example that works."""

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sidecar.configuration.config import parse
from sidecar.configuration.settings import Settings
from sidecar.domain.policy import PRESETS, Mode, Streak
from sidecar.orders import orders_of

DOC = Path(__file__).parents[2] / "docs" / "configuration.md"
TOP = "Top of the file"
SECRETS = {
    "verp.keys": b"k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo",
    "enwiki.password": b"0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p",
    "/etc/mediawiki/verp.secret": b"an-old-secret-of-the-wiki-7391",
}


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field holds, alone or in a list."""
    shapes = (field.annotation, *getattr(field.annotation, "__args__", ()))
    return next((s for s in shapes if isinstance(s, type) and issubclass(s, BaseModel)), None)


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, BaseModel):
        return "none"
    return f"`{json.dumps(field.default)}`"


def tables(shape: type[BaseModel], path: str = "", heading: str = TOP) -> Iterator[tuple[str, list[str]]]:
    """(heading, rows) of *shape* and of each section in it. [....policy] has the settings of [policy]."""
    rows = [
        f"| `{key}` | {default_of(field)} | {field.description} |"
        for key, field in shape.model_fields.items()
        if field.description
    ]
    yield heading, rows
    for key, field in shape.model_fields.items():
        section = section_of(field)
        if section and (path, key) not in {("wikis.", "policy"), ("farm.", "policy")}:
            many = typing.get_origin(field.annotation) is list
            yield from tables(section, f"{path}{key}.", f"[[{key}]]" if many else f"[{path}{key}]")


def documented() -> dict[str, list[str]]:
    chapters = re.split(r"^### ", DOC.read_text(), flags=re.MULTILINE)[1:]
    return {
        chapter.split("\n", 1)[0].strip("`"): re.findall(r"^\| `.*\|$", chapter, flags=re.MULTILINE)
        for chapter in chapters
    }


def test_every_setting_is_documented_with_its_default_and_meaning() -> None:
    assert documented() == dict(tables(Settings))


def test_every_preset_is_documented_with_its_numbers() -> None:
    text = DOC.read_text()
    for name, preset in PRESETS.items():
        rule = preset.rule
        span = f"{rule.span.days} | {rule.forget.days} | " if isinstance(rule, Streak) else " |  | "
        period = "" if isinstance(rule, Streak) else rule.period.days
        switches = " | ".join(str(value).lower() for value in (rule.daily, preset.warn))
        row = (
            f"| {name} | {type(rule).__name__.lower()} | {rule.hard_bounces} | {span}{period} | {switches} |"
        )
        assert row in text


def test_the_example_is_a_configuration() -> None:
    example = re.search(r"^```toml\n(.*?)^```", DOC.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert example
    config = parse(example[1], SECRETS.__getitem__)
    assert [wiki.id for wiki in config.wikis] == ["enwiki", "dewiki"]
    assert [policy.mode for policy in config.policies.values()] == [Mode.ENFORCE, Mode.SHADOW]


def test_what_waits_for_a_restart_is_named() -> None:
    [told] = re.findall(r"A restart alone changes (.*?);", DOC.read_text(), flags=re.DOTALL)
    config = parse(
        '[verp]\ndomain = "bounces.example.org"\n[[wikis]]\nid = "a"\n[node]\nroles = ["take"]\n',
        SECRETS.__getitem__,
    )
    assert set(re.findall(r"\[\w+\]", told)) == set(re.findall(r"\[\w+\]", " ".join(orders_of(config).fixed)))
    assert "`contact`" in told
