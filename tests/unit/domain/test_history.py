"""What each mail means: a table of histories with the standing of every mail, and why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.classify import HARD_CAPABLE
from sidecar.domain.history import History, Mail, Reading, Standing, read_history

from .mails import DAY, at, hard, quiet, soft

B = "bbbbbb"
COUNTS, ARRIVED, PENDING, SOFT = Standing.COUNTS, Standing.ARRIVED, Standing.PENDING, Standing.SOFT
OTHER_ADDRESS, BEFORE_PROOF, TOO_SOON = Standing.OTHER_ADDRESS, Standing.BEFORE_PROOF, Standing.TOO_SOON


def reading(history: History, today: float, **more: timedelta | None) -> Reading:
    times: dict[str, timedelta | None] = {"forget": 60 * DAY, "period": None, **more}
    return read_history(
        history,
        HARD_CAPABLE,
        now=at(today),
        settle=2 * DAY,
        forget=times["forget"],
        period=times["period"],
    )


@pytest.mark.parametrize(
    ("mails", "today", "standings"),
    [
        ([], 0, []),
        ([hard(0), hard(4), hard(8)], 8, [COUNTS] * 3),
        ([hard(0), quiet(4), hard(8)], 10, [BEFORE_PROOF, ARRIVED, COUNTS]),
        ([hard(0), hard(4), quiet(6), hard(8)], 8, [BEFORE_PROOF, BEFORE_PROOF, ARRIVED, TOO_SOON]),
        ([hard(0), hard(4), quiet(6.5), hard(8)], 8, [COUNTS, COUNTS, PENDING, COUNTS]),
        ([hard(0), hard(4), quiet(6.5), hard(8)], 10, [BEFORE_PROOF, BEFORE_PROOF, ARRIVED, COUNTS]),
        ([hard(0), soft(4), hard(8)], 8, [COUNTS, SOFT, COUNTS]),
        ([hard(0), quiet(4), soft(5), hard(8)], 8, [BEFORE_PROOF, ARRIVED, SOFT, COUNTS]),
        # The mail thought delivered at day 4 comes back late.
        ([hard(0), quiet(4), hard(4), hard(8)], 12, [COUNTS] * 3),
        ([hard(0), quiet(4), soft(4), hard(8)], 12, [COUNTS, SOFT, COUNTS]),
        # In one second, to one address: known by one row, and it came back.
        ([hard(0), quiet(0)], 8, [COUNTS]),
        # In one second, but to two addresses: what arrived speaks for the address of now.
        ([hard(0), quiet(0, B)], 8, [OTHER_ADDRESS, ARRIVED]),
        ([hard(0, tag=""), quiet(0)], 8, [BEFORE_PROOF, ARRIVED]),
        # A clock that jumped back: mails of a future that is nobody's proof.
        ([hard(0), hard(4), quiet(9)], 5, [COUNTS, COUNTS, PENDING]),
    ],
)
def test_proofs_take_away_and_late_bounces_give_back(
    mails: list[Mail], today: float, standings: list[Standing]
) -> None:
    found = reading(History(mails), today)
    assert [standing for _, standing in found.standings] == standings
    assert found.counted == [mail for mail, standing in found.standings if standing is COUNTS]


@pytest.mark.parametrize(
    ("mails", "standings"),
    [
        ([hard(0), hard(4, B), hard(8, B)], [OTHER_ADDRESS, COUNTS, COUNTS]),
        ([hard(0), hard(4, B), hard(8)], [OTHER_ADDRESS, OTHER_ADDRESS, COUNTS]),  # A, B, and A again
        ([hard(0), hard(4), quiet(8, B)], [OTHER_ADDRESS, OTHER_ADDRESS, PENDING]),
        ([hard(0), soft(4, B), hard(8, B)], [OTHER_ADDRESS, SOFT, COUNTS]),
        # BounceHandler's return paths have no tag: they tell of no change, and hide none.
        ([hard(0), hard(4, ""), hard(8)], [COUNTS] * 3),
        ([hard(0), hard(4, ""), hard(8, B)], [OTHER_ADDRESS, COUNTS, COUNTS]),
        # A new key: its tags and the old one's cannot be compared.
        ([hard(0), hard(4, B, key_id="k2"), hard(8, B, key_id="k2")], [COUNTS] * 3),
        ([hard(0), hard(1, B), hard(4, "cccccc", key_id="k2")], [OTHER_ADDRESS, COUNTS, COUNTS]),
        ([hard(0), hard(4, B, key_id="k2"), hard(8)], [COUNTS] * 3),
    ],
)
def test_another_address_starts_anew(mails: list[Mail], standings: list[Standing]) -> None:
    assert [standing for _, standing in reading(History(mails), 9).standings] == standings


def test_a_proof_under_the_old_key_counts_under_the_new_one() -> None:
    mails = [hard(0), quiet(4), hard(8, B, key_id="k2")]
    assert reading(History(mails), 12).counted == mails[2:]


@pytest.mark.parametrize(
    ("mail", "standing"),
    [
        (hard(8, pardoned=True), Standing.PARDONED),
        (hard(8, confirming=True), Standing.CONFIRMING),
        (replace(soft(8), confirming=True), SOFT),
        (hard(8, category="mailbox-full"), Standing.OTHER_CATEGORY),
    ],
)
def test_a_failure_that_does_not_count_says_why_and_ends_no_streak(mail: Mail, standing: Standing) -> None:
    found = reading(History([hard(0), mail, hard(9)]), 9)
    assert [standing for _, standing in found.standings] == [COUNTS, standing, COUNTS]


def test_failures_far_apart_are_no_streak() -> None:
    found = reading(History([hard(0), hard(4), hard(64.1), hard(100)]), 100)
    assert [standing for _, standing in found.standings] == [Standing.FORGOTTEN] * 2 + [COUNTS] * 2
    assert len(reading(History([hard(0), hard(60), hard(120)]), 120).counted) == 3


def test_the_newest_failure_closes_a_window_and_not_the_clock() -> None:
    found = reading(History([hard(0), hard(1), hard(8)]), 400, forget=None, period=7 * DAY)
    assert [standing for _, standing in found.standings] == [Standing.OUTSIDE, COUNTS, COUNTS]


def test_what_was_sent_up_to_an_action_is_settled() -> None:
    found = reading(History([quiet(0), hard(1), hard(4), hard(4.1)], forget_until=at(4)), 9)
    assert [standing for _, standing in found.standings] == [Standing.SETTLED] * 3 + [COUNTS]


def test_a_settled_proof_and_a_settled_address_say_nothing_of_what_came_after() -> None:
    found = reading(History([hard(0, B), hard(4)], forget_until=at(2)), 9)
    assert [standing for _, standing in found.standings] == [Standing.SETTLED, COUNTS]


def test_every_standing_is_said_in_other_words() -> None:
    assert len({str(standing) for standing in Standing}) == len(Standing)
