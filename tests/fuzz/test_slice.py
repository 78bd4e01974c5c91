"""A slice of the campaign, small enough for every run, and what the campaign itself promises."""

from pathlib import Path
from random import Random

import pytest

from sidecar.domain import notice
from sidecar.domain.notice import Kind, Notice
from tests.fuzz import __main__ as command
from tests.fuzz.campaign import Campaign, made
from tests.fuzz.damage import KINDS, MAX_MAIL, damaged
from tests.fuzz.examine import Broken, examine
from tests.support.mails import recorded_mails

pytestmark = pytest.mark.slow

SLICE = 4000  # mails, of recorded ones only: the same on every machine
RAW = list(recorded_mails().values())


def test_no_damaged_mail_breaks_a_promise() -> None:
    outcome = Campaign(seed=0, mails=SLICE, corpus=False).run()
    assert [(one.mail.number, one.mail.kind, one.why) for one in outcome.broken] == []
    assert set(outcome.mails) == set(KINDS)
    assert outcome.mails.total() == SLICE
    assert all(outcome.bounces[kind] for kind in KINDS), "damage that leaves nothing to read finds nothing"


def test_a_mail_may_end_at_any_byte() -> None:
    raw = next(raw for raw in RAW if examine(raw).hard)
    for end in range(len(raw)):
        examine(raw[:end])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_damage_takes_any_mail_and_the_same_chance_makes_the_same(kind: str) -> None:
    for number in range(50):
        for raw in (b"", b"\n", b"a", RAW[number % len(RAW)]):
            one = damaged(Random(number), kind, raw, RAW[0])
            assert one == damaged(Random(number), kind, raw, RAW[0])
            assert len(one) <= MAX_MAIL


def test_a_number_names_a_mail() -> None:
    assert made(1, 5, corpus=False) == made(1, 5, corpus=False) != made(2, 5, corpus=False)


def test_a_promise_that_is_broken_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "read", lambda raw: Notice(Kind.BOUNCE, (), "", None))
    with pytest.raises(Broken, match="bounce with 0 reports"):
        examine(b"")
    monkeypatch.setattr(notice, "read", lambda raw: Notice(Kind.ORDINARY, (), "\ud800", None))
    with pytest.raises(Broken, match="lone surrogate"):
        examine(b"")


def test_a_mail_without_end_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(raw: bytes) -> Notice:
        while True:
            pass

    monkeypatch.setattr("tests.fuzz.examine.ENDLESS", 0.1)
    monkeypatch.setattr(notice, "read", forever)
    with pytest.raises(Broken, match="no end"):
        examine(b"")


def test_the_command_writes_broken_mails_for_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def picky(raw: bytes) -> Notice:
        if b"\0" in raw:
            raise ValueError("a NUL")
        return Notice(Kind.ORDINARY, (), "", None)

    monkeypatch.setattr(notice, "read", picky)
    monkeypatch.setattr(command, "corpus_mails", dict)
    assert command.main(["--mails", "64", "--seed", "3", "--folder", str(tmp_path)]) == 1
    written = sorted((tmp_path / "broken").glob("*.eml"))
    assert written
    assert all(b"\0" in path.read_bytes() for path in written)
    assert "ValueError: a NUL" in written[0].with_suffix(".txt").read_text()
    assert capsys.readouterr().out.count("broken/") == len(written)


def test_the_command_ends_well_where_nothing_breaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--mails", "160", "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "160 mails of" in told
    assert "broken/" not in told
