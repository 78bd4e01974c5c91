"""The bench runs and its contenders work. How fast they are is nobody's assertion."""

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main, race
from tests.bench.contender import OURS, ROSTER, Contender, Entrant, Pass
from tests.bench.figures import Race, Spread, as_json, as_text
from tests.support.mails import recorded_mails
from tests.support.places import missing

pytestmark = pytest.mark.slow

MAILS = list(recorded_mails().values())


@pytest.mark.parametrize("entrant", ROSTER, ids=lambda entrant: entrant.name)
def test_a_contender_really_judges_the_mails(entrant: Entrant) -> None:
    if not entrant.is_here():
        missing(f"{entrant.name}: {entrant.remedy}")
    with Contender(entrant, MAILS) as contender:
        once, twice = contender.run(1), contender.run(2)
        assert len(MAILS) // 2 < once.recognised <= len(MAILS)
        assert twice.recognised == once.recognised
        assert once.seconds > 0
        assert once.cpu > 0
        assert contender.version


def test_a_contender_that_dies_is_an_error_not_a_time() -> None:
    deserter = Entrant("deserter", ("true",), ("true",), "")
    with pytest.raises((RuntimeError, BrokenPipeError)), Contender(deserter, MAILS):
        pass


def test_the_command_prints_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.__main__.corpus_mails", dict)
    main(["--rounds", "2", "--pass", "1", "--most", "1000", "--json", str(tmp_path / "told.json")])
    told = json.loads((tmp_path / "told.json").read_text())["races"]["fixtures/bounces"]
    assert told["contenders"][OURS]["recognised"] > 0
    assert all(len(one["passes"]) == 2 for one in told["contenders"].values())
    printed = capsys.readouterr().out
    assert f"fixtures/bounces: {len(MAILS)} mails, 2 rounds" in printed
    assert "a decision, 2 rounds" in printed
    assert "1000 watched, a user who is watched" in printed


def test_every_contender_has_one_pass_a_round_over_as_many_mails_as_asked() -> None:
    result = race("some", MAILS[:3], ROSTER[:1], rounds=3, least=7)
    assert (result.repeats, [list(one) for one in result.rounds]) == (3, [[OURS]] * 3)


def test_a_ratio_compares_within_the_round() -> None:
    rounds = [
        {OURS: Pass(ours, ours, 1), "other": Pass(theirs, theirs / 2, 1)}
        for ours, theirs in ((1.0, 2.0), (2.0, 4.0), (10.0, 30.0))
    ]
    result = Race("some", 10, 2, {OURS: "we 1", "other": "they 2"}, rounds)
    assert result.rate(OURS) == Spread(6.0, 10.0, 15.0)
    assert result.ratio("other") == Spread(2.0, 2.0, 2.5)
    assert result.cpu_ratio("other").median == 1.0
    assert result.share("other") == 0.5
    assert "they 2" in as_text(result)
    assert json.dumps(as_json(result))
