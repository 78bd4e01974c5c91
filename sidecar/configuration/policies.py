"""A wiki's policy from its settings: a preset, and what was set besides.

Knows which number belongs to which rule. Does not know what the numbers do: domain/policy.py does.
"""

from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from sidecar.configuration.complaints import in_words
from sidecar.configuration.policy_settings import BrakeSection, PolicySection
from sidecar.domain import toml_text
from sidecar.domain.brake import Limits
from sidecar.domain.classify import HARD_CAPABLE, Category
from sidecar.domain.policy import PRESETS, Mode, Policy, Rule, Streak

__all__ = ["PolicyError", "limits_of", "policy_in", "policy_of", "reach"]

DEFAULT = "specification"

#: setting -> field of the rule that knows it
OF_STREAK = {"span_days": "span", "forget_days": "forget"}
OF_WINDOW = {"period_days": "period"}

#: setting -> field of the policy
TIMES = {"settle_days": "settle", "grace_days": "grace"}
SWITCHES = ("warn", "announce", "tell_mistyped")


class PolicyError(Exception):
    """A file has no policy that could be compared with."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def policy_in(text: str) -> Policy:
    """The policy that [policy] sets in *text*, whatever else it holds. Raises PolicyError."""
    try:
        data = toml_text.parse(text)
        if "policy" not in data:
            raise PolicyError(["[policy] is missing"])
        return policy_of(PolicySection.model_validate(data["policy"]), PolicySection())
    except toml_text.NotToml as error:
        raise PolicyError([f"this is no TOML: {error}"]) from None
    except ValidationError as error:
        problems = ({**problem, "loc": ("policy", *problem["loc"])} for problem in error.errors())
        raise PolicyError([in_words(problem, data) for problem in problems]) from None
    except ValueError as error:
        raise PolicyError([f"[policy]: {error}"]) from None


def policy_of(common: PolicySection, own: PolicySection) -> Policy:
    """A wiki's own settings over the common ones. Raises ValueError for numbers that do not fit the rule."""
    chosen = {**common.model_dump(exclude_none=True), **own.model_dump(exclude_none=True)}
    preset = PRESETS[chosen.get("preset", DEFAULT)]
    values: dict[str, Any] = {
        field: timedelta(days=chosen[setting]) for setting, field in TIMES.items() if setting in chosen
    }
    values |= {name: chosen[name] for name in SWITCHES if name in chosen}
    if "protected_groups" in chosen:
        values["protected"] = frozenset(chosen["protected_groups"])
    return Policy(
        _rule(preset.rule, chosen),
        Mode(chosen.get("mode", Mode.SHADOW)),
        frozenset(map(Category, chosen.get("categories", HARD_CAPABLE))),
        **{"warn": preset.warn, **values},
    )


def _rule(rule: Rule, chosen: dict[str, Any]) -> Rule:
    """The rule of a preset, with other numbers."""
    ours, others = (OF_STREAK, OF_WINDOW) if isinstance(rule, Streak) else (OF_WINDOW, OF_STREAK)
    for setting in others:
        if setting in chosen:
            raise ValueError(f"{setting} means nothing to a {type(rule).__name__.lower()}")
    values: dict[str, Any] = {name: getattr(rule, name) for name in rule.__dataclass_fields__}
    values |= {field: timedelta(days=chosen[setting]) for setting, field in ours.items() if setting in chosen}
    values |= {name: chosen[name] for name in ("hard_bounces", "daily") if name in chosen}
    return type(rule)(**values)


def reach(policy: Policy) -> timedelta:
    """How far back bounces must be kept for *policy* to mean what it says."""
    rule = policy.rule
    return max(rule.forget, rule.span) if isinstance(rule, Streak) else rule.period


def limits_of(section: BrakeSection) -> Limits:
    """What trips a brake."""
    numbers = section.model_dump(exclude={"delay_minutes"})
    return Limits(**numbers, delay=timedelta(minutes=section.delay_minutes))
