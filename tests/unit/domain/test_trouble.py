"""Every trouble at its border: there it begins, and a moment before there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.remedies import REMEDIES, SEVERITIES, Kind, Severity
from sidecar.domain.trouble import Tolerance, Trouble, troubles
from sidecar.domain.vitals import Ailment, Braked, CanaryRound, NodeSign, Outbox, Vitals, WikiSign

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MIB = 2**20
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = 24 * HOUR

WITH_CANARIES = Tolerance(canary_every=15 * MINUTE)
NODE = NodeSign("mx1", "issue, take, act", "1", NOW - 30 * DAY, NOW - 15 * SECOND)
OTHER = replace(NODE, name="mx2")
WELL = Vitals(NOW, here="mx1", nodes=(NODE,), canaries=(CanaryRound(NOW - MINUTE, NOW - 59 * SECOND),))


def silent(since: timedelta, **changes: object) -> Vitals:
    known = replace(WELL, signed=NOW - MINUTE, signed_lately=500, noticed=NOW - since)
    return replace(known, **changes)  # type: ignore[arg-type]


def sent(ago: timedelta, took: timedelta | None = None, error: str = "") -> CanaryRound:
    return CanaryRound(NOW - ago, None if took is None else NOW - ago + took, error)


def canaries(*rounds: CanaryRound, **node: object) -> Vitals:
    return replace(WELL, canaries=rounds, nodes=(replace(NODE, **node),))  # type: ignore[arg-type]


def wiki(ailment: Ailment, since: timedelta = MINUTE) -> Vitals:
    return replace(WELL, wikis=(WikiSign("enwiki", ailment, "said so", NOW - since, None, 3),))


def owing(**outbox: object) -> Vitals:
    return replace(WELL, outbox=Outbox(**outbox))  # type: ignore[arg-type]


DOWN = WikiSign("enwiki", Ailment.UNAVAILABLE, "said so", NOW - HOUR, None, 3)

#: kind -> it is there, and it is not
BORDERS: dict[Kind, tuple[list[Vitals], list[Vitals]]] = {
    Kind.DATABASE: ([replace(WELL, database="It is full")], [WELL]),
    Kind.NO_DAEMON: (
        [
            replace(WELL, nodes=()),
            replace(WELL, nodes=(replace(NODE, seen=NOW - 121 * SECOND),)),
            replace(WELL, nodes=(replace(NODE, stopped=NOW),)),
            replace(WELL, deaf="/run/lmtp.sock"),
            replace(WELL, deaf="/run/lmtp.sock", database="It is full"),
            Vitals(NOW, history=False, deaf="/run/verp.sock"),
        ],
        [
            WELL,
            replace(WELL, nodes=(replace(NODE, seen=NOW - 120 * SECOND),)),
            replace(WELL, nodes=(), database="It is full"),  # nobody can say that it lives
            replace(WELL, nodes=(NODE, OTHER), deaf="/run/lmtp.sock"),
            replace(WELL, nodes=(replace(NODE, stopped=NOW), OTHER)),
            Vitals(NOW, history=False),
        ],
    ),
    Kind.NODE_SILENT: (
        [
            replace(WELL, nodes=(NODE, replace(OTHER, seen=NOW - 121 * SECOND))),
            replace(WELL, nodes=(NODE, OTHER), deaf="/run/lmtp.sock"),
        ],
        [
            replace(WELL, nodes=(NODE, replace(OTHER, seen=NOW - 120 * SECOND))),
            replace(WELL, nodes=(NODE, replace(OTHER, seen=NOW - DAY, stopped=NOW - DAY))),
            replace(WELL, nodes=(NODE, replace(OTHER, seen=NOW - DAY)), database="It is full"),
        ],
    ),
    Kind.DISK_FULL: (
        [
            replace(WELL, free=64 * MIB - 1),
            replace(WELL, nodes=(NODE, replace(OTHER, free=0))),
            replace(WELL, nodes=(), database="It is full", free=0),
        ],
        [
            replace(WELL, free=64 * MIB),
            WELL,
            replace(WELL, nodes=(NODE, replace(OTHER, free=0, stopped=NOW))),
        ],
    ),
    Kind.DISK_LOW: (
        [replace(WELL, free=64 * MIB), replace(WELL, free=1024 * MIB - 1)],
        [replace(WELL, free=64 * MIB - 1), replace(WELL, free=1024 * MIB)],
    ),
    Kind.CLOCK: (
        [
            replace(WELL, synchronised=False),
            replace(WELL, nodes=(NODE, replace(OTHER, synchronised=False))),
        ],
        [
            WELL,
            replace(WELL, synchronised=True),
            replace(WELL, synchronised=True, nodes=(replace(NODE, synchronised=False),)),  # it is mended
        ],
    ),
    Kind.SILENCE: (
        [silent(DAY + SECOND), silent(DAY, noticed=None, signed_since=NOW - DAY - SECOND)],
        [
            silent(DAY),
            silent(2 * DAY, signed_lately=499),
            silent(2 * DAY, signed=NOW - DAY),
            silent(2 * DAY, signed=None),
            silent(DAY, noticed=None, signed_since=NOW - DAY),
        ],
    ),
    Kind.CANARY_LOST: (
        [
            canaries(sent(15 * MINUTE + SECOND)),
            canaries(sent(15 * MINUTE + SECOND), sent(HOUR, SECOND)),
            canaries(sent(MINUTE), sent(16 * MINUTE)),
            canaries(sent(SECOND, error="refused")),
            canaries(sent(MINUTE), sent(2 * MINUTE, error="refused"), sent(HOUR, SECOND)),
            canaries(sent(45 * MINUTE + SECOND, SECOND)),
            canaries(),
            canaries(sent(DAY), started=NOW - 15 * MINUTE - SECOND),
        ],
        [
            canaries(sent(15 * MINUTE)),
            canaries(sent(MINUTE, SECOND), sent(16 * MINUTE)),  # the next one came through
            canaries(sent(MINUTE, SECOND), sent(2 * MINUTE, error="refused")),
            canaries(sent(45 * MINUTE, SECOND)),
            canaries(started=NOW - 45 * MINUTE),
            canaries(sent(DAY), started=NOW - 15 * MINUTE),  # nobody was there to whom it could come back
            canaries(sent(DAY), stopped=NOW),  # that no daemon runs is told by itself
            canaries(sent(DAY), roles="issue, act"),
            replace(canaries(sent(16 * MINUTE)), database="it is full"),  # nobody could say that it is back
        ],
    ),
    Kind.CANARY_SLOW: (
        [canaries(sent(MINUTE), sent(10 * MINUTE, 2 * MINUTE + SECOND))],
        [
            canaries(sent(10 * MINUTE, 2 * MINUTE)),
            canaries(sent(5 * MINUTE, SECOND), sent(10 * MINUTE, 3 * MINUTE)),
        ],
    ),
    Kind.WIKI_LOGIN: ([wiki(Ailment.LOGIN)], [WELL, wiki(Ailment.MISCONFIGURED)]),
    Kind.WIKI_MISCONFIGURED: ([wiki(Ailment.MISCONFIGURED)], [WELL, wiki(Ailment.LOGIN)]),
    Kind.WIKI_CERTIFICATE: ([wiki(Ailment.CERTIFICATE)], [WELL, wiki(Ailment.LOGIN)]),
    Kind.WIKI_DOWN: (
        [
            wiki(Ailment.UNAVAILABLE, 30 * MINUTE),
            replace(WELL, wikis=(replace(DOWN, last=DOWN.since + 30 * MINUTE),)),
        ],
        [
            wiki(Ailment.UNAVAILABLE, 30 * MINUTE - SECOND),
            wiki(Ailment.LOGIN, HOUR),
            replace(
                WELL, wikis=(replace(DOWN, last=DOWN.since),)
            ),  # it failed once, and was not called since
        ],
    ),
    Kind.ACTIONS_LATE: (
        [owing(waiting=1, oldest=NOW - 12 * HOUR - SECOND)],
        [owing(waiting=9, oldest=NOW - 12 * HOUR), owing(waiting=9)],
    ),
    Kind.ACTIONS_REFUSED: (
        [owing(dead=1, last_dead=NOW - DAY + SECOND)],
        [owing(dead=1, last_dead=NOW - DAY), owing()],
    ),
    Kind.BRAKE: ([replace(WELL, brakes=(Braked(3, "", "", NOW, "pulled", 0),))], [WELL]),
    Kind.SET_ASIDE: (
        [replace(WELL, aside=1, aside_since=NOW - 2 * DAY - SECOND)],
        [replace(WELL, aside=9, aside_since=NOW - 2 * DAY), WELL],
    ),
}

THERE = [(kind, vitals) for kind, (there, _) in BORDERS.items() for vitals in there]
NOT_THERE = [(kind, vitals) for kind, (_, not_there) in BORDERS.items() for vitals in not_there]


def kinds(vitals: Vitals, tolerance: Tolerance = WITH_CANARIES) -> list[Kind]:
    return [trouble.kind for trouble in troubles(vitals, tolerance)]


def numbered(cases: list[tuple[Kind, Vitals]]) -> list[str]:
    return [f"{kind} {number}" for number, (kind, _) in enumerate(cases)]


def test_every_kind_has_a_remedy_a_severity_and_a_judge() -> None:
    assert set(Kind) == set(REMEDIES) == set(SEVERITIES) == set(BORDERS)
    assert all(text.strip() for text in REMEDIES.values())


def test_whoever_is_well_has_no_trouble() -> None:
    assert troubles(WELL, WITH_CANARIES) == []


@pytest.mark.parametrize(("kind", "vitals"), THERE, ids=numbered(THERE))
def test_it_is_there(kind: Kind, vitals: Vitals) -> None:
    assert kinds(vitals).count(kind) == 1


@pytest.mark.parametrize(("kind", "vitals"), NOT_THERE, ids=numbered(NOT_THERE))
def test_it_is_not_there(kind: Kind, vitals: Vitals) -> None:
    assert kind not in kinds(vitals)


@pytest.mark.parametrize(("kind", "vitals"), THERE, ids=numbered(THERE))
def test_nobody_hears_of_what_is_ignored_and_of_all_else(kind: Kind, vitals: Vitals) -> None:
    left = kinds(vitals, replace(WITH_CANARIES, ignore=frozenset({kind})))
    assert left == [one for one in kinds(vitals) if one is not kind]


def test_where_no_canary_is_sent_old_ones_are_nobodys_trouble() -> None:
    assert kinds(canaries(sent(DAY), sent(2 * DAY, error="refused")), Tolerance()) == []


def test_the_worst_comes_first_and_says_all_that_is_known() -> None:
    found = troubles(replace(wiki(Ailment.LOGIN), brakes=(Braked(3, "", "", NOW, "pulled by hand", 12),)))
    assert [one.severity for one in found] == [Severity.CRITICAL, Severity.WARNING]
    login, brake = found
    assert login == Trouble(Kind.WIKI_LOGIN, "enwiki: said so", "enwiki", NOW - MINUTE)
    assert brake == Trouble(Kind.BRAKE, "Brake 3 holds 12 actions: pulled by hand", "3", NOW)
    assert login.remedy == REMEDIES[Kind.WIKI_LOGIN]


def test_a_canary_that_is_lost_says_why() -> None:
    [lost] = troubles(canaries(sent(16 * MINUTE)), WITH_CANARIES)
    assert lost.what == "A canary was sent at 2026-11-20 09:44 UTC, and it did not come back"
    [unsent] = troubles(canaries(sent(SECOND, error="127.0.0.1:25: Connection refused")), WITH_CANARIES)
    assert unsent.what.endswith("and it did not even leave: 127.0.0.1:25: Connection refused")


def test_of_several_hosts_each_is_named() -> None:
    nodes = tuple(replace(NODE, name=name, synchronised=False, free=0) for name in ("mx1", "mx2"))
    found = troubles(replace(WELL, nodes=nodes, free=0, synchronised=False))
    assert [(one.kind, one.subject) for one in found] == [
        (kind, name) for kind in (Kind.DISK_FULL, Kind.CLOCK) for name in ("mx1", "mx2")
    ]


@pytest.mark.parametrize(("number", "told"), [(1, 1), (3, 3), (4, 1), (300, 1)])
def test_many_wikis_of_a_farm_are_one_trouble(number: int, told: int) -> None:
    signs = tuple(replace(DOWN, wiki=f"w{n:03}", since=NOW - HOUR - n * SECOND) for n in range(number))
    found = troubles(replace(WELL, wikis=(*signs, WikiSign("own", Ailment.LOGIN, "no", NOW, None, 1))))
    assert [one.kind for one in found] == [Kind.WIKI_LOGIN, *[Kind.WIKI_DOWN] * told]
    assert found[-1].since == signs[-1].since
    if number == 300:
        assert found[-1].what == "300 wikis (w000, w001, w002 and 297 more); w299: said so"


def test_whoever_lives_and_does_not_listen_may_listen_elsewhere() -> None:
    [gone] = troubles(replace(WELL, deaf="/run/lmtp.sock", nodes=(replace(NODE, stopped=NOW),)))
    assert gone.what == "No daemon is running: nobody listens on /run/lmtp.sock"
    [elsewhere] = troubles(replace(WELL, deaf="/run/lmtp.sock"))
    assert "[sockets] was changed" in elsewhere.what
    [silent] = troubles(replace(WELL, nodes=(NODE, OTHER), deaf="/run/lmtp.sock"))
    assert silent.what.startswith(
        "Node mx1, this one, is not running: nobody listens on /run/lmtp.sock, though"
    )


@pytest.mark.parametrize("here", [(replace(NODE, stopped=NOW),), ()], ids=["stopped", "never started"])
def test_that_this_node_of_several_is_not_running_is_told_here_and_nowhere_else(
    here: tuple[NodeSign, ...],
) -> None:
    [told] = troubles(replace(WELL, nodes=(*here, OTHER), deaf="/run/lmtp.sock"))
    what = "Node mx1, this one, is not running: nobody listens on /run/lmtp.sock"
    assert (told.kind, told.subject, told.what) == (Kind.NODE_SILENT, "mx1", what)
    assert troubles(replace(WELL, nodes=(*here, OTHER), here="mx2")) == []
