"""The parameters of the practice wiki's API, read with MediaWiki's manners.

Knows kinds of values and the errors of wrong ones. Does not know what they are for.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from .practice_troubles import ApiError

__all__ = ["integer", "names", "required", "time"]

CLOCK_SKEW = timedelta(hours=1)  # by which a request may come from the future


def required(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        raise ApiError("missingparam", f'The "{name}" parameter must be set.')
    return given[name]


def integer(given: Mapping[str, str], name: str) -> int:
    value = required(given, name)
    try:
        return int(value)
    except ValueError:
        raise ApiError("badinteger", f'Invalid value "{value}" for integer parameter "{name}".') from None


def time(given: Mapping[str, str], name: str, now: datetime) -> datetime:
    """In UTC; the extension wants none of the future."""
    value = required(given, name)
    bad = ApiError("badtimestamp", f'Invalid value "{value}" for timestamp parameter "{name}".')
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise bad from None
    if moment > now + CLOCK_SKEW:
        raise bad
    return moment


def names(given: Mapping[str, str], name: str) -> list[str]:
    """A list of values, in its order."""
    return [one for one in given.get(name, "").split("|") if one]
