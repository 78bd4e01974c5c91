"""What is wrong, judged from the signs of life: for `status`, the overview, `doctor` and the alerts alike.

Knows what is too long, too much and too little. Does not know who is told, nor how.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .remedies import REMEDIES, SEVERITIES, Kind, Severity
from .vitals import Ailment, NodeSign, Vitals

__all__ = ["Tolerance", "Trouble", "troubles"]


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong."""

    kind: Kind
    what: str  #: one sentence
    subject: str = ""  #: a wiki's id, a node's name, a brake's number; "" if there is only one such thing
    since: datetime | None = None

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.kind]

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind]


@dataclass(frozen=True)
class Tolerance:
    """What is borne without a word."""

    node: timedelta = timedelta(minutes=2)  #: that a node is not seen; it says so every 15 s
    full: int = 64 * 2**20  #: octets free: SQLite's log alone may need that much
    low: int = 1024 * 2**20  #: octets free
    silence: timedelta = timedelta(days=1)  #: without any notice
    silence_mails: int = 500  #: signed today and yesterday, of which some are bound to come back
    canary: timedelta = timedelta(minutes=15)  #: until it must be back
    slow: timedelta = timedelta(minutes=2)  #: that it usually needs much less of
    canary_every: timedelta = timedelta(minutes=15)
    wiki: timedelta = timedelta(minutes=30)  #: that a wiki is down
    late: timedelta = timedelta(hours=12)  #: that an action waits; the longest pause between tries is 6 h
    refused: timedelta = timedelta(days=1)  #: that it is told of what was refused for good
    aside: timedelta = timedelta(days=2)  #: that mail waits for a person


def troubles(vitals: Vitals, tolerance: Tolerance = Tolerance()) -> list[Trouble]:
    """All that is wrong, the worst first."""
    found = [trouble for judge in _JUDGES for trouble in judge(vitals, tolerance)]
    return sorted(found, key=lambda trouble: list(Severity).index(trouble.severity))


def _database(vitals: Vitals, _: Tolerance) -> Iterator[Trouble]:
    if vitals.database:
        yield Trouble(Kind.DATABASE, vitals.database)


def _nodes(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    running = _running(vitals)
    silent = [node for node in running if vitals.at - node.seen > tolerance.node]
    if not vitals.database and len(silent) == len(running):
        last = max((node.seen for node in vitals.nodes), default=None)
        seen = f"none was seen since {_when(last)}" if last else "none was ever seen"
        yield Trouble(Kind.NO_DAEMON, f"No daemon is running: {seen}", since=last)
        return
    for node in silent:
        yield Trouble(Kind.NODE_SILENT, f"Node {node.name} is silent", node.name, node.seen)


def _disk(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    low = {node.name: node.free for node in _running(vitals) if _is_low(node.free, tolerance)}
    if not low and _is_low(vitals.free, tolerance):
        low[""] = vitals.free
    for name, free in low.items():
        kind = Kind.DISK_FULL if _is_low(free, replace(tolerance, low=tolerance.full)) else Kind.DISK_LOW
        what = f"{(free or 0) / 2**20:,.0f} MiB are free on the disk of the database{_at(name)}"
        yield Trouble(kind, what, name)


def _is_low(free: int | None, tolerance: Tolerance) -> bool:
    return free is not None and free < tolerance.low


def _clock(vitals: Vitals, _: Tolerance) -> Iterator[Trouble]:
    wrong = [node.name for node in _running(vitals) if node.synchronised is False]
    if not wrong and vitals.synchronised is False:
        wrong = [""]
    for name in wrong:
        yield Trouble(Kind.CLOCK, f"The clock{_at(name)} is not synchronised", name)


def _running(vitals: Vitals) -> list[NodeSign]:
    return [node for node in vitals.nodes if not node.stopped]


def _silence(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    since = vitals.noticed or min((node.started for node in vitals.nodes), default=None)
    signs = vitals.signed and vitals.at - vitals.signed < tolerance.silence
    enough = vitals.signed_lately >= tolerance.silence_mails
    if signs and enough and since and vitals.at - since > tolerance.silence:
        last = f"since {_when(vitals.noticed)}" if vitals.noticed else "ever"
        what = f"{vitals.signed_lately:,} mails were signed since yesterday, and no bounce was seen {last}"
        yield Trouble(Kind.SILENCE, what, since=since)


def _canary(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    if not vitals.canaries:
        return
    newest, back = vitals.canaries[0], [one for one in vitals.canaries if one.returned]
    due = [one for one in vitals.canaries if one.error or vitals.at - one.sent > tolerance.canary]
    lost = next((one for one in due if not one.returned), None)
    if lost and not any(one.sent > lost.sent for one in back):
        why = f"it did not even leave: {lost.error}" if lost.error else "it did not come back"
        yield Trouble(
            Kind.CANARY_LOST, f"A canary was sent at {_when(lost.sent)}, and {why}", since=lost.sent
        )
    elif vitals.at - newest.sent > 2 * tolerance.canary_every + tolerance.canary:
        what = f"No canary was sent since {_when(newest.sent)}"
        yield Trouble(Kind.CANARY_LOST, what, since=newest.sent)
    elif back and (took := _took(back[0].sent, back[0].returned)) > tolerance.slow:
        yield Trouble(
            Kind.CANARY_SLOW, f"The last canary needed {took.total_seconds():,.0f} s", since=back[0].sent
        )


def _took(sent: datetime, returned: datetime | None) -> timedelta:
    return (returned or sent) - sent


_AILMENTS = {
    Ailment.LOGIN: Kind.WIKI_LOGIN,
    Ailment.MISCONFIGURED: Kind.WIKI_MISCONFIGURED,
    Ailment.CERTIFICATE: Kind.WIKI_CERTIFICATE,
    Ailment.UNAVAILABLE: Kind.WIKI_DOWN,
}


def _wikis(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    for wiki in vitals.wikis:
        if wiki.ailment is Ailment.UNAVAILABLE and vitals.at - wiki.since < tolerance.wiki:
            continue
        yield Trouble(_AILMENTS[wiki.ailment], f"{wiki.wiki}: {wiki.why}", wiki.wiki, wiki.since)


def _actions(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    outbox = vitals.outbox
    if outbox.oldest and vitals.at - outbox.oldest > tolerance.late:
        what = f"{outbox.waiting:,} actions wait for the wikis, the oldest since {_when(outbox.oldest)}"
        yield Trouble(Kind.ACTIONS_LATE, what, since=outbox.oldest)
    if outbox.last_dead and vitals.at - outbox.last_dead < tolerance.refused:
        what = f"{outbox.dead:,} actions were refused for good, the last at {_when(outbox.last_dead)}"
        yield Trouble(Kind.ACTIONS_REFUSED, what, since=outbox.last_dead)


def _brakes(vitals: Vitals, _: Tolerance) -> Iterator[Trouble]:
    for brake in vitals.brakes:
        what = f"Brake {brake.id} holds {brake.actions:,} actions: {brake.why}"
        yield Trouble(Kind.BRAKE, what, str(brake.id), brake.tripped)


def _aside(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    if vitals.aside_since and vitals.at - vitals.aside_since > tolerance.aside:
        since = vitals.aside_since
        what = f"{vitals.aside:,} mails that nobody understood wait for a person since {_when(since)}"
        yield Trouble(Kind.SET_ASIDE, what, since=since)


_JUDGES: tuple[Callable[[Vitals, Tolerance], Iterator[Trouble]], ...] = (
    _database, _nodes, _disk, _clock, _canary, _silence, _wikis, _actions, _brakes, _aside,
)  # fmt: skip


def _when(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else "never"


def _at(name: str) -> str:
    return f" of {name}" if name else ""
