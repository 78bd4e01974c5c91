"""Why: what happened to a user's mail, what counted and what did not, and what followed.

Knows how to tell it in the order of time, as of any time. Decides nothing: it asks the policy as the intake
does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.history import Fate, History, Standing
from sidecar.domain.person import Account
from sidecar.domain.policy import Mode, Policy, decide, lacking, read
from sidecar.services.decision import Policies, lead_among, untried
from sidecar.storage import people
from sidecar.storage.actions import Event, State
from sidecar.storage.histories import history_of
from sidecar.storage.ledger import Bounce
from sidecar.storage.reviews import Because, Came, Known, known

__all__ = ["Line", "Review", "review"]


@dataclass(frozen=True)
class Line:
    """One thing that happened."""

    at: datetime
    what: str
    means: str = ""  #: what it means for the user

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}  {self.what}" + (f" -> {self.means}" if self.means else "")


@dataclass(frozen=True)
class Review:
    """The answer to "why?", free of mail addresses and of anybody's mail."""

    wiki: str
    user_id: int
    at: datetime
    policy: str  #: the thresholds of now
    mode: str
    lines: tuple[Line, ...]
    outlook: str
    lead: Account  #: where it is decided and acted, of the person's accounts
    accounts: tuple[Account, ...]  #: the person's, as is known now


def review(
    connection: sa.Connection, wiki: str, user_id: int, policies: Policies, at: datetime
) -> Review | None:
    """What was known of a user at that time, read by the policy of now; None if nothing was.

    Of a person with several accounts, all that was known of any of them.
    """
    asked = Account(wiki, user_id)
    person, lead = people.accounts_of(connection, asked), lead_among(connection, asked, policies)
    found = {one: known(connection, one.wiki, one.user_id, at) for one in person}
    if not any(facts.bounces or facts.others or facts.actions or facts.events for facts in found.values()):
        return None
    policy = policies[lead.wiki]
    history = replace(history_of(connection, lead, policy, at, known_at=at), untried=untried(lead, policies))
    lines = [
        replace(line, what=f"{one.wiki}: {line.what}") if len(person) > 1 else line
        for one, facts in found.items()
        for line in _lines(one.wiki, facts, history, policy, at)
    ]
    unknown = policy.central and not people.is_fresh(connection, lead, at)
    outlook = _outlook(list(found.values()), history, policy, at, unknown=unknown)
    return Review(
        wiki, user_id, at, str(policy), str(policy.mode), tuple(sorted(lines, key=lambda line: line.at)),
        outlook, lead, tuple(person),
    )  # fmt: skip


def _lines(wiki: str, facts: Known, history: History, policy: Policy, at: datetime) -> Iterator[Line]:
    judged = [one for one in read(history, policy, at).standings if one[0].wiki == wiki]
    standings = {(mail.sent, mail.tag): standing for mail, standing in judged}
    for number, bounce in facts.bounces:
        means = standings.get((bounce.sent, bounce.tag), _unread(bounce, history))
        yield Line(bounce.sent, _came_back(number, bounce), str(means))
    back = {(bounce.sent, bounce.tag) for _, bounce in facts.bounces}
    for mail, standing in judged:
        if mail.fate is Fate.NOTHING and (mail.sent, mail.tag) not in back:
            yield Line(mail.sent, "mail was signed; nothing came back", str(standing))
    for other in facts.others:
        yield Line(other.received, _other(other), "never counts")
    because = {entry.id: because for entry, because in facts.actions}
    for event in facts.events:
        besides = _besides(event, because.get(event.action_id or 0))
        yield Line(event.at, f"action {event.action_id}: {event.what}: {event.detail}{besides}")


def _unread(bounce: Bounce, history: History) -> str:
    """What a bounce means that is not in the history of which the policy is asked."""
    if history.forget_until and bounce.sent <= history.forget_until:
        return Standing.SETTLED
    if bounce.wiki in history.attached and bounce.sent <= history.attached[bounce.wiki]:
        return "sent before its account was attached to the person: to whoever had it then"
    return "not looked at: newer ones decide"


def _came_back(number: int, bounce: Bounce) -> str:
    verdict = f"{bounce.category}, {'hard' if bounce.hard else 'soft'}"
    rule = f"rule {bounce.rule}" if bounce.rule else "no rule knew it"
    words = f' on the words "{bounce.words}"' if bounce.words else ""
    where = f" at {bounce.domain}" if bounce.domain else ""
    code = f" ({bounce.status})" if bounce.status else ""
    came = f"{bounce.received:%Y-%m-%d %H:%M}"
    return f"mail was sent and came back on {came}: {verdict}{code}{where}; {rule}{words}; bounce {number}"


def _other(other: Came) -> str:
    what = f"notice {other.id} came: {other.kind or 'unreadable'}"
    return f"{what}, set aside: {other.aside}" if other.aside else what


def _besides(event: Event, because: Because | None) -> str:
    """What the line of a decision does not say itself."""
    if because is None or event.what != "decided":
        return ""
    held = f"; held by a brake: {because.brake}" if because.brake and _state(event) == State.HELD else ""
    undone = f"; takes action {because.undoes} back" if because.undoes else ""
    return f"{held}{undone}"


#: What an action is after an event of its audit, where that is open; a decision says so itself.
_THEN_OPEN = {
    "held": State.HELD,
    "released": State.WAITING,
    "renewed": State.WAITING,
    "postponed": State.WAITING,
    "retried": State.WAITING,
}


def _state(event: Event) -> str:
    """What an action was after *event*; "" if it was settled."""
    if event.what == "decided":
        return event.detail.partition(":")[0].rpartition(" ")[2]
    return _THEN_OPEN.get(event.what, "")


def _outlook(found: Sequence[Known], history: History, policy: Policy, at: datetime, *, unknown: bool) -> str:
    """How it stands, in a sentence. *unknown*: to whom the account belongs."""
    last = {event.action_id: _state(event) for facts in found for event in facts.events}
    for entry in sorted((entry for facts in found for entry, _ in facts.actions), key=lambda one: -one.id):
        if last[entry.id] in (State.WAITING, State.HELD):
            first = "; nothing is done before its wiki has said whose account it is" if unknown else ""
            return f"action {entry.id} ({entry.kind}) is {last[entry.id]}{first}"
    counted = read(history, policy, at).counted
    if not counted:
        return "nothing counts against this address"
    if words := lacking(counted, policy.rule, at):
        return f"not enough to act: {words}"
    if decide("", 0, history, policy, at) is None and history.warned:
        after = f"{history.warned + policy.grace:%Y-%m-%d %H:%M}"
        return f"warned; un-confirmed if a mail that is sent after {after} fails too"
    return "enough to act at the next failure" + (" (shadow mode)" if policy.mode is Mode.SHADOW else "")
