"""What is wrong with a setting, in the operator's words.

Knows pydantic's errors and how a file names its places. Does not know limits: settings.py does.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sidecar.configuration.settings import Settings

__all__ = ["about", "in_words", "logins_of", "wikis_of"]


def wikis_of(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of [[wikis]], each with the name by which an operator knows it."""
    entries = data.get("wikis")
    for number, wiki in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(wiki, dict):
            yield _place(("wikis", number), data), wiki


def logins_of(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where credentials may be named: [farm], if there is one, and the entries of [[wikis]]."""
    farm = data.get("farm")
    if isinstance(farm, dict):
        yield "[farm]", farm
    yield from wikis_of(data)


#: pydantic's errors whose words or whose input would speak of Python, and ours.
_WORDS = {
    "missing": "is missing",
    "too_short": "is missing",
    "model_type": "is no section; write it in brackets, on a line of its own",
    "list_type": "is no list of sections; write it with two brackets",
}

#: The same where what is wanted is a list of words, and no sections.
_LIST_WORDS = {"too_short": "is empty", "list_type": 'wants a list, as ["...", "..."]'}


def in_words(problem: Any, data: Mapping[str, Any]) -> str:
    """A pydantic error as an operator would say it."""
    *where, _ = problem["loc"]
    return about(_place(problem["loc"], data), problem, _names(where))


def about(place: str, problem: Any, known: Iterable[str]) -> str:
    """What pydantic says is wrong at *place*, where the settings *known* may stand."""
    name = str(problem["loc"][-1]) if problem["loc"] else ""
    words = _WORDS | _LIST_WORDS if re.match(r"\[+[a-z.]+\]+ ", place) else _WORDS
    if problem["type"] in words:
        return f"{place} {words[problem['type']]}"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, list(known), 1)
        return f"{place} is not a setting" + (f"; did you mean {close[0]}?" if close else "")
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not message[:2].isupper():  # "URL scheme ..."
        message = message[0].lower() + message[1:]
    if isinstance(problem["input"], dict):  # the section as a whole, not one setting
        return f"{place} {message}"
    shown = re.sub("://.*@", "://***@", repr(problem["input"]))  # a URL may hold a password
    return f"{place} = {shown}: {message}"


def _place(where: Sequence[Any], data: Mapping[str, Any]) -> str:
    """Where that stands in the file."""
    match where:
        case ["wikis"]:
            return "[[wikis]]"
        case ["wikis", int(number), *inside]:
            entries = data.get("wikis")
            wiki = entries[number] if isinstance(entries, list) and number < len(entries) else None
            known_as = wiki.get("id") if isinstance(wiki, dict) else None
            return " ".join(["[[wikis]]", str(known_as or f"number {number + 1}"), *map(str, inside)])
        case [*outer, int()]:  # one of several values of a setting
            return _place(outer, data)
        case [name]:
            known = Settings.model_fields.get(name)
            return str(name) if known is None or known.annotation in (None, str) else f"[{name}]"
    return f"[{'.'.join(map(str, where[:-1]))}] {where[-1]}"


def _names(where: list[Any]) -> list[str]:
    """The settings that stand where an unknown one was found."""
    shape: Any = Settings
    for step in where:
        if isinstance(step, str):
            shape = shape.model_fields[step].annotation
        candidates = [shape, *getattr(shape, "__args__", ())]
        shape = next((c for c in candidates if hasattr(c, "model_fields")), shape)
    return list(getattr(shape, "model_fields", {}))
