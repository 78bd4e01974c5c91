"""The runner itself: a promise that breaks is told, kept, and ends the program with 1."""

from pathlib import Path

import pytest

from tests.attack import __main__ as runner
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.tally import MAX_WRONGS, Tally

POISON = b"never say this"


def _check(data: bytes) -> None:
    if POISON in data:
        raise Broken("it was said\non two lines")


def _poisoned(seed: int, seconds: float) -> Tally:
    return fuzz(Target(__name__, _check, seeds=[POISON, b"honest"]), seed, seconds)


def _raises(seed: int, seconds: float) -> Tally:
    raise ValueError("not foreseen")


def _honest(seed: int, seconds: float) -> Tally:
    return fuzz(Target(__name__, _check, seeds=[b"honest"]), seed, seconds)


def _run(monkeypatch: pytest.MonkeyPatch, folder: Path, **found: object) -> int:
    monkeypatch.setattr(runner, "campaigns", lambda: found)
    return runner.main(["--seconds", "0", "--folder", str(folder)])


def test_what_broke_a_promise_is_kept_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, tmp_path, poisoned=_poisoned) == 1
    assert r"BROKEN: Broken: it was said\non two lines" in capsys.readouterr().out
    kept = sorted(tmp_path.glob("*.bin"))
    assert 0 < len(kept) <= MAX_WRONGS
    assert all(POISON in file.read_bytes() and file.with_suffix(".txt").exists() for file in kept)


def test_a_campaign_that_raises_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, tmp_path, raises=_raises) == 1
    assert b"not foreseen" in (tmp_path / "raises-1.bin").read_bytes()


def test_nothing_broken_is_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, tmp_path, honest=_honest) == 0
    assert list(tmp_path.iterdir()) == []
