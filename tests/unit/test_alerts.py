"""The alerts, the board and the runbook speak of the same things, and of what there is."""

import re

import click
import pytest

from sidecar.cli import main
from sidecar.domain.remedies import REMEDIES, SEVERITIES, Kind
from tests.support.board import ALERTS, BOARD, RUNBOOK, alerts, metrics, named, panels

TEXT = RUNBOOK.read_text()
SECTIONS = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)[1:]
SECTION = dict(zip(SECTIONS[::2], SECTIONS[1::2], strict=True))
ALERT = alerts()
PARTS = ("Means", "See", "Mend", "Over")


def section_of(alert: str) -> str:
    """BounceSidecarWikiLogin is told of in "wiki-login"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alert.removeprefix("BounceSidecar")).lower()


def test_each_kind_of_trouble_has_an_alert_of_its_severity() -> None:
    for kind in Kind:
        found = [name for name in ALERT if f'bounce_sidecar_trouble{{kind="{kind}"}}' in ALERT[name]]
        assert [section_of(name) for name in found] == [kind]
        assert f"severity: {SEVERITIES[kind]}\n" in ALERT[found[0]]
        assert REMEDIES[kind] in " ".join(ALERT[found[0]].split()), "in the words of `status`"


def test_each_alert_has_a_section_and_each_section_an_alert() -> None:
    assert list(map(section_of, ALERT)) == list(SECTION), "in the same order"
    for name, rule in ALERT.items():
        assert f"runbook_url: docs/runbook.md#{section_of(name)}\n" in rule
        assert all(f"{part}:" in rule for part in ("summary", "description", "severity"))


@pytest.mark.parametrize("name", SECTION)
def test_a_section_says_what_it_means_how_to_see_it_how_to_mend_it_and_when_it_is_over(name: str) -> None:
    assert re.findall(r"^\*\*(\w+):\*\*", SECTION[name], flags=re.MULTILINE) == list(PARTS)


def test_commands_of_the_runbook_are_there() -> None:
    for span in re.findall(r"`([^`\n]+)`", TEXT):
        words = span.removeprefix("sudo -u bounce-sidecar bounce-sidecar ").split()
        command = main.get_command(click.Context(main), words[0])
        if isinstance(command, click.Group) and len(words) > 1:
            assert words[1] in command.commands, span


@pytest.mark.parametrize("text", [ALERTS, BOARD, RUNBOOK], ids=lambda path: path.name)
def test_each_metric_that_is_named_is_there(text: object) -> None:
    assert isinstance(text, type(ALERTS))
    assert named(text.read_text()) - metrics() == set()


def test_each_metric_is_on_the_board() -> None:
    asked = {name for _, panel in panels() for target in panel["targets"] for name in named(target["expr"])}
    assert metrics() - asked == set()


def test_each_panel_says_what_it_shows_and_asks_the_chosen_nodes_only() -> None:
    ids = [panel["id"] for _, panel in panels()]
    assert len(ids) == len(set(ids))
    for title, panel in panels():
        assert len(panel["description"]) > 10, title
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            asked = re.findall(r"\b(?:bounce_sidecar|process|up)\w*(\{[^}]*\})?", target["expr"])
            assert asked, title
            assert all(chosen.startswith('{job="$job",instance=~"$instance"') for chosen in asked), title
