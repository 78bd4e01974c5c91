"""Rules are read again without a restart; a table that cannot be used changes nothing, and says why."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from sidecar.services.rules import RuleReload

from sidecar.domain.classify import RuleBook
from sidecar.edges import rule_files
from sidecar.telemetry import Metrics

GOOD = """
[[rule]]
id = "gizmo"
category = "user-unknown"
text = '\\bfrobnicated the gizmo\\b'
samples = ["5.0.0 | 550 5.0.0 zzyzx frobnicated the gizmo"]
"""
BAD = GOOD.replace('"user-unknown"', '"user-unkown"')


class Desk:
    """Who uses the rules."""

    def __init__(self, folder: Path) -> None:
        self.metrics, self.books = Metrics(), [rule_files.load(folder)]
        self.reload = RuleReload(lambda: rule_files.load(folder), self.books.append, self.metrics)

    def counted(self, result: str) -> float | None:
        return self.metrics.registry.get_sample_value(
            "bounce_sidecar_rules_reloads_total", {"result": result}
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.reload.close()


def ids(book: RuleBook) -> list[str]:
    return [rule.id for rule in book.rules]


async def test_a_new_rule_stands_before_the_built_in_ones(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(GOOD)
    assert await desk.reload.round()
    before, after = desk.books
    assert ids(after) == ["gizmo", *ids(before)]
    assert (desk.counted("loaded"), desk.counted("refused")) == (1, 0)


async def test_files_are_tried_in_the_order_of_their_names_and_others_are_left_alone(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "20-late.toml").write_text(GOOD.replace('"gizmo"', '"late"'))
    (tmp_path / "10-early.toml").write_text(
        GOOD.replace('"gizmo"', '"early"').replace("frobnicated", "defenestrated")
    )
    (tmp_path / "20-late.toml.bak").write_text("no TOML at all")
    assert await desk.reload.round()
    assert ids(desk.books[-1])[:2] == ["early", "late"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(BAD.encode(), "rule gizmo: "), (b"[[rule", "is not TOML"), (b"\xff", "cannot be read: not UTF-8")],
)
async def test_a_bad_file_is_refused_with_its_reason_and_the_old_rules_stay(
    desk: Desk, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "own.toml").write_bytes(content)
    with structlog.testing.capture_logs() as lines:
        assert not await desk.reload.round()
    assert len(desk.books) == 1
    assert all(line["event"] == "rules refused" for line in lines)
    assert any(f"{tmp_path}/own.toml" in line["why"] and words in line["why"] for line in lines)
    assert (desk.counted("loaded"), desk.counted("refused")) == (0, 1)


async def test_the_bell_is_heard_and_a_bad_file_does_not_end_the_listening(
    desk: Desk, tmp_path: Path
) -> None:
    listening = asyncio.create_task(desk.reload.run())
    (tmp_path / "own.toml").write_text(BAD)
    desk.reload.ring()
    async with asyncio.timeout(10):
        while not desk.counted("refused"):
            await asyncio.sleep(0)
        (tmp_path / "own.toml").write_text(GOOD)
        desk.reload.ring()
        while not desk.counted("loaded"):
            await asyncio.sleep(0)
    assert ids(desk.books[-1])[0] == "gizmo"
    listening.cancel()


def test_a_folder_that_is_not_there_is_no_rules_of_ones_own(tmp_path: Path) -> None:
    assert rule_files.load(tmp_path / "nowhere") == rule_files.built_in()
