"""[policy], [wikis.policy] and [brake]: every setting of the policy with its limits and its meaning.

Knows names and shapes. Does not know what a preset says: policies.py does.
"""

from pydantic import Field, field_validator

from sidecar.configuration.setting_kinds import Days, Preset, Section
from sidecar.domain.classify import HARD_CAPABLE, Category
from sidecar.domain.policy import Mode

__all__ = ["BrakeSection", "PolicySection"]

_FIVE = f"those that may count are: {', '.join(sorted(HARD_CAPABLE))}"


class PolicySection(Section):
    preset: Preset | None = Field(
        None, description="specification (default), gentle (recommended), bouncehandler or wikimedia"
    )
    mode: Mode | None = Field(
        None, description="shadow (default): decide and record, touch nothing; enforce: act"
    )
    categories: list[str] | None = Field(
        None, description="Which categories may count; all five of classifying.md if not set"
    )
    hard_bounces: int | None = Field(None, ge=1, le=10000, description="How many hard bounces it takes")
    span_days: Days | None = Field(None, description="Streak: age of the oldest counted mail, at least")
    forget_days: Days | None = Field(
        None,
        description="Streak: failures further apart are no streak, and after so long without one it is over",
    )
    period_days: Days | None = Field(None, description="Window: period in which the bounces are counted")
    daily: bool | None = Field(None, description="Count the failures of mail sent on one day as one")
    settle_days: Days | None = Field(
        None, description="A mail that has not come back for so long has arrived (2 if not set)"
    )
    warn: bool | None = Field(
        None, description="Warn the user on the wiki first, un-confirm when a later mail fails too"
    )
    grace_days: Days | None = Field(
        None, description="How long after the warning that later mail is sent, at least (3 if not set)"
    )
    announce: bool | None = Field(
        None, description="Tell the user on the wiki that the address was un-confirmed (true if not set)"
    )
    tell_mistyped: bool | None = Field(
        None, description="Tell the user on the wiki that a confirmation mail came back (true if not set)"
    )
    protected_groups: list[str] | None = Field(
        None, description="Groups whose members are reported and never touched; see below if not set"
    )

    @field_validator("categories")
    @classmethod
    def _may_count(cls, value: list[str] | None) -> list[str] | None:
        for name in value or ():
            if name not in [category.value for category in Category]:
                raise ValueError(f"there is no category {name!r}; {_FIVE}")
            if name not in HARD_CAPABLE:
                raise ValueError(f"{name} never counts; {_FIVE}")
        return value


class BrakeSection(Section):
    users_per_hour: int = Field(
        100, ge=1, description="Hold all actions of a provider whose users fail in larger numbers"
    )
    users_per_hour_in_all: int = Field(400, ge=1, description="The same for all providers together")
    factor: float = Field(10.0, gt=1, description="Hold them, too, above so many times the usual rate ...")
    least: int = Field(20, ge=1, description="... if more users than this fail within the hour")
    actions_per_hour: int = Field(100, ge=1, description="Hold everything when more is decided")
    actions_per_day: int = Field(500, ge=1, description="The same for a day")
    delay_minutes: float = Field(
        60, ge=0, le=7 * 24 * 60, description="Between a decision and its execution: time for a brake to trip"
    )
