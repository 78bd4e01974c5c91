"""Owe the wiki what a user's history calls for.

Knows when the policy is asked and what becomes of its answer. Does not know how a bounce was judged
(intake.py) or how a wiki is called (dispatch.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.person import Account
from sidecar.domain.policy import Decision, Mode, Policy, decide
from sidecar.domain.wiki import Action, Mistyped, Unconfirm, Warn
from sidecar.services.brakes import Tripped, look_at_acts
from sidecar.storage import brakes, ledger, outbox, people, persons
from sidecar.storage.histories import history_of
from sidecar.storage.ledger import Bounce
from sidecar.storage.outbox import Because, Owed

__all__ = [
    "Owing",
    "Policies",
    "central_wikis",
    "consider",
    "lead_among",
    "mistyped",
    "still_wanted",
    "untried",
]


Policies = Mapping[str, Policy]  #: by wiki


def central_wikis(policies: Policies) -> frozenset[str]:
    """The wikis on which an account may be one of several of one person."""
    return frozenset(wiki for wiki, policy in policies.items() if policy.central)


def lead_among(connection: sa.Connection, account: Account, policies: Policies) -> Account:
    """At which account is decided and acted for *account*: by the policy of that account's wiki."""
    lead = persons.lead_of(connection, account)
    return lead if lead.wiki in policies else account  # until the next start, of a wiki that was taken out


def untried(lead: Account, policies: Policies) -> frozenset[str]:
    """The wikis in shadow mode, whose failures count for nobody who is decided at *lead* in earnest.

    An operator who does not trust a wiki's bounces yet has not trusted them with accounts elsewhere, either.
    """
    if policies[lead.wiki].mode is Mode.SHADOW:
        return frozenset()
    return frozenset(wiki for wiki, policy in policies.items() if policy.mode is Mode.SHADOW)


def decided(connection: sa.Connection, lead: Account, policies: Policies, now: datetime) -> Decision | None:
    """What the policy at *lead* says of the person as of *now*."""
    policy = policies[lead.wiki]
    history = replace(history_of(connection, lead, policy, now), untried=untried(lead, policies))
    return decide(lead.wiki, lead.user_id, history, policy, now)


@dataclass(frozen=True)
class Owing:
    """What a failure led to."""

    action_id: int | None = None  #: None if nothing new is owed
    tripped: tuple[Tripped, ...] = ()


def consider(
    connection: sa.Connection,
    bounce: Bounce,
    policies: Policies,
    limits: Limits,
    now: datetime,
    wall_clock: datetime,  #: another time than *now* only where old mail is taken in
) -> Owing:
    """Enqueue what a person's history calls for as of *now*, after *bounce* was entered.

    It falls due after the delay of *limits*, so that a brake may still trip.
    """
    account = Account(bounce.wiki, bounce.user_id)
    lead = lead_among(connection, account, policies)
    decision = decided(connection, lead, policies, now)
    if decision is None and bounce.wiki in untried(lead, policies):
        policies = {**policies, lead.wiki: replace(policies[lead.wiki], mode=Mode.SHADOW)}
        decision = decided(connection, lead, policies, now)
    if decision is None or outbox.is_open_for(connection, people.accounts_of(connection, lead)):
        return Owing()
    policy = policies[lead.wiki]
    ids = [mail.id for mail in decision.because]
    because = Because(ids, bounce.provider, str(policy))
    if policy.mode is Mode.SHADOW:
        if noted := outbox.shadowed(connection, decision.action, ids):
            outbox.join(connection, noted, ids)
            return Owing()
        return Owing(outbox.enqueue(connection, decision.action, because, wall_clock, shadow=True))
    wikis = {lead.wiki, bounce.wiki, *(mail.wiki for mail in decision.because)}
    held_by = brakes.holding(connection, bounce.provider, *wikis)
    due = wall_clock + limits.delay
    action_id = outbox.enqueue(connection, decision.action, because, wall_clock, due=due, held_by=held_by)
    return Owing(action_id, () if held_by else tuple(look_at_acts(connection, limits, wall_clock)))


def mistyped(
    connection: sa.Connection, bounce_id: int, bounce: Bounce, policy: Policy, now: datetime
) -> int | None:
    """Owe the user a word at once, unless a brake holds it: the mail that asked for a confirmation failed.

    The action's id, or None if the policy does not want it, or if it is owed already.
    """
    if not policy.tell_mistyped:
        return None
    reason = f"the mail of {bounce.sent:%Y-%m-%d} that asked for a confirmation came back ({bounce.category})"
    word = Mistyped(bounce.wiki, bounce.user_id, bounce.sent, reason)
    if outbox.is_open(connection, word):
        return None
    because, shadow = Because([bounce_id], bounce.provider), policy.mode is Mode.SHADOW
    held_by = brakes.holding(connection, bounce.provider, bounce.wiki)
    return outbox.enqueue(connection, word, because, now, held_by=held_by, shadow=shadow)


def still_wanted(connection: sa.Connection, owed: Owed, policies: Policies, now: datetime) -> Action | None:
    """What is owed as the policy, asked again before acting, wants it now; None if it no longer does.

    Bounces may have come since it was decided, and the order of their coming must not matter: what is carried
    out is what would be decided now; None, too, if a brake holds it by now. An operator's undoing stands by
    itself.
    """
    policy = policies[owed.action.wiki]
    match owed.action:
        case Warn() | Unconfirm():
            account = Account(owed.action.wiki, owed.action.user_id)
            if lead_among(connection, account, policies) != account:
                # It is decided elsewhere by now; while a call was under way here, it was not: nothing more
                # was owed there. The next answer decides.
                people.ask_again(connection, account, now)
                return None
            again = decided(connection, account, policies, now)
            if again is None or type(again.action) is not type(owed.action):
                return None
            ids = [mail.id for mail in again.because]
            because = Because(ids, ledger.provider_of(connection, ids), str(policy))
            free = outbox.renew(connection, owed, again.action, because, now)
            return again.action if free else None
        case Mistyped():
            return owed.action if policy.tell_mistyped else None
    return owed.action
