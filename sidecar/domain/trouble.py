"""What is wrong, judged from the signs of life: for `status`, the overview, `doctor` and the alerts alike.

Knows what is too long, too much and too little. Does not know who is told, nor how.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .remedies import REMEDIES, SEVERITIES, Kind, Severity
from .vitals import Ailment, CanaryRound, NodeSign, Vitals, WikiSign

__all__ = ["Tolerance", "Trouble", "troubles"]


SINGLY = 3  # wikis with the same trouble that are told each by itself


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong."""

    kind: Kind
    what: str  #: one sentence
    subject: str = ""  #: a wiki's id, a node's name, a brake's number; "" if there is one such thing, or many
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
    full: int = 64 * 2**20  #: octets free
    low: int = 1024 * 2**20  #: octets free
    silence: timedelta = timedelta(days=1)  #: without any notice
    silence_mails: int = 500  #: signed in that time, of which some are bound to come back
    canary: timedelta = timedelta(minutes=15)  #: until it must be back
    slow: timedelta = timedelta(minutes=2)  #: that it usually needs much less of
    canary_every: timedelta | None = None  #: how often one is sent; None where none is
    wiki: timedelta = timedelta(minutes=30)  #: that a wiki is down
    late: timedelta = timedelta(hours=12)  #: that an action waits
    refused: timedelta = timedelta(days=1)  #: that it is told of what was refused for good
    aside: timedelta = timedelta(days=2)  #: that mail waits for a person
    ignore: frozenset[Kind] = frozenset()  #: that nobody wants to hear of


def troubles(vitals: Vitals, tolerance: Tolerance = Tolerance()) -> list[Trouble]:
    """All that is wrong, the worst first."""
    found = [trouble for judge in _JUDGES for trouble in judge(vitals, tolerance)]
    told = [trouble for trouble in found if trouble.kind not in tolerance.ignore]
    return sorted(told, key=lambda trouble: list(Severity).index(trouble.severity))


def _database(vitals: Vitals, _: Tolerance) -> Iterator[Trouble]:
    if vitals.database:
        yield Trouble(Kind.DATABASE, vitals.database)


def _nodes(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    # While nothing can be written, nobody can say that it lives.
    unsaid = bool(vitals.database) or not vitals.history
    if unsaid and not vitals.deaf:
        return
    alive, last = _alive(vitals, tolerance), max((node.seen for node in vitals.nodes), default=None)
    deaf = f"nobody listens on {vitals.deaf}" if vitals.deaf else ""
    if deaf and any(_beats(node, vitals, tolerance) for node in vitals.nodes if node.name == vitals.here):
        deaf += (
            ", though it lived a moment ago: it was killed, or [sockets] was changed and it was not restarted"
        )
    if not alive:
        seen = f"none was seen since {_when(last)}" if last else "none was ever seen"
        yield Trouble(Kind.NO_DAEMON, f"No daemon is running: {deaf or seen}", since=last)
        return
    if deaf:  # whoever asks here is told so, whether it was stopped or never started
        last = next((node.seen for node in vitals.nodes if node.name == vitals.here), None)
        what = f"Node {vitals.here}, this one, is not running: {deaf}"
        yield Trouble(Kind.NODE_SILENT, what, vitals.here, last)
    for node in vitals.nodes:
        told = deaf and node.name == vitals.here
        if not (node.stopped or node in alive or unsaid or told):
            yield Trouble(Kind.NODE_SILENT, f"Node {node.name} is silent", node.name, node.seen)


def _alive(vitals: Vitals, tolerance: Tolerance) -> list[NodeSign]:
    """Who was seen a moment ago, and did not say farewell; of this host, who listens still."""
    return [
        node
        for node in vitals.nodes
        if _beats(node, vitals, tolerance) and not (vitals.deaf and node.name == vitals.here)
    ]


def _beats(node: NodeSign, vitals: Vitals, tolerance: Tolerance) -> bool:
    """Whether it was seen a moment ago."""
    return not node.stopped and vitals.at - node.seen <= tolerance.node


def _disk(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    free = {node.name: node.free for node in _alive(vitals, tolerance)}
    if vitals.free is not None:
        free[vitals.here] = vitals.free  # of now
    for name, octets in free.items():
        if octets is not None and octets < tolerance.low:
            kind = Kind.DISK_FULL if octets < tolerance.full else Kind.DISK_LOW
            what = f"{octets / 2**20:,.0f} MiB are free on the disk of the database{_at(name)}"
            yield Trouble(kind, what, name)


def _clock(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    good = {node.name: node.synchronised for node in _alive(vitals, tolerance)}
    if vitals.synchronised is not None:
        good[vitals.here] = vitals.synchronised
    for name, synchronised in good.items():
        if synchronised is False:
            yield Trouble(Kind.CLOCK, f"The clock{_at(name)} is not synchronised", name)


def _silence(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    since = vitals.noticed or vitals.signed_since
    signs = vitals.signed and vitals.at - vitals.signed < tolerance.silence
    enough = vitals.signed_lately >= tolerance.silence_mails
    if signs and enough and since and vitals.at - since > tolerance.silence:
        last = f"since {_when(vitals.noticed)}" if vitals.noticed else "ever"
        what = f"{vitals.signed_lately:,} mails were signed, and no bounce was seen {last}"
        yield Trouble(Kind.SILENCE, what, since=since)


def _canary(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    up = min((node.started for node in _alive(vitals, tolerance) if node.takes), default=None)
    if tolerance.canary_every is None or up is None or vitals.database:
        return  # none is sent, or nobody could say that it is back: that is told by itself
    back = [one for one in vitals.canaries if one.returned]
    last = max((one.sent for one in back), default=None)
    lost = next((one for one in vitals.canaries if _is_lost(one, up, vitals.at, tolerance)), None)
    newest = max([up, *(one.sent for one in vitals.canaries)])
    if lost and (last is None or last < lost.sent):
        why = f"it did not even leave: {lost.error}" if lost.error else "it did not come back"
        what = f"A canary was sent at {_when(lost.sent)}, and {why}"
        yield Trouble(Kind.CANARY_LOST, what, since=lost.sent)
    elif vitals.at - newest > 2 * tolerance.canary_every + tolerance.canary:
        yield Trouble(Kind.CANARY_LOST, f"No canary was sent since {_when(newest)}", since=newest)
    elif back and back[0].took > tolerance.slow:
        what = f"The last canary needed {back[0].took.total_seconds():,.0f} s"
        yield Trouble(Kind.CANARY_SLOW, what, since=back[0].sent)


def _is_lost(one: CanaryRound, up: datetime, now: datetime, tolerance: Tolerance) -> bool:
    """Whether it did not leave, or did not come back though somebody was there for long enough."""
    return not one.returned and (bool(one.error) or now - max(one.sent, up) > tolerance.canary)


_AILMENTS = {
    Ailment.LOGIN: Kind.WIKI_LOGIN,
    Ailment.MISCONFIGURED: Kind.WIKI_MISCONFIGURED,
    Ailment.CERTIFICATE: Kind.WIKI_CERTIFICATE,
    Ailment.UNAVAILABLE: Kind.WIKI_DOWN,
}


def _wikis(vitals: Vitals, tolerance: Tolerance) -> Iterator[Trouble]:
    """Each by itself, or many of a farm together: one cause, mostly, and one screen for all of it."""
    found: dict[Kind, list[WikiSign]] = {}
    for wiki in vitals.wikis:
        # One that failed once, and was not called since, is not known to be down for any time.
        if wiki.ailment is Ailment.UNAVAILABLE and (wiki.last or vitals.at) - wiki.since < tolerance.wiki:
            continue
        found.setdefault(_AILMENTS[wiki.ailment], []).append(wiki)
    for kind, signs in found.items():
        if len(signs) <= SINGLY:
            yield from (Trouble(kind, f"{one.wiki}: {one.why}", one.wiki, one.since) for one in signs)
            continue
        first, names = min(signs, key=lambda one: one.since), ", ".join(one.wiki for one in signs[:SINGLY])
        what = f"{len(signs):,} wikis ({names} and {len(signs) - SINGLY:,} more); {first.wiki}: {first.why}"
        yield Trouble(kind, what, since=first.since)


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
    _nodes, _database, _disk, _clock, _canary, _silence, _wikis, _actions, _brakes, _aside,
)  # fmt: skip


def _when(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else "never"


def _at(name: str) -> str:
    return f" of {name}" if name else ""
