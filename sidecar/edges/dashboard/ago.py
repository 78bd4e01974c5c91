"""How long ago, in words.

Knows words for spans of time. Does not know what time it is.
"""

from datetime import datetime, timedelta

__all__ = ["ago", "span"]

STEPS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


def span(length: timedelta) -> str:
    """The largest unit that fits, rounded down: "3 minutes"."""
    for step, word in STEPS:
        if count := length // step:
            return f"{count} {word}{'s' if count > 1 else ''}"
    return "no time"


def ago(time: datetime, now: datetime) -> str:
    """ "3 minutes ago", "in 2 hours", "now"."""
    if abs(now - time) < timedelta(seconds=1):
        return "now"
    return f"{span(now - time)} ago" if time < now else f"in {span(time - now)}"
