"""Who agrees: those whom we would un-confirm, and those whom BounceHandler has or would have.

Knows how an address of its is found among ours: by the keyed tag and the domain, and by nothing that is kept.
Addresses go in, and none comes out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.address import domain_of
from sidecar.domain.bouncehandler import BounceHandlerRule, Listed, Record, unconfirmed
from sidecar.domain.policy import Policy
from sidecar.domain.verp import Verp
from sidecar.services.review import review
from sidecar.storage import shadows
from sidecar.storage.actions import Kind
from sidecar.storage.shadows import Tag

__all__ = ["Agreement", "Other", "agreement"]

User = tuple[str, int]  #: wiki, number


@dataclass(frozen=True)
class Other:
    """Somebody whom only BounceHandler un-confirms, and how we see it."""

    wiki: str
    user_id: int
    outlook: str


@dataclass(frozen=True)
class Agreement:
    """Users who would have been un-confirmed, by whom."""

    both: tuple[User, ...]
    only_we: tuple[User, ...]
    only_it: tuple[Other, ...]  #: of whom we know bounces
    unknown: int  #: whom only it un-confirms, and of whom nothing came back to us
    untagged: int  #: of ours: signed in its format, which has no tag, so they cannot be found by an address


def agreement(
    connection: sa.Connection,
    theirs: list[Record] | list[Listed],
    rule: BounceHandlerRule,
    verp: Verp,
    policies: Mapping[str, Policy],
    since: datetime,
    now: datetime,
) -> Agreement:
    """Compare from *since* on; a list of users has no times and is taken whole."""
    wikis = list(policies)
    ours = {
        (one.wiki, one.user_id)
        for one in shadows.imagined(connection, wikis, since)
        if one.kind == Kind.UNCONFIRM
    }
    known = shadows.tags(connection, wikis)
    users, unknown = _whose(_entries(theirs, rule, since), known, verp, wikis)
    tagged = {(tag.wiki, tag.user_id) for tag in known if tag.tag}
    return Agreement(
        both=tuple(sorted(ours & users)),
        only_we=tuple(sorted(ours - users)),
        only_it=tuple(_other(connection, user, policies, now) for user in sorted(users - ours)),
        unknown=unknown,
        untagged=len(ours - tagged),
    )


def _entries(
    theirs: list[Record] | list[Listed], rule: BounceHandlerRule, since: datetime
) -> Iterable[Listed]:
    yield from (entry for entry in theirs if isinstance(entry, Listed))
    records = [entry for entry in theirs if isinstance(entry, Record)]
    for address, times in unconfirmed(records, rule).items():
        if times[-1] >= since:
            yield Listed(address)


def _whose(
    entries: Iterable[Listed], known: Iterable[Tag], verp: Verp, wikis: list[str]
) -> tuple[set[User], int]:
    """Their users, as far as mail of theirs came back to us; and how many others there are."""
    by_tag: dict[tuple[str, str, str], set[User]] = defaultdict(set)
    for one in known:
        by_tag[one.key_id, one.tag, one.domain].add((one.wiki, one.user_id))
    seen = {user for users in by_tag.values() for user in users}
    found: set[User] = set()
    unknown = 0
    for entry in dict.fromkeys(entries):
        if entry.address:
            domain = domain_of(entry.address)
            keys = [(key_id, tag, domain) for key_id, tag in verp.tags(entry.address).items()]
            users = {user for key in keys for user in by_tag.get(key, ())}
        else:
            named = [entry.wiki] if entry.wiki else wikis
            users = {(wiki, entry.user_id) for wiki in named} & seen
        found |= users
        unknown += not users
    return found, unknown


def _other(connection: sa.Connection, user: User, policies: Mapping[str, Policy], now: datetime) -> Other:
    wiki, user_id = user
    seen = review(connection, wiki, user_id, policies, now)
    return Other(wiki, user_id, seen.outlook if seen else "")
