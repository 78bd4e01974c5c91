"""JSON from outside: a text in, an object out, or words for what is wrong with it.

Knows what else than JSON Python's reader takes, and how it fails. Does not know what is in the object.
"""

import json
from typing import Any, NoReturn

__all__ = ["NotJson", "one_spelling", "parse", "parse_object"]


class NotJson(ValueError):
    """Not JSON, or not of the wanted shape."""


def parse(text: str | bytes) -> Any:
    """Any JSON value. Raises NotJson."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise NotJson("the JSON is nested too deeply") from None
    except ValueError:
        raise NotJson("not JSON") from None


def parse_object(text: str | bytes) -> dict[str, Any]:
    """The same where only an object will do."""
    found = parse(text)
    if not isinstance(found, dict):
        raise NotJson("not a JSON object")
    return found


def one_spelling(value: Any) -> str:
    """*value* as JSON, spelled alike however it was spelled."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are no JSON, RFC 8259 section 6
