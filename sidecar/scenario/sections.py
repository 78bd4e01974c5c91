"""The shape of a story's file: every key, its limits, and what it means if it is not there.

Knows single steps and users. Does not know how they hang together (reading.py).
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from sidecar.configuration.complaints import about
from sidecar.configuration.policy_settings import BrakeSection, PolicySection
from sidecar.configuration.setting_kinds import MailAddress, MailDomain, Section, WikiId
from sidecar.domain.wiki import Effect
from sidecar.recorded import names
from sidecar.scenario.script import WIKI, Answer, BrakeDo, KeysDo, Mood
from sidecar.scenario.times import duration
from sidecar.services.receipt import Receipt
from sidecar.storage.actions import State

__all__ = [
    "VERBS", "BounceStep", "BrakeStep", "ChangeStep", "ClockStep", "ConfirmStep", "ExpectSection",
    "ExpectUserSection", "Head", "KeysStep", "Mailing", "RestartStep", "SendStep", "Step", "UndoStep",
    "UserSection", "WikiStep",
]  # fmt: skip

MOST = 100_000  # users of a group, or repeats of a step: some minutes of playing


def _text(parse: Callable[[str], Any]) -> BeforeValidator:
    def check(value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError("want a text, in quotes")
        return parse(value)

    return BeforeValidator(check)


Length = Annotated[timedelta, _text(duration)]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,30}$")]


class ComposedSection(Section):
    """A report that is composed."""

    action: str = "failed"
    status: str
    diagnostic: str
    remote: str = ""


def _answer(value: object) -> Answer:
    if isinstance(value, str):
        found = _recorded().get(value)
        if not found:
            raise ValueError(f"no such mail in fixtures/bounces; there are: {', '.join(sorted(_cases()))}")
        return Answer(found)
    try:
        return Answer(**ComposedSection.model_validate(value).model_dump())
    except ValidationError as error:
        known = ComposedSection.model_fields
        wrong = [about(".".join(map(str, one["loc"])), one, known) for one in error.errors()]
        raise ValueError("; ".join(wrong)) from None


@cache
def _recorded() -> dict[str, str]:
    """Recorded mails by their names, and by their cases: "no-such-user" is Postfix's, if it has one."""
    whole = list(names())
    cases = {name.partition("/")[2].partition("-")[2]: name for name in whole}  # postfix/ comes last
    return {**cases, **{name: name for name in whole}}


def _cases() -> list[str]:
    return [name for name in _recorded() if "/" not in name]


Comes = Annotated[Answer, BeforeValidator(_answer)]


class UserSection(Section):
    name: Name
    story: str = ""
    confirmed: str = Field("day -365", description='Since when the address is confirmed; or "never"')
    groups: tuple[str, ...] = ()
    domain: MailDomain = "remote.example"
    address: MailAddress | None = Field(None, description="If it is not <name>@<domain>")
    count: int = Field(1, ge=1, le=MOST, description="So many users: Ada-1, Ada-2, ...")
    wiki: WikiId = WIKI
    called: str = Field("", max_length=40, description="Name on the wiki, if another; one for several wikis")
    attached: bool = Field(False, description="To the global account of that name, at home where it is first")


class Step(Section):
    at: str = Field("+0", description="When; +... is counted from the step before")


class Mailing(Step):
    """Something comes back."""

    mail: str = Field("", max_length=40, description="Its name, if a later step speaks of it")
    about: MailAddress | None = Field(None, description="The address that failed, if it is another one")
    forged: bool = Field(False, description="The return path is signed by nobody")
    deliveries: int = Field(1, ge=1, le=100, description="How often the mail server delivers it")
    every: Length = Field(timedelta(minutes=1), description="Between the users of a group, or the repeats")


class SendStep(Mailing):
    send: Name
    answer: Comes | None = Field(None, description="What comes back; nothing if it is not there")
    late: Length = Field(timedelta(minutes=1), description="How long after the sending it comes back")
    confirming: bool = Field(False, description="The mail asks to confirm the address")
    times: int = Field(1, ge=1, le=MOST, description="How often")


class BounceStep(Mailing):
    bounce: Name
    answer: Comes


class ConfirmStep(Step):
    confirm: Name


class ChangeStep(Step):
    change: Name
    address: MailAddress


class WikiStep(Step):
    wiki: Mood


class BrakeStep(Step):
    brake: BrakeDo
    provider: str = ""


class UndoStep(Step):
    undo: str
    provider: str = ""
    user: Name | None = None


class KeysStep(Step):
    keys: KeysDo


class ClockStep(Step):
    clock: Length


class RestartStep(Step):
    restart: bool


#: The key that says what a step is.
VERBS: dict[str, type[Step]] = {
    "send": SendStep,
    "bounce": BounceStep,
    "confirm": ConfirmStep,
    "change": ChangeStep,
    "wiki": WikiStep,
    "brake": BrakeStep,
    "undo": UndoStep,
    "keys": KeysStep,
    "clock": ClockStep,
    "restart": RestartStep,
}


class ExpectUserSection(Section):
    confirmed: bool | None = None
    unconfirmed: Count | None = None  #: so many users of the group
    warned: Count | None = None
    told: tuple[Literal["warn", "unconfirm", "mistyped"], ...] | None = None
    effects: tuple[Effect, ...] | None = None
    why: tuple[str, ...] = ()


class ExpectSection(Section):
    users: dict[str, ExpectUserSection] = Field(default_factory=dict)
    actions: dict[State, Count] | None = None
    brakes: Count | None = None
    receipts: dict[Receipt, Count] = Field(default_factory=dict)


class Head(Section):
    """The file without its steps."""

    title: str = Field(min_length=1)
    until: str = ""
    policy: PolicySection = PolicySection()
    brake: BrakeSection = BrakeSection()
    wikis: dict[WikiId, PolicySection] = Field({}, description="What differs from [policy] at each")
    users: list[UserSection] = Field(min_length=1)
    expect: ExpectSection
