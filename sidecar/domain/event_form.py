"""The generic form of an event, for mail providers that we do not know: docs/http.md describes it.

Knows its fields and their limits. Does not know where events come from, nor how they become mail (event.py).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .event import MAX_ADDRESS, MAX_DIAGNOSTIC, Event, Failure, when
from .json_text import one_spelling
from .report import ReportAction

__all__ = ["FIELDS", "BadEvent", "parse"]

#: field -> longest value, in characters
FIELDS = {
    "return_path": MAX_ADDRESS,
    "address": MAX_ADDRESS,
    "type": 20,
    "action": 20,
    "status": 20,
    "diagnostic": MAX_DIAGNOSTIC,
    "remote_mta": 255,  # RFC 1035 section 2.3.4
    "time": 40,
    "id": 998,
}

_ADDRESS = re.compile(r"[^\s<>()\",;:\\@]+@[^\s<>()\",;\\@]+")
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_ACTIONS = {"failed": ReportAction.FAILED, "delayed": ReportAction.DELAYED}


class BadEvent(ValueError):
    """The event is refused; the words name the field."""


def parse(told: object) -> Event:
    """One event from parsed JSON. Raises BadEvent."""
    if not isinstance(told, dict):
        raise BadEvent("an event is a JSON object")
    for name in told:
        if name not in FIELDS:
            raise BadEvent(f"{_shown(name)}: unknown field; there are: {', '.join(FIELDS)}")
    words = {name: _text(told, name, limit) for name, limit in FIELDS.items()}
    for name in ("return_path", "address"):
        if not _ADDRESS.fullmatch(words[name]) or not words[name].isprintable():
            raise BadEvent(f"{name}: {'is missing' if not words[name] else 'is no mail address'}")
    if words["status"] and not _STATUS.fullmatch(words["status"]):
        raise BadEvent('status: want an enhanced status code of class 4 or 5, as "5.1.1" (RFC 3463)')
    if words["remote_mta"] and not _HOST.fullmatch(words["remote_mta"]):
        raise BadEvent("remote_mta: is no host name")
    complaint = _one_of(words, "type", ("bounce", "complaint"), "bounce") == "complaint"
    action = _ACTIONS[_one_of(words, "action", tuple(_ACTIONS), "failed" if complaint else "")]
    failure = Failure(
        words["address"],
        action,
        words["status"],
        words["diagnostic"] and f"smtp; {words['diagnostic']}",
        words["remote_mta"],
    )
    original = one_spelling(told)
    return Event(words["return_path"], (failure,), original, complaint=complaint, time=_time(words["time"]))


def _text(told: Mapping[str, Any], name: str, limit: int) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadEvent(f"{name}: want a string")
    if len(value) > limit:
        raise BadEvent(f"{name}: longer than {limit} characters")
    return value


def _one_of(words: Mapping[str, str], name: str, known: tuple[str, ...], default: str) -> str:
    value = words[name] or default
    if value not in known:
        raise BadEvent(f"{name}: want {' or '.join(known)}")
    return value


def _time(text: str) -> datetime | None:
    """Aware; a time that does not say where is UTC."""
    if not text:
        return None
    try:
        return when(text)
    except ValueError:
        raise BadEvent('time: want ISO 8601, as "2026-03-01T12:00:00Z"') from None


def _shown(name: object) -> str:
    return repr(str(name)[:40])
