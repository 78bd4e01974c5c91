"""What should have come of a story, beside what came.

Knows where the end of a story can be looked up. Does not play it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.person import Account
from sidecar.scenario.play import Played, play
from sidecar.scenario.script import ExpectedUser, Scenario
from sidecar.services.receipt import Receipt
from sidecar.services.review import review
from sidecar.storage import actions, brakes
from sidecar.storage.actions import Entry

__all__ = ["Check", "Outcome", "outcome"]


@dataclass(frozen=True)
class Check:
    """One expectation."""

    whom: str  #: a user or a group; "" for the whole story
    what: str
    expected: str
    found: str
    ok: bool


@dataclass(frozen=True)
class Outcome:
    """How a story ended."""

    title: str
    checks: tuple[Check, ...]
    why: dict[str, list[str]]  #: by each user that was to end otherwise: the answer to `why`

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


async def outcome(scenario: Scenario) -> Outcome:
    """Play, and compare."""
    played = await play(scenario)
    try:
        end = _End(scenario, played, await played.stage.database.read(actions.entries))
        checks, why = await end.of_the_story(), {}
        for group, expected in scenario.expected.users.items():
            own = [check async for check in end.of_users(group, expected)]
            checks += own
            members = end.members(group)
            if len(members) == 1 and not all(check.ok for check in own):
                why[group] = await end.why(members[0])
        return Outcome(scenario.title, tuple(checks), why)
    finally:
        await played.stage.close()


@dataclass(frozen=True)
class _End:
    scenario: Scenario
    played: Played
    entries: list[Entry]

    def members(self, group: str) -> list[Account]:
        """The accounts of a group's users."""
        people = zip(self.scenario.people, self.played.ids, strict=True)
        return [Account(person.wiki, user_id) for person, user_id in people if person.group == group]

    async def of_the_story(self) -> list[Check]:
        expected = self.scenario.expected
        states, receipts = Counter(entry.state for entry in self.entries), self.played.stage.receipts
        ever = await self.played.stage.database.read(brakes.brakes)
        whys = "".join(f"; {brakes.whose(one.provider, one.wiki)}: {one.why}" for one in ever)
        checks = []
        if expected.actions is not None:
            wanted = {str(state): count for state, count in expected.actions.items() if count}
            checks.append(_check("", "actions", _counts(wanted), _counts(states)))
        if expected.brakes is not None:
            number = len(ever)
            checks.append(
                Check("", "brakes", str(expected.brakes), f"{number}{whys}", number == expected.brakes)
            )
        for receipt, count in expected.receipts.items():
            checks.append(_check("", f"mails {receipt}", str(count), str(receipts[Receipt(receipt)])))
        return checks

    async def of_users(self, group: str, expected: ExpectedUser) -> AsyncIterator[Check]:
        members = self.members(group)
        users = self.played.stage.users
        lost = sum(users[one.wiki].mailbox(one.user_id).confirmed_at is None for one in members)
        if expected.confirmed is not None:
            wanted = 0 if expected.confirmed else len(members)
            yield _check(group, "address", _fate(wanted, len(members)), _fate(lost, len(members)))
        if expected.unconfirmed is not None:
            yield _check(group, "unconfirmed", str(expected.unconfirmed), str(lost))
        if len(members) > 1:
            return
        [only] = members
        told = users[only.wiki].told(only.user_id)
        if expected.warned is not None:
            yield _check(group, "warned", str(expected.warned), str(told.count("warn")))
        if expected.told is not None:
            yield _check(group, "told", _list(expected.told), _list(told))
        if expected.effects is not None:
            own = [
                entry for entry in self.entries if (entry.wiki, entry.user_id) == (only.wiki, only.user_id)
            ]
            effects = [entry.effect for entry in own if entry.effect]
            yield _check(group, "effects", _list(expected.effects), _list(effects))
        lines = await self.why(only) if expected.why else []
        for words in expected.why:
            found = [line for line in lines if words in line]
            yield Check(group, "why", words, found[-1] if found else "no such words", bool(found))

    async def why(self, one: Account) -> list[str]:
        """The answer to `why`, a line a fact."""
        stage = self.played.stage
        policies, now = stage.policies, stage.clock()
        found = await stage.database.read(lambda c: review(c, one.wiki, one.user_id, policies, now))
        return [*map(str, found.lines), found.outlook] if found else ["nothing is known"]


def _check(whom: str, what: str, expected: str, found: str) -> Check:
    return Check(whom, what, expected, found, expected == found)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _fate(lost: int, members: int) -> str:
    if lost in (0, members):
        return "unconfirmed" if lost else "confirmed"
    return f"{lost} of {members} unconfirmed"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
