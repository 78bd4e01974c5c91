"""The bench runs, and what goes wrong is an error and no figure. How fast anybody is, no test asserts."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench import bounces, lookups
from tests.bench.__main__ import PARTS, main
from tests.bench.bounces import fresh_bounces, pour, write_for_pouring
from tests.bench.contender import ROSTER, Contender, Entrant
from tests.bench.figures import OURS, Section
from tests.bench.house import House
from tests.bench.reading import race
from tests.bench.settings import QUICK
from tests.support.mails import recorded_mails
from tests.support.places import missing
from tests.support.practice import load as configuration

pytestmark = pytest.mark.slow

MAILS = list(recorded_mails().values())


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A daemon for tests that measure nothing."""
    if not shutil.which("cc"):
        missing("cc: apt-get install gcc libc6-dev")
    with House() as house:
        yield house


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


def test_contenders_are_raced_alone_and_in_twos() -> None:
    taken, versions = race(MAILS[:3], ROSTER[:1], replace(QUICK, rounds=3, reading=7))
    assert list(taken) == [(OURS, 1), (OURS, 2)]
    assert [len(rounds["mails/s"]) for rounds in taken.values()] == [3, 3]
    assert versions[OURS].startswith("bounce-sidecar")


def test_a_lookup_that_is_refused_is_an_error_not_a_figure(house: House, tmp_path: Path) -> None:
    program, ours = lookups.compiled(tmp_path), lookups.our_server(house)
    assert lookups.load(program, ours, 2, 3, 0.01).rate > 0
    with pytest.raises(RuntimeError, match="no good"):
        lookups.load(program, replace(ours, question="verp nosuchwiki # user@example.net"), 2, 3, 0.01)
    with pytest.raises(RuntimeError, match="connect"):
        lookups.load(program, replace(ours, address=str(tmp_path / "nobody")), 2, 3, 0.01)


def test_a_bounce_that_is_refused_is_an_error_not_a_figure(house: House, tmp_path: Path) -> None:
    program, mails = bounces.compiled(tmp_path), list(fresh_bounces(configuration(house.folder), 5, 1))
    write_for_pouring(iter(mails), tmp_path / "good")
    assert pour(program, house.lmtp_socket, tmp_path / "good").rate > 0
    write_for_pouring(iter([("nobody@bounces.example.org", mails[0][1])]), tmp_path / "bad")
    with pytest.raises(RuntimeError, match="refused"):
        pour(program, house.lmtp_socket, tmp_path / "bad")


@pytest.mark.parametrize("part", PARTS)
def test_each_part_says_something_of_everybody_in_every_round(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("cc"):
        missing("cc: apt-get install gcc libc6-dev")
    monkeypatch.setattr("tests.bench.reading.corpus_mails", dict)
    main([part, "--quick", "--rounds", "1", "--into", str(tmp_path)])
    told = json.loads((tmp_path / "bench/results.json").read_text())
    sections, printed = [Section.from_json(one) for one in told["sections"]], capsys.readouterr().out
    assert sections
    for section in sections:
        assert section.title in printed
        assert section.title in (tmp_path / "docs/measured.md").read_text()
        assert OURS in {line.who for line in section.lines}
        for line in section.lines:
            assert line.rounds
            assert line.rounds[section.measures[0].name][0] > 0
            # The kernel counts processor time in hundredths of a second.
            assert all(len(values) == 1 and values[0] >= 0 for values in line.rounds.values()), line
    assert ElementTree.parse(tmp_path / "bench/plot.svg").getroot().tag.endswith("svg")
