"""action=emailbounce: how an action is spelled as parameters, and what the answer to it means.

Knows the extension's words. Does not know HTTP, logins or errors.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sidecar.domain.wiki import (
    Action,
    Effect,
    Mistyped,
    Outcome,
    Restore,
    Unconfirm,
    Warn,
    WikiMisconfigured,
    WikiRefused,
)

__all__ = ["MODULE", "not_understood", "outcome", "parameters", "time_of"]

MODULE = "emailbounce"
LONGEST_WORD = 255  # octets; MediaWiki's user_groups.ug_group, and more than any fingerprint has
EFFECTS = set(Effect) - {Effect.SUBMITTED}  # the extension knows what it has done


def outcome(answer: Mapping[str, Any]) -> Outcome:
    """What the wiki answered. Raises WikiMisconfigured if it speaks otherwise than we do."""
    result, confirmed = answer.get("result"), answer.get("confirmed")
    if result not in EFFECTS:
        raise not_understood("an unknown result")
    return Outcome(
        Effect(result),
        confirmed_at=time_of(confirmed) if confirmed else None,
        fingerprint=_word(answer.get("fingerprint")),
        group=_word(answer.get("group")),
    )


def parameters(action: Action) -> dict[str, str | int]:
    """The request's parameters; whoever sends it adds the token. Raises WikiRefused."""
    operation, spelled = _OPERATIONS[type(action)]
    said = {name: spell(getattr(action, field)) for name, (field, spell) in spelled.items()}
    given = {name: value for name, value in said.items() if value is not None}
    return {"op": operation, "userid": action.user_id, **given, "reason": action.reason}


def not_understood(what: str) -> WikiMisconfigured:
    """The error of an answer that no extension of our version gives."""
    return WikiMisconfigured(
        f"cannot read the wiki's answer: {what} (sidecar and extension of different versions?)"
    )


def _word(said: object) -> str:
    """A fingerprint, or a group's name; "" for none. It is logged, and kept."""
    word = said or ""
    if not isinstance(word, str) or len(word) > LONGEST_WORD or not word.isprintable():
        raise not_understood("a word that is none")
    return word


def _timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC. Cut to the second, as MediaWiki's own times are: rather too early than too late."""
    if moment.tzinfo is None:
        raise WikiRefused("a time has no time zone: to act by it could hit a newer confirmation")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(names: frozenset[str]) -> str | None:
    return "|".join(sorted(names)) or None


def _flag(on: bool) -> str | None:
    return "1" if on else None  # MediaWiki takes a flag for set if it is there at all


_Spelled = Mapping[str, tuple[str, Callable[[Any], str | None]]]

#: The operation that each action is, and its parameters: the action's field, and how that is spelled.
_OPERATIONS: dict[type[Action], tuple[str, _Spelled]] = {
    Warn: (
        "warn",
        {"confirmedbefore": ("confirmed_before", _timestamp), "protect": ("protect", _list)},
    ),
    Unconfirm: (
        "unconfirm",
        {
            "confirmedbefore": ("confirmed_before", _timestamp),
            "protect": ("protect", _list),
            "announce": ("announce", _flag),
        },
    ),
    Restore: (
        "restore",
        {"confirmed": ("confirmed_at", _timestamp), "fingerprint": ("fingerprint", str)},
    ),
    Mistyped: ("mistyped", {"sent": ("sent", _timestamp)}),
}


def time_of(timestamp: object) -> datetime:
    """A time as MediaWiki writes it; raises WikiMisconfigured if it is none."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(str(timestamp))
        if moment.tzinfo:
            return moment.astimezone(UTC)
    raise not_understood("an unknown kind of time")
