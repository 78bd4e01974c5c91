"""What if: archived mail, read and judged once, and what two policies would have made of it.

Knows what each policy would have been asked, and when: at each failure, as of the date of the bounce. Keeps
all of it in memory and touches nothing: no database, no brake, no wiki. The same mails give the same answer,
in whatever order and however often they are given.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sidecar.domain.history import Fate, History, Mail
from sidecar.domain.policy import Policy, decide
from sidecar.domain.wiki import Warn
from sidecar.processes.crew import Crew
from sidecar.services.reading import Understood
from sidecar.services.receipt import Receipt
from sidecar.services.replay import Archived, MailJudge
from sidecar.storage.ledger import Bounce, says_more

__all__ = ["Difference", "Fated", "Judged", "compare", "fate", "read_all"]


@dataclass(frozen=True)
class Fated:
    """What a policy would have made of one user. After the un-confirming nothing would have been sent."""

    warned: tuple[datetime, ...] = ()
    unconfirmed: datetime | None = None
    reason: str = ""  #: of the last of these

    def __str__(self) -> str:
        warned = [f"warned {self.warned[-1]:%Y-%m-%d}"] if self.warned else []
        ended = [f"un-confirmed {self.unconfirmed:%Y-%m-%d}"] if self.unconfirmed else []
        return ", ".join(warned + ended) or "left alone"


@dataclass(frozen=True)
class Difference:
    """One user under both policies."""

    wiki: str
    user_id: int
    ours: Fated
    theirs: Fated
    difference: str  #: in words; "" if there is none


@dataclass
class Judged:
    """An archive, read."""

    receipts: Counter[Receipt] = field(default_factory=Counter)
    undated: list[str] = field(default_factory=list)  #: left out: nobody knows when they came
    unreadable: list[str] = field(default_factory=list)  #: files that could not be opened
    bounces: list[tuple[datetime, str, Bounce]] = field(default_factory=list)  #: when, fingerprint, what


def read_all(
    mails: Sequence[Archived], crew: Crew[MailJudge], progress: Callable[[int, int], None]
) -> Judged:
    """Each mail judged once, as of its own date; one that was there already is a duplicate."""
    judged, seen = Judged(), set[str]()
    loaded = (_load(mail, judged) for mail in mails)
    for done, (mail, found) in enumerate(zip(mails, crew.do(MailJudge.read, loaded), strict=True), 1):
        if isinstance(found, Understood):
            judged.receipts[_keep(found, judged, seen)] += 1
        elif isinstance(found, Receipt):
            judged.receipts[found] += 1
        elif mail.name not in judged.unreadable:
            judged.undated.append(mail.name)
        progress(done, len(mails))
    return judged


def _load(mail: Archived, judged: Judged) -> bytes:
    try:
        return mail.load()
    except OSError:
        judged.unreadable.append(mail.name)
        return b""


def _keep(mail: Understood, judged: Judged, seen: set[str]) -> Receipt:
    entry = mail.entry
    if entry.fingerprint in seen:
        return Receipt.DUPLICATE
    seen.add(entry.fingerprint)
    if mail.bounce:
        judged.bounces.append((entry.received, entry.fingerprint, mail.bounce))
    return Receipt.SET_ASIDE if entry.aside else Receipt.TAKEN


def compare(judged: Judged, ours: Mapping[str, Policy], theirs: Mapping[str, Policy]) -> Iterator[Difference]:
    """Each user whom one of two policies would have touched, by wiki and number."""
    users: dict[tuple[str, int], list[Bounce]] = {}
    for _, _, bounce in sorted(judged.bounces, key=lambda one: one[:2]):
        users.setdefault((bounce.wiki, bounce.user_id), []).append(bounce)
    for (wiki, user_id), bounces in sorted(users.items()):
        both = fate(bounces, ours[wiki]), fate(bounces, theirs[wiki])
        if any(one.warned or one.unconfirmed for one in both):
            yield Difference(wiki, user_id, *both, _difference(*both))


def fate(bounces: Iterable[Bounce], policy: Policy) -> Fated:
    """What *policy* would have made of a user's *bounces*, which stand in the order of their coming."""
    fated, mails = Fated(), dict[tuple[datetime, str], Mail]()
    said: dict[tuple[datetime, str], Bounce] = {}
    for bounce in bounces:
        token = bounce.sent, bounce.tag
        before = said.get(token)
        if before and not says_more(bounce, before.hard, before.rule):
            continue
        said[token], mails[token] = bounce, _mail(bounce, len(mails))
        if not bounce.hard or bounce.confirming:
            continue
        history = History(tuple(mails.values()), None, max(fated.warned, default=None))
        decision = decide(bounce.wiki, bounce.user_id, history, policy, bounce.received)
        if decision is None:
            continue
        if not isinstance(decision.action, Warn):
            return replace(fated, unconfirmed=bounce.received, reason=decision.action.reason)
        fated = Fated((*fated.warned, bounce.received), None, decision.action.reason)
    return fated


def _mail(bounce: Bounce, number: int) -> Mail:
    return Mail(
        sent=bounce.sent,
        fate=Fate.HARD if bounce.hard else Fate.SOFT,
        category=bounce.category,
        tag=bounce.tag,
        key_id=bounce.key_id,
        id=number,
        confirming=bounce.confirming,
    )


def _difference(ours: Fated, theirs: Fated) -> str:
    """What the other policy would change, in words."""
    if ours.unconfirmed and theirs.unconfirmed:
        return _shift("un-confirmed", theirs.unconfirmed - ours.unconfirmed) or _warning(ours, theirs)
    if ours.unconfirmed or theirs.unconfirmed:
        return "un-confirmed, too" if theirs.unconfirmed else "not un-confirmed"
    return _warning(ours, theirs)


def _warning(ours: Fated, theirs: Fated) -> str:
    if ours.warned and theirs.warned:
        return _shift("warned", theirs.warned[0] - ours.warned[0])
    if ours.warned or theirs.warned:
        return "warned, too" if theirs.warned else "not warned"
    return ""


def _shift(what: str, later: timedelta) -> str:
    days = abs(later) / timedelta(days=1)
    if not later:
        return ""
    return f"{what} {days:.3g} day{'' if days == 1 else 's'} {'later' if later > timedelta(0) else 'earlier'}"
