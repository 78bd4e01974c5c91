"""Mails for the tests of the policy: days on which they were sent, and what came back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sidecar.domain.history import Fate, History, Mail
from sidecar.domain.policy import Mode, Policy, Streak

T0 = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SPECIFICATION = Policy(Streak(), Mode.ENFORCE)

LETTERS = {"h": Fate.HARD, "s": Fate.SOFT, "-": Fate.NOTHING}


def at(day: float) -> datetime:
    return T0 + timedelta(days=day)


def hard(day: float, tag: str = "aaaaaa", **more: Any) -> Mail:
    return Mail(
        at(day), Fate.HARD, more.pop("category", "user-unknown"), tag, more.pop("key_id", "k1"), **more
    )


def soft(day: float, tag: str = "aaaaaa") -> Mail:
    return Mail(at(day), Fate.SOFT, "mailbox-full", tag, "k1")


def quiet(day: float, tag: str = "aaaaaa", key_id: str = "k1") -> Mail:
    """Nothing came back, or has come back yet."""
    return Mail(at(day), Fate.NOTHING, "", tag, key_id)


def failed(*days: float) -> History:
    return History([hard(day) for day in days])
