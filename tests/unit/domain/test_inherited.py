"""Which of BounceHandler's records enter, and what their few words tell."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.bounce_records import Owner, Row
from sidecar.domain.classify import HARD_CAPABLE, Category
from sidecar.domain.inherited import Fate, fate_of, verdict_of
from sidecar.edges.rule_files import built_in

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RULES = built_in()
ANN = Owner("enwiki", 7, NOW - 20 * DAY)


def record(days: float, reason: str = "") -> Row:
    return Row(1, "ann@remote.example", NOW - days * DAY, reason)


@pytest.mark.parametrize(
    ("days", "owners", "fate"),
    [
        (5, [ANN], Fate.ENTERED),
        (20, [ANN], Fate.ENTERED),
        (20.0001, [ANN], Fate.BEFORE),
        (5, [], Fate.NOBODY),
        (5, [ANN, Owner("enwiki", 8, NOW - 20 * DAY)], Fate.SEVERAL),
        (5, [ANN, Owner("dewiki", 7, None)], Fate.SEVERAL),
        (5, [Owner("frwiki", 7, NOW - 20 * DAY)], Fate.ELSEWHERE),
        (5, [Owner("enwiki", 7, None)], Fate.NOT_CONFIRMED),
        (91, [Owner("enwiki", 7, NOW - 400 * DAY)], Fate.OLD),
        (90, [Owner("enwiki", 7, NOW - 400 * DAY)], Fate.ENTERED),
        (-1, [ANN], Fate.FUTURE),
    ],
)
def test_only_what_belongs_to_one_user_and_still_counts_enters(
    days: float, owners: list[Owner], fate: Fate
) -> None:
    assert fate_of(record(days), owners, {"enwiki", "dewiki"}, NOW, 90 * DAY) is fate


HARD = [
    "Returned mail: User unknown",
    "DELIVERY FAILURE: User ann (ann@remote.example) not listed in Domino Directory",
    "=?utf-8?q?Returned_mail=3A_User_unknown?=",
    "550 5.1.1 User unknown",
]
SOFT = [
    "",
    "Undelivered Mail Returned to Sender",
    "Mail delivery failed: returning message to sender",
    "Delivery Status Notification (Failure)",
    "failure notice",
    "Returned mail: see transcript for details",
    "Returned mail: Mailbox full",
    "552 5.2.2 Over quota",
    "550 5.7.1 Message rejected, listed by a block list",
    # What somebody wrote through the wiki, in the words of a mail system.
    "Undeliverable: 550 5.1.1 User unknown",
    "Non remis : 550 5.1.1 User unknown",
    "[Undeliverable] 550 5.1.1 User unknown",
    "Unzustellbar: Returned mail: User unknown",
    "Re: User unknown",
]


@pytest.mark.parametrize("reason", HARD)
def test_what_our_rules_call_hard_is_hard_and_says_whence_it_came(reason: str) -> None:
    verdict, _ = verdict_of(record(5, reason), RULES, HARD_CAPABLE)
    assert (verdict.category, verdict.hard) == (Category.USER_UNKNOWN, True)
    assert verdict.rule.startswith("bouncehandler/")


@pytest.mark.parametrize("reason", SOFT)
def test_everything_else_is_soft_whatever_bouncehandler_thought(reason: str) -> None:
    verdict, _ = verdict_of(record(5, reason), RULES, HARD_CAPABLE)
    assert not verdict.hard
    assert verdict.rule.startswith("bouncehandler")


def test_a_category_that_may_not_count_here_does_not(
    ) -> None:  # fmt: skip
    assert not verdict_of(record(5, HARD[0]), RULES, frozenset())[0].hard


def test_octets_that_are_no_text_are_no_trouble() -> None:
    verdict, status = verdict_of(record(5, "550 5.1.1 \udcff\udcfe nobody"), RULES, HARD_CAPABLE)
    assert status == "5.1.1"
    assert "@" not in verdict.words
