"""Whether a line is one that the Elastic Common Schema knows.

Knows the rules that an ECS logger keeps, and the types of those of its fields that we use. Does not know when
what is logged.
"""

import json
from datetime import UTC, datetime
from typing import Any

__all__ = ["check_ecs"]

OURS = "bounce_sidecar"

#: Fields of ECS 1.6 and what they hold; no others are used.
FIELDS: dict[str, type] = {
    "@timestamp": str,
    "log.level": str,
    "message": str,
    "ecs.version": str,
    "service.name": str,
    "service.version": str,
    "service.node.name": str,
    "event.kind": str,
    "event.action": str,
    "event.outcome": str,
    "event.reason": str,
    "error.type": str,
    "error.message": str,
    "error.stack_trace": str,
    "log.origin.file.name": str,
    "log.origin.file.line": int,
}
NEEDED = {name for name in FIELDS if name.partition(".")[0] not in ("error", "log", "event")}
NEEDED |= {"log.level", "event.kind", "event.action"}
LEVELS = {"debug", "info", "warning", "error", "critical"}
OUTCOMES = {"success", "failure", "unknown"}


def check_ecs(text: str) -> dict[str, Any]:
    """The fields of one line by their dotted names, ours without the namespace. Raises AssertionError."""
    assert text.startswith('{"@timestamp":"'), text
    fields = _flat(json.loads(text))
    ours = {
        name.removeprefix(f"{OURS}."): fields.pop(name)
        for name in list(fields)
        if name.startswith(f"{OURS}.")
    }
    assert {name: type(value) for name, value in fields.items()} == {name: FIELDS[name] for name in fields}, (
        text
    )
    assert set(fields) >= NEEDED, text
    assert list(json.loads(text))[:3] == ["@timestamp", "log.level", "message"], text
    when = datetime.fromisoformat(fields["@timestamp"])
    assert when.tzinfo == UTC, text
    assert fields["log.level"] in LEVELS, text
    assert fields["event.kind"] == "event", text
    assert fields.get("event.outcome", "unknown") in OUTCOMES, text
    assert not any("." in name for name in ours), f"one level, so that no name becomes a field: {text}"
    return fields | ours


def _flat(value: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in value.items():
        found |= _flat(one, f"{above}{name}.") if isinstance(one, dict) else {f"{above}{name}": one}
    return found
