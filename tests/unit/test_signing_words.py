"""What the daemon and a process that signs say to each other arrives as it was said."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from sidecar.domain.numbers import Numbers
from sidecar.domain.send import Send
from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.services.receipt import Receipt
from sidecar.signing.words import (
    Begin,
    Counted,
    End,
    Line,
    Refused,
    Serving,
    Told,
    Use,
    Using,
    Watch,
    WatchAll,
    spelled,
    word,
)

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
VERP = Verp(
    (SidecarFormat("wiki", "b.example", Keyring((b"o" * 32,))),), ["enwiki"], accept=timedelta(days=10)
)
TOLD = Told(
    Counter({("enwiki", date(2026, 11, 20)): 2}),
    T0,
    [Send("enwiki", 7, T0, "abcdef", "01234567")],
    Counted(Counter({("return_paths", ("issued",)): 2}), ([0, 2, 0], 0.5), 3),
    {Receipt.FORGED: Refused(21, ["why"])},
    [Line("warning", "too many connections", {"limit": 500})],
)
WORDS = [
    Serving(),
    Using(3),
    Watch("enwiki", 7, watched=True),
    WatchAll({"enwiki": Numbers([7, 70_000])}),
    TOLD,
    End(),
]


@pytest.mark.parametrize("said", WORDS)
def test_a_word_arrives_as_it_was_said(said: object) -> None:
    assert word(spelled(said)) == said


@pytest.mark.parametrize("said", [Begin(VERP, {}, False), Use(VERP, 1)])
def test_who_gets_the_keys_signs_the_same(said: Begin | Use) -> None:
    there = word(spelled(said))
    assert isinstance(there, type(said))
    mail = "enwiki", 7, "bob@example.com", T0
    assert there.verp.issue(*mail) == VERP.issue(*mail)
