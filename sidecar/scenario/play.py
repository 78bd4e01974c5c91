"""Play a story: each of its events at its time, on a stage of its own.

Knows what each event does to the wiki, the sidecar or the mail. Does not know what should come of it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import singledispatchmethod

from sidecar.scenario import script
from sidecar.scenario.mails import forged, written
from sidecar.scenario.script import START, BrakeDo, KeysDo, Scenario
from sidecar.scenario.stage import Stage, StoryClock
from sidecar.services.undo import undo
from sidecar.storage import brakes
from sidecar.storage.brakes import BrakeState
from sidecar.storage.undoing import undoable
from wiki_adapter.practice_users import PracticeUsers

__all__ = ["Played", "play"]


@dataclass(frozen=True)
class Played:
    """The end of a story: the stage as it was left, and the users' numbers on the wiki."""

    stage: Stage
    ids: tuple[int, ...]  #: in the order of the story's people


async def play(scenario: Scenario) -> Played:
    """Everything that happens, to the end; close the stage afterwards."""
    first = min((at for at, _ in scenario.events), default=timedelta(0))
    clock = StoryClock(START + min(first, timedelta(0)))
    stage = Stage(clock, scenario.policies, scenario.limits)
    await stage.open()
    try:
        director = _Director(stage, scenario)
        for at, what in scenario.events:
            await stage.at(START + at)
            await director.happen(what)
        await stage.at(START + scenario.until)
        return Played(stage, tuple(director.ids))
    except BaseException:
        await stage.close()
        raise


@dataclass
class _Director:
    stage: Stage
    scenario: Scenario
    ids: list[int] = field(default_factory=list)
    sent: dict[tuple[int, str], tuple[str, str]] = field(default_factory=dict)  #: return path and address

    def __post_init__(self) -> None:
        for person in self.scenario.people:
            since = None if person.confirmed is None else START + person.confirmed
            users = self.stage.users[person.wiki]
            self.ids.append(users.add_user(person.username, person.address, since, person.groups))
        attached = [
            (one, number) for one, number in zip(self.scenario.people, self.ids, strict=True) if one.attached
        ]
        for name in dict.fromkeys(one.username for one, _ in attached):
            accounts = {one.wiki: (number, START) for one, number in attached if one.username == name}
            self.stage.central.join(name, accounts, home=next(iter(accounts)))

    def _users(self, person: int) -> PracticeUsers:
        """Of the wiki on which this person is a user."""
        return self.stage.users[self.scenario.people[person].wiki]

    @singledispatchmethod
    async def happen(self, what: object) -> None:
        raise TypeError(type(what).__name__)

    @happen.register
    async def _(self, what: script.Send) -> None:
        user_id = self.ids[what.person]
        users, wiki = self._users(what.person), self.scenario.people[what.person].wiki
        address = users.mailbox(user_id).address
        if what.confirming:
            users.ask_for_confirmation(user_id, self.stage.clock.time)
        path = self.stage.return_paths.issue(wiki, user_id, address, confirming=what.confirming)
        self.sent[what.person, what.mail] = path, address

    @happen.register
    async def _(self, what: script.Come) -> None:
        path, address = self.sent[what.person, what.mail]
        if what.forged:
            path = forged(path)
        raw = written(what.answer, what.about or address, path, self.stage.clock.time)
        for _ in range(what.deliveries):
            await self.stage.take(path, raw)

    @happen.register
    async def _(self, what: script.Confirm) -> None:
        self._users(what.person).confirm(self.ids[what.person], self.stage.clock.time)

    @happen.register
    async def _(self, what: script.Change) -> None:
        self._users(what.person).change_address(self.ids[what.person], what.address)

    @happen.register
    async def _(self, what: script.Weather) -> None:
        for door in self.stage.doors.values():
            door.mood = what.mood

    @happen.register
    async def _(self, what: script.Brakes) -> None:
        now, provider, write = self.stage.clock(), what.provider, self.stage.database.write
        if what.do is BrakeDo.PULL:
            await write(lambda c: brakes.trip(c, provider, "", "pulled", now, since=now, hold_from=None))
            return
        let_go = brakes.release if what.do is BrakeDo.RELEASE else brakes.discard
        for brake in await self.stage.database.read(lambda c: brakes.brakes(c, BrakeState.TRIPPED)):
            if provider in ("", brake.provider):
                await write(lambda c, brake=brake: let_go(c, brake.id, now))  # type: ignore[misc]
        self.stage.look_again()

    @happen.register
    async def _(self, what: script.Undo) -> None:
        since, now = START + what.since, self.stage.clock()
        wiki, user_id = "", 0
        if what.person is not None:
            wiki, user_id = self.scenario.people[what.person].wiki, self.ids[what.person]
        found = await self.stage.database.read(
            lambda c: undoable(c, since, provider=what.provider, wiki=wiki, user_id=user_id)
        )
        await self.stage.database.write(lambda c: undo(c, found, now))
        self.stage.look_again()

    @happen.register
    async def _(self, what: script.Keys) -> None:
        if what.do is KeysDo.ROTATE:
            self.stage.rotate_key()
        else:
            del self.stage.keys[1:]
        await self.stage.restart()

    @happen.register
    async def _(self, what: script.Clock) -> None:
        self.stage.clock.wrong = what.wrong
        self.stage.look_again()

    @happen.register
    async def _(self, what: script.Restart) -> None:
        await self.stage.restart()
