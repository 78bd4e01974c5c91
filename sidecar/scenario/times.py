"""How a story spells its times: "day 3 14:00", "+2h", "6 days", "150ms".

Knows the spelling. Does not know what happens then.
"""

import re
from datetime import timedelta

__all__ = ["MOMENT", "duration", "moment"]

MOMENT = 'want "day 3", "day 3 14:00" or "+2h"'
_DURATION = 'want a duration, as "90s", "2h", "6 days" or "1d 12h"'
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_LONG = {"second": "s", "sec": "s", "minute": "m", "min": "m", "hour": "h", "day": "d", "week": "w"}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([a-z]+)")
_PARTS = re.compile(r"([+-]?) ?(\d{1,9}(?:\.\d{1,6})? ?[a-z]+(?: \d{1,9}(?:\.\d{1,6})? ?[a-z]+)*)")
_DAY = re.compile(r"day (-?\d{1,5})(?: (\d\d?):(\d\d)(?::(\d\d))?)?")


def duration(text: str) -> timedelta:
    """A length of time, with a sign if it has one. Raises ValueError."""
    if text.lstrip("+-") == "0":
        return timedelta(0)
    whole = _PARTS.fullmatch(text)
    if not whole:
        raise ValueError(_DURATION)
    length = sum((_part(number, unit) for number, unit in _PART.findall(whole[2])), timedelta(0))
    return -length if whole[1] == "-" else length


def moment(text: str, before: timedelta) -> timedelta:
    """A time of the story, as its distance from the beginning of day 0 (UTC); "+..." counts from *before*.

    Raises ValueError.
    """
    if text.startswith("+"):
        return before + duration(text)
    found = _DAY.fullmatch(text)
    if not found:
        raise ValueError(MOMENT)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("there is no such time of day")
    return timedelta(days=int(found[1]), hours=hours, minutes=minutes, seconds=seconds)


def _part(number: str, unit: str) -> timedelta:
    short = unit if unit in _UNITS else _LONG.get(unit.removesuffix("s"))
    if short is None:
        raise ValueError(_DURATION)
    return float(number) * _UNITS[short]
