"""The whole loop on real parts again: users are told before and after, and an act of ours is taken back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.test_extension_confirm import submitted
from tests.e2e.test_whole_loop import DAY, START, Loop, loop
from tests.support.desk import say
from tests.support.waiting import until

__all__ = ["loop"]

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def gently(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sidecar of this file warns first."""
    monkeypatch.setenv("BOUNCE_SIDECAR_POLICY__PRESET", "gentle")


def states(loop: Loop, user: int) -> list[tuple[str, ...]]:
    return loop.sidecar.rows(f"SELECT kind, state, effect FROM action WHERE user_id = {user} ORDER BY id")


def test_a_user_is_warned_then_unconfirmed_and_undone_all_is_as_before(loop: Loop) -> None:
    dead, confirmed = loop.user("nouser"), START - 30 * DAY
    for day in (0, 4, 8):
        loop.mail(dead, day=day)
    until(lambda: loop.wiki.told(dead) == ["warn"], "the warning")
    until(lambda: states(loop, dead) == [("warn", "done", "warned")], "its settling")
    loop.mail(dead, day=10)  # within the days of grace
    assert loop.wiki.mailbox(dead).confirmed_at == confirmed
    loop.mail(dead, day=12)
    until(lambda: loop.wiki.told(dead) == ["warn", "unconfirm"], "the announcement")
    until(lambda: states(loop, dead)[1:] == [("unconfirm", "done", "unconfirmed")], "its settling")
    assert loop.wiki.mailbox(dead).confirmed_at is None
    undo(loop, dead)
    until(lambda: loop.wiki.mailbox(dead).confirmed_at == confirmed, "the restoring")


def undo(loop: Loop, user: int) -> None:
    folder: Path = loop.sidecar.folder
    since = f"{START:%Y-%m-%d}"
    assert "1 would be confirmed again" in say(folder, "undo", "--since", since, "--user", str(user)).stdout
    assert say(folder, "undo", "--since", since, "--user", str(user), "--yes").exit_code == 0
    loop.sidecar.set_clock(datetime.now(UTC))  # the command goes by the real one


def test_whoever_mistypes_a_new_address_is_told_within_minutes(loop: Loop) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    loop.sidecar.set_clock(now)
    user = loop.user("somebody")
    submitted(loop.wiki, loop.wiki.user(user), "ChangeEmail", NewEmail=f"nouser-{user}@remote.example")
    until(lambda: loop.wiki.told(user) == ["mistyped"], "the word about the address")
    until(lambda: states(loop, user) == [("mistyped", "done", "warned")], "its settling")
