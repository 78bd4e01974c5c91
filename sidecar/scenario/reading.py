"""A story's file into a Scenario; every problem at once, each with its step or user.

Knows how users, steps and expectations hang together. Opens no file; the keys stand in sections.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from sidecar.configuration.complaints import about
from sidecar.configuration.policies import limits_of, policy_of
from sidecar.configuration.policy_settings import BrakeSection, PolicySection
from sidecar.configuration.setting_kinds import Section
from sidecar.domain import toml_text
from sidecar.domain.harmless import harmless
from sidecar.domain.policy import Mode, Policy
from sidecar.scenario import sections as s
from sidecar.scenario.script import (
    Brakes,
    Change,
    Clock,
    Come,
    Confirm,
    Expected,
    ExpectedUser,
    Keys,
    Person,
    Restart,
    Scenario,
    Send,
    Undo,
    Weather,
    What,
)  # fmt: skip
from sidecar.scenario.times import moment

__all__ = ["ScenarioError", "read_scenario"]

AFTERWARDS = timedelta(days=1)  # what is owed at the end is paid


class ScenarioError(Exception):
    """The file is no story that could be played."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = [harmless(problem) for problem in problems]
        super().__init__("\n".join(self.problems))


def read_scenario(text: str) -> Scenario:
    """The story in *text*, which is TOML. Raises ScenarioError with all problems."""
    try:
        data = toml_text.parse(text)
    except toml_text.NotToml as error:
        raise ScenarioError([f"this is no TOML: {error}"]) from None
    problems: list[str] = []
    steps = list(_steps(data.pop("steps", None), problems))
    try:
        head = s.Head.model_validate(data)
    except ValidationError as error:
        raise ScenarioError([_in_words(one, data) for one in error.errors()] + problems) from None
    story = _Story(problems)
    story.enter(head.users)
    for number, step in steps:
        story.add(f"step {number}", step)
    return story.finished(head)


def _steps(tables: object, problems: list[str]) -> Iterator[tuple[int, s.Step]]:
    """Each step by its number, as what it is."""
    if not isinstance(tables, list) or not tables:
        problems.append("steps is missing")
        return
    for number, table in enumerate(tables, 1):
        found = sorted(set(table) & set(s.VERBS)) if isinstance(table, dict) else []
        if len(found) != 1:
            several = f"only one of {', '.join(found)}" if found else f"one of {', '.join(s.VERBS)}"
            problems.append(f"step {number}: want {several}")
            continue
        shape = s.VERBS[found[0]]
        try:
            yield number, shape.model_validate(table)
        except ValidationError as error:
            for one in error.errors():
                place = f"step {number}: {'.'.join(map(str, one['loc']))}"
                problems.append(about(place, one, shape.model_fields))


def _in_words(problem: Any, data: Mapping[str, Any]) -> str:
    where = list(problem["loc"])
    if where[:1] == ["users"] and len(where) > 1:
        user = data["users"][where[1]]
        known_as = user.get("name") if isinstance(user, dict) else None
        return about(f"user {known_as or where[1] + 1}: {where[-1]}", problem, s.UserSection.model_fields)
    inside: dict[str, type[Section]] = {
        "policy": PolicySection,
        "brake": BrakeSection,
        "expect": s.ExpectUserSection if where[:2] == ["expect", "users"] else s.ExpectSection,
    }
    shape = inside.get(where[0], s.Head) if len(where) > 1 else s.Head
    outer = f"[{'.'.join(map(str, where[:-1]))}] " if len(where) > 1 else ""
    return about(f"{outer}{where[-1]}", problem, shape.model_fields)


@dataclass
class _Story:
    """What has been read so far."""

    problems: list[str]
    people: list[Person] = field(default_factory=list)
    groups: dict[str, list[int]] = field(default_factory=dict)
    events: list[tuple[timedelta, What]] = field(default_factory=list)
    mails: dict[tuple[int, str], str] = field(default_factory=dict)  #: "" is the newest: its name
    now: timedelta | None = None  #: of the last step

    def enter(self, users: list[s.UserSection]) -> None:
        for user in users:
            if user.name in self.groups:
                self.problems.append(f"user {user.name}: there are two of that name")
                continue
            if user.count > 1 and user.address:
                self.problems.append(f"user {user.name}: address: one for {user.count} users")
            since = (
                self._moment(f"user {user.name}: confirmed", user.confirmed)
                if user.confirmed != "never"
                else None
            )
            members = self.groups[user.name] = []
            for number in range(1, user.count + 1):
                name = user.name if user.count == 1 else f"{user.name}-{number}"
                address = user.address or f"{(user.called or name).lower()}@{user.domain}"
                members.append(len(self.people))
                account = (user.wiki, user.called, user.attached)
                groups = frozenset(user.groups)
                self.people.append(Person(name, user.name, address, since, groups, user.story, *account))
            if user.count > 1 and user.called:
                self.problems.append(f"user {user.name}: called: one for {user.count} users")

    def add(self, place: str, step: s.Step) -> None:
        """One step, after those before it."""
        at = self._moment(f"{place}: at", step.at, self.now or timedelta(0))
        if self.now is not None and at < self.now:
            self.problems.append(f"{place}: at = {step.at!r}: earlier than the step before")
        self.now = at
        match step:
            case s.SendStep():
                self._send(place, step, at)
            case s.BounceStep():
                self._bounce(place, step, at)
            case s.ConfirmStep(confirm=name):
                self.events += [(at, Confirm(person)) for person in self._members(place, name)]
            case s.ChangeStep(change=name, address=address):
                self.events += [
                    (at, Change(person, address)) for person in self._members(place, name, only=1)
                ]
            case s.UndoStep():
                users = self._members(place, step.user, only=1) if step.user else [None]
                since = self._moment(f"{place}: undo", step.undo, at)
                self.events += [(at, Undo(since, step.provider, person)) for person in users]
            case _:
                self.events.append((at, _simple(step)))

    def _send(self, place: str, step: s.SendStep, at: timedelta) -> None:
        for number in range(step.times):
            name = (step.mail or place) + (f" number {number + 1}" if step.times > 1 else "")
            for person in self._members(place, step.send):
                self.now = at
                self.mails[person, name] = self.mails[person, ""] = name
                self.events.append((at, Send(person, name, step.confirming)))
                if step.answer:
                    come = Come(person, name, step.answer, step.about or "", step.forged, step.deliveries)
                    self.events.append((at + step.late, come))
                at += step.every

    def _bounce(self, place: str, step: s.BounceStep, at: timedelta) -> None:
        for person in self._members(place, step.bounce):
            self.now = at
            mail = self.mails.get((person, step.mail))
            if mail is None and self.problems:
                return  # it may be in a step that could not be read
            if mail is None:
                known = self.people[person].name
                self.problems.append(
                    f"{place}: mail = {step.mail!r}: {known} was sent no such mail"
                    if step.mail
                    else f"{place}: {known} was sent no mail before"
                )
                return
            come = Come(person, mail, step.answer, step.about or "", step.forged, step.deliveries)
            self.events.append((at, come))
            at += step.every

    def _members(self, place: str, name: str, only: int = 0) -> list[int]:
        members = self.groups.get(name, [])
        if not members:
            self.problems.append(f"{place}: there is no user {name}")
        elif only and len(members) > only:
            self.problems.append(f"{place}: {name} are {len(members)} users")
        return members

    def _moment(self, place: str, text: str, before: timedelta = timedelta(0)) -> timedelta:
        try:
            return moment(text, before)
        except ValueError as error:
            self.problems.append(f"{place} = {text!r}: {error}")
            return before

    def finished(self, head: s.Head) -> Scenario:
        """The whole. Raises ScenarioError with all problems."""
        expected = self._expected(head.expect)
        events = sorted(self.events, key=lambda event: event[0])
        last = max([at for at, _ in events] + [self.now or timedelta(0)])
        until = self._moment("until", head.until, last) if head.until else last + AFTERWARDS
        if until < last:
            self.problems.append(f"until = {head.until!r}: earlier than the last step")
        policies = self._policies(head)
        if self.problems:
            raise ScenarioError(self.problems)
        people = tuple(self.people)
        return Scenario(head.title, policies, limits_of(head.brake), people, tuple(events), until, expected)

    def _policies(self, head: s.Head) -> dict[str, Policy]:
        """By wiki; where anybody is attached to a global account, all of them have central accounts."""
        acting = PolicySection(mode=Mode.ENFORCE).model_dump(exclude_none=True)
        common = PolicySection(**{**acting, **head.policy.model_dump(exclude_none=True)})
        wikis = {person.wiki: PolicySection() for person in self.people}
        for wiki in head.wikis.keys() - wikis.keys():
            self.problems.append(f"[wikis.{wiki}]: nobody is a user of it")
        central, found = any(person.attached for person in self.people), {}
        for wiki, own in (wikis | head.wikis).items():
            try:
                found[wiki] = replace(policy_of(common, own), central=central)
            except ValueError as error:
                self.problems.append(f"[{'wikis.' + wiki if wiki in head.wikis else 'policy'}]: {error}")
        return found

    def _expected(self, section: s.ExpectSection) -> Expected:
        if section == s.ExpectSection():
            self.problems.append("[expect] says nothing: a story that expects nothing cannot fail")
        users = {}
        for name, user in section.users.items():
            several = len(self._members("[expect.users]", name)) > 1
            for key in ("warned", "told", "effects", "why"):
                if several and getattr(user, key):
                    self.problems.append(f"[expect.users.{name}] {key}: only for one user")
            users[name] = ExpectedUser(**user.model_dump())
        actions = (
            section.actions if section.actions is None else {str(k): n for k, n in section.actions.items()}
        )
        return Expected(users, actions, section.brakes, {str(k): n for k, n in section.receipts.items()})


def _simple(step: s.Step) -> What:
    """A step that is about no user."""
    match step:
        case s.WikiStep(wiki=mood):
            return Weather(mood)
        case s.BrakeStep(brake=do, provider=provider):
            return Brakes(do, provider)
        case s.KeysStep(keys=do):
            return Keys(do)
        case s.ClockStep(clock=wrong):
            return Clock(wrong)
    return Restart()
