"""How long a wiki in trouble is left alone, and who shares a login that was refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.wiki import (
    LoginRefused,
    LoginThrottled,
    Wiki,
    WikiError,
    WikiMisconfigured,
    WikiUnavailable,
)
from sidecar.services.circuit import FORGOTTEN, OPINIONS, OUTAGE, Circuits, Pauses
from sidecar.services.lines import Way
from sidecar.services.places import Places
from sidecar.storage.circuits import standing
from sidecar.storage.claims import ASTRAY
from sidecar.storage.schema import metadata

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN, WRONG = WikiUnavailable("down"), WikiMisconfigured("no such right")
REFUSED, THROTTLED = LoginRefused("wrong password"), LoginThrottled("throttled", retry_after=300)


def lagged(retry_after: float) -> WikiUnavailable:
    return WikiUnavailable("lagged", retry_after=retry_after)


def nowhere() -> Wiki:
    raise AssertionError("nobody is called here")


#: Ten wikis of a farm that share a login, and one that has its own.
FARM = {**{f"w{number}": Way(nowhere, "shared") for number in range(10)}, "alone": Way(nowhere, "own")}


class Node:
    """A process: what it remembers, and the table that it shares with others."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection, self.circuits, self.places = connection, Circuits(Pauses()), Places()

    def fails(self, wiki: str, error: WikiError, at: datetime = T0, login: str = "") -> timedelta:
        login = login or FARM[wiki].login
        self.circuits.learn(wiki, login, error)
        return self.circuits.failed(self.connection, wiki, login, error, at)

    def answers(self, wiki: str, at: datetime = T0) -> bool:
        login = FARM[wiki].login
        proven = self.circuits.learn(wiki, login, None)
        return self.circuits.answered(self.connection, wiki, login, at, proven=proven)

    def closed(self, at: datetime = T0, ways: dict[str, Way] = FARM) -> set[str]:
        return self.circuits.closed(standing(self.connection), ways, at)

    def untried(self) -> set[str]:
        return self.circuits.untried(standing(self.connection), FARM, self.places)


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def node(connection: sa.Connection) -> Node:
    return Node(connection)


@pytest.fixture
def other(connection: sa.Connection) -> Node:
    """Another node, or the same after a restart."""
    return Node(connection)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        ([DOWN] * 8, [5, 10, 20, 40, 80, 160, 300, 300]),
        ([WRONG] * 3, [300, 300, 300]),
        ([lagged(60)] * 6, [60, 60, 60, 60, 80, 160]),
        ([lagged(1)] * 2, [5, 10]),
        ([lagged(86400)], [300]),
        ([DOWN, WRONG, DOWN], [5, 300, 20]),
        ([DOWN] * 1000, [5, 10, 20, 40, 80, 160, *[300] * 994]),
    ],
    ids=["down", "wrong", "lagged", "lagged a little", "lagged for a day", "in turn", "down for days"],
)
def test_pauses(node: Node, failures: list[WikiError], seconds: list[int]) -> None:
    assert [node.fails("alone", failure) / SECOND for failure in failures] == seconds


def test_a_wiki_is_left_alone_until_its_pause_is_over_and_others_are_not(node: Node) -> None:
    assert node.closed() == set()
    node.fails("w1", DOWN)
    assert node.closed() == {"w1"}
    assert node.closed(T0 + 4.9 * SECOND) == {"w1"}
    assert node.closed(T0 + 5 * SECOND) == set()


def test_an_answer_ends_the_pause_and_the_next_failure_starts_from_the_first(node: Node) -> None:
    for _ in range(5):
        node.fails("w1", DOWN)
    node.answers("w1")
    assert node.closed() == set()
    assert node.fails("w1", DOWN) == 5 * SECOND


def test_who_was_not_called_for_long_is_in_trouble_since_now(node: Node) -> None:
    node.fails("alone", DOWN)
    later = T0 + FORGOTTEN
    node.fails("alone", DOWN, later)
    assert (standing(node.connection)["alone"].since, standing(node.connection)["alone"].failures) == (T0, 2)
    later += FORGOTTEN + SECOND
    node.fails("alone", DOWN, later)
    assert (standing(node.connection)["alone"].since, standing(node.connection)["alone"].failures) == (
        later,
        1,
    )


@pytest.mark.parametrize(
    ("failures", "back"), [([DOWN] * (OUTAGE - 1), False), ([DOWN] * OUTAGE, True), ([REFUSED], True)]
)
def test_what_waits_need_wait_no_longer_after_an_outage_or_a_refused_login(
    node: Node, failures: list[WikiError], back: bool
) -> None:
    for failure in failures:
        node.fails("alone", failure)
    assert node.answers("alone") is back
    assert not node.answers("alone")


def test_another_node_and_a_restart_leave_alone_who_was_in_trouble(node: Node, other: Node) -> None:
    node.fails("w1", DOWN)
    node.fails("alone", REFUSED)
    assert other.closed() == {"w1", "alone"}
    other.answers("w1")
    assert node.closed() == {"alone"}


def test_a_wrong_password_is_tried_less_often_than_mediawiki_counts() -> None:
    # $wgPasswordAttemptThrottle's first entry: 5 attempts in 300 seconds.
    assert Pauses().misconfigured * 5 > timedelta(seconds=300)
    assert Pauses().misconfigured >= timedelta(seconds=300)
    assert OPINIONS < 5


def test_a_login_that_some_wikis_have_refused_and_none_has_taken_is_shown_to_no_other(node: Node) -> None:
    for number in range(OPINIONS):
        assert node.closed() == {f"w{before}" for before in range(number)}
        node.fails(f"w{number}", REFUSED)
    assert node.closed() == FARM.keys() - {"alone"}
    assert node.closed(T0 + 5 * MINUTE) == set()
    node.fails("w9", REFUSED, T0 + 5 * MINUTE)
    assert node.closed(T0 + 9 * MINUTE) == FARM.keys() - {"alone"}, "one more, and not three"


def test_other_nodes_have_an_opinion_of_the_same_login(node: Node, other: Node) -> None:
    for each, wiki in ((node, "w1"), (other, "w2"), (node, "w3")):
        each.fails(wiki, REFUSED)
    assert node.closed() == other.closed() == FARM.keys() - {"alone"}


def test_a_login_that_one_wiki_takes_is_refused_by_the_others_for_themselves_alone(node: Node) -> None:
    node.answers("w0")
    for number in range(1, 9):
        node.fails(f"w{number}", REFUSED)
    assert node.closed() == {f"w{number}" for number in range(1, 9)}


def test_a_wiki_whose_url_is_wrong_has_no_opinion_of_a_login(node: Node) -> None:
    node.fails("w0", WRONG)
    for number in range(1, OPINIONS + 1):
        node.fails(f"w{number}", REFUSED)
    assert node.closed() == FARM.keys() - {"alone"}


def test_a_wiki_that_takes_a_login_in_the_end_sets_the_others_free(node: Node) -> None:
    for number in range(OPINIONS):
        node.fails(f"w{number}", REFUSED)
    node.answers("w9")
    assert node.closed() == {f"w{number}" for number in range(OPINIONS)}


def test_a_login_that_was_good_and_is_refused_now_is_asked_about_anew(node: Node) -> None:
    for wiki in ("w0", "w1", "w2", "w3", "w4"):
        node.answers(wiki)
    for wiki in ("w0", "w1", "w2"):
        node.fails(wiki, REFUSED)
    assert node.closed() == FARM.keys() - {"alone"}


def test_a_changed_password_is_tried_at_once_and_is_known_to_be_another(node: Node) -> None:
    node.fails("alone", REFUSED)
    for number in range(OPINIONS):
        node.fails(f"w{number}", REFUSED)
    renewed = {wiki: Way(nowhere, f"new {way.login}") for wiki, way in FARM.items()}
    assert node.closed(ways=renewed) == set()
    rows = standing(node.connection)
    assert node.circuits.changed(rows, renewed) == {
        ("alone", "own"),
        ("w0", "shared"),
        ("w1", "shared"),
        ("w2", "shared"),
    }
    assert node.circuits.changed(rows, FARM) == set()


def test_a_password_that_another_node_still_has_wrong_is_not_forgiven_by_the_right_one(
    node: Node, other: Node
) -> None:
    node.fails("alone", REFUSED, login="the old one")
    assert other.answers("alone") is False
    old = {"alone": Way(nowhere, "the old one")}
    assert node.closed(ways=old) == {"alone"}
    rows = standing(node.connection)
    assert node.circuits.on_probation(rows, old) == {"alone"}
    assert other.circuits.on_probation(rows, FARM) == set()
    other.answers("alone", T0 + timedelta(hours=1))
    assert standing(node.connection).keys() == {"* the old one"}, "nobody has that one any more"


def test_a_throttled_login_holds_all_who_would_have_to_log_in_and_nobody_else(node: Node) -> None:
    node.answers("w0")
    assert node.fails("w1", THROTTLED) == 300 * SECOND
    assert node.closed() == {f"w{number}" for number in range(1, 10)}
    node.answers("w0")
    assert node.closed() == {f"w{number}" for number in range(1, 10)}, "its session says nothing of logins"


def test_before_the_first_opinion_few_wikis_are_asked_at_a_time(node: Node) -> None:
    for number in range(OPINIONS):
        assert node.untried() == set()
        node.places.take(f"w{number}")
    assert node.untried() == FARM.keys() - {"alone"}
    node.places.step_aside("w0")
    assert node.untried() == set(), "one that hangs has no opinion, and does not keep the others waiting"
    node.places.take("w3")
    node.places.leave("w1")
    node.answers("w1")
    node.places.take("w4")
    assert node.untried() == set(), "it is good"


def test_what_has_not_failed_for_a_month_is_forgotten(node: Node) -> None:
    node.fails("w1", REFUSED)
    node.fails("alone", DOWN, T0 + timedelta(days=31))
    assert standing(node.connection).keys() == {"alone"}


@pytest.mark.parametrize(
    ("ahead", "believed"),
    [(timedelta(0), True), (ASTRAY, True), (ASTRAY + SECOND, False), (timedelta(days=20), False)],
)
def test_what_a_clock_has_closed_that_ran_ahead_is_open(node: Node, ahead: timedelta, believed: bool) -> None:
    node.fails("alone", DOWN, T0 + ahead)
    assert ("alone" in node.closed(T0)) == believed
