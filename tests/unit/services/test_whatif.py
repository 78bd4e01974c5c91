"""Two policies over the same archive: each decides as the daemon would have, in whatever order it is read."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import replaying
from sidecar.configuration.configured import Config
from sidecar.domain.classify import Category
from sidecar.domain.policy import PRESETS, Mode, Policy, Streak
from sidecar.services.receipt import Receipt
from sidecar.services.replay import Archived
from sidecar.services.whatif import Difference, Fated
from tests.support.practice import WIKI, bounce, configured, load

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GONE = "postfix/01-no-such-user"
KINDS = [GONE] * 6 + ["exim/01-no-such-user", "postfix/05-mailbox-full", "exim/18-auto-reply"]
WARNING = Policy(Streak(), Mode.ENFORCE, warn=True)
POLICIES = {name: Policy(preset.rule, Mode.SHADOW, warn=preset.warn) for name, preset in PRESETS.items()} | {
    "quick": Policy(Streak(2, DAY), Mode.ENFORCE, warn=True, grace=DAY),
    "choosy": Policy(Streak(), Mode.ENFORCE, categories=frozenset({Category.HOST_UNKNOWN})),
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    configured(tmp_path)
    return load(tmp_path)


def archived(name: str, raw: bytes) -> Archived:
    return Archived(name, lambda: raw)


def failing(config: Config, user_id: int, *days: float, name: str = GONE) -> list[Archived]:
    times = [START + day * DAY for day in days]
    mails = [bounce(config, name, user_id, time, time + timedelta(minutes=5)) for time in times]
    return [archived(f"{user_id}-{number}", raw) for number, raw in enumerate(mails)]


def a_year_of_mail(config: Config, seed: int) -> list[Archived]:
    """Some users whose mails come back in all ways: late, twice, softly first."""
    chance = random.Random(seed)
    mails = []
    for number in range(150):
        sent = START + chance.choice([3, 30, 300]) * chance.random() * DAY
        came = sent + chance.choice([0.01, 1, 6]) * DAY
        name, user_id = chance.choice(KINDS), chance.randrange(1, 5)
        address = chance.choice(["ann@remote.example"] * 20 + ["new@remote.example"])
        mails.append(archived(str(number), bounce(config, name, user_id, sent, came, address)))
        if chance.random() < 0.2:
            again = bounce(config, GONE, user_id, sent, came + DAY, address)
            mails.append(archived(f"{number}-again", again))
    return mails


def compared(config: Config, mails: list[Archived], ours: Policy, theirs: Policy) -> list[Difference]:
    config = replace(config, policies={WIKI: ours})
    return replaying.what_if(config, mails, theirs, progress=lambda done, total: None)[1]


@pytest.mark.parametrize("name", POLICIES)
def test_each_policy_decides_as_a_replay_of_it_does(config: Config, name: str) -> None:
    policy, mails = POLICIES[name], a_year_of_mail(config, seed=4)
    config = replace(config, policies={WIKI: policy})
    replayed = asyncio.run(replaying.replay(config, mails, ingest=False, progress=lambda done, total: None))
    first: dict[tuple[int, str], datetime] = {}
    for entry in replayed.actions:
        first.setdefault((entry.user_id, entry.kind), entry.created)
    found: dict[tuple[int, str], datetime] = {}
    for user in compared(config, mails, policy, policy):
        assert user.difference == ""
        if user.ours.warned:
            found[user.user_id, "warn"] = user.ours.warned[0]
        if user.ours.unconfirmed:
            found[user.user_id, "unconfirm"] = user.ours.unconfirmed
    assert found == first
    assert bool(found) is (name != "choosy")


def test_neither_order_nor_number_of_the_mails_matters(config: Config) -> None:
    mails = a_year_of_mail(config, seed=5)
    shuffled = [replace(mail, name=f"other-{mail.name}") for mail in mails + mails]
    random.Random(1).shuffle(shuffled)
    ours, theirs = POLICIES["specification"], POLICIES["quick"]
    once = compared(config, mails, ours, theirs)
    assert compared(config, shuffled, ours, theirs) == once
    assert len(once) > 2


def test_a_mail_is_read_once_for_both(config: Config) -> None:
    loads: list[str] = []

    def load_(mail: Archived) -> bytes:
        loads.append(mail.name)
        return mail.load()

    mails = failing(config, 7, 0, 4, 8)
    counted = [Archived(mail.name, lambda mail=mail: load_(mail)) for mail in mails]  # type: ignore[misc]
    assert len(compared(config, counted, POLICIES["specification"], POLICIES["gentle"])) == 1
    assert loads == ["7-0", "7-1", "7-2"]


LATER = START + timedelta(minutes=5)

S, G, W, Q = "specification", "gentle", "wikimedia", "quick"

#: Days on which mail fails, what each of two policies makes of it, and the difference in words.
DIFFERENCES = [
    ((0, 4, 8), S, G, "un-confirmed 2026-03-09", "warned 2026-03-09", "not un-confirmed"),
    (
        (0, 4, 8, 12), S, G, "un-confirmed 2026-03-09", "warned 2026-03-09, un-confirmed 2026-03-13",
        "un-confirmed 4 days later",
    ),
    ((0, 1, 2, 3, 4), S, W, "left alone", "un-confirmed 2026-03-05", "un-confirmed, too"),
    ((0, 4, 8), G, S, "warned 2026-03-09", "un-confirmed 2026-03-09", "un-confirmed, too"),
    (
        (0, 2, 8), G, Q, "warned 2026-03-09", "warned 2026-03-03, un-confirmed 2026-03-09",
        "un-confirmed, too",
    ),
    ((0, 2), G, Q, "left alone", "warned 2026-03-03", "warned, too"),
    ((0, 2), Q, G, "warned 2026-03-03", "left alone", "not warned"),
    ((0, 4, 8), S, S, "un-confirmed 2026-03-09", "un-confirmed 2026-03-09", ""),
]  # fmt: skip


@pytest.mark.parametrize(("days", "ours", "theirs", "fate", "other", "difference"), DIFFERENCES)
def test_the_difference_is_told_in_words(
    config: Config, days: tuple[int, ...], ours: str, theirs: str, fate: str, other: str, difference: str
) -> None:
    [user] = compared(config, failing(config, 7, *days), POLICIES[ours], POLICIES[theirs])
    assert (str(user.ours), str(user.theirs), user.difference) == (fate, other, difference)
    assert (user.wiki, user.user_id) == (WIKI, 7)


def test_whom_no_policy_would_touch_is_not_listed(config: Config) -> None:
    mails = failing(config, 7, 0, 4, 8, name="postfix/05-mailbox-full") + failing(config, 8, 0, 1)
    assert compared(config, mails, POLICIES["specification"], WARNING) == []


def test_nobody_sends_to_who_is_unconfirmed(config: Config) -> None:
    [user] = compared(config, failing(config, 7, *range(0, 400, 4)), WARNING, POLICIES["specification"])
    reason = "3 hard bounces of mail sent 2026-03-01 to 2026-03-09 (user-unknown)"
    assert user.theirs == Fated((), LATER + 8 * DAY, reason)
    assert user.ours.warned == (LATER + 8 * DAY,)
    assert user.ours.unconfirmed == LATER + 12 * DAY


def test_what_is_left_out_is_told(config: Config) -> None:
    def gone() -> bytes:
        raise FileNotFoundError

    [mail] = failing(config, 7, 0)
    undated = archived("undated", mail.load().replace(b"\nDate:", b"\nDatum:"))
    forged = archived("forged", b"Date: Sun, 1 Mar 2026 12:00:00 +0000\nTo: ann@example.com\n\nhello\n")
    mails = [mail, mail, Archived("gone", gone), undated, forged]
    judged, _ = replaying.what_if(config, mails, WARNING, progress=lambda done, total: None)
    assert (judged.undated, judged.unreadable) == (["undated"], ["gone"])
    assert judged.receipts == {Receipt.TAKEN: 1, Receipt.DUPLICATE: 1, Receipt.NOT_OURS: 1}
