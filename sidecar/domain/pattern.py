"""The regular expression of a rule, so written that no mail makes it slow.

Knows the small part of Python's syntax that a phrase needs, what it may cost, and which words must stand in
a text that it can match. Does not know rules.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, takewhile
from math import prod

from .wording import Words

__all__ = ["Phrase", "compile_phrase"]

MAX_PATTERN = 2000  #: characters of a phrase; who needs more wants two
MAX_WORK = 50_000  #: ways to match at one place of a text; two gaps of 100 characters are 10,000
MAX_DEPTH = 20  #: parentheses in parentheses; who reads it needs no more, and the reader calls itself
MIN_NEEDED = 3  #: octets; shorter pieces stand in nearly every text and spare nothing

_AMBIGUOUS = re.compile(r"\[\^?\[|--|&&|~~|\|\|")  # in a set: Python may read it otherwise one day, and warns

_TOKEN = re.compile(
    r"(?P<code>\\x..|\\u....)"
    r"|(?P<escape>\\.)"
    r"|(?P<set>\[\^?\]?(?:[^\]\\]|\\.){0,200}\])"
    r"|(?P<look>\(\?<?[=!])"
    r"|(?P<open>\((?:\?:|\?P<[a-z]{1,20}>)?(?!\?))"
    r"|(?P<close>\))"
    r"|(?P<either>\|)"
    r"|(?P<times>[*+?]|\{\d{0,9}(?:,\d{0,9})?\})"
    r"|(?P<place>[\^$])"
    r"|(?P<any>\.)"
    r"|(?P<letter>[^\\()\[{])",
    re.DOTALL,
)


@dataclass
class _Item:
    """A character, a set, a place, or a group; and how often it may stand."""

    letter: str = ""  #: the one character that it matches, lower case; "" if it is something else
    branches: list[list["_Item"]] = field(default_factory=list)  #: of a group; none otherwise
    looks: bool = False  #: lookahead or lookbehind: what is in it is no part of what is matched
    least: int = 1
    most: int = 1


@dataclass(frozen=True)
class Phrase:
    """What a rule looks for: an expression that compile_phrase takes. Made ready where it is first needed."""

    written: str

    def __reduce__(self) -> tuple[type["Phrase"], tuple[str]]:
        """A copy is as this is written, and can be made while a thread makes this ready."""
        return Phrase, (self.written,)

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Ignoring case."""
        return re.compile(self.written, re.IGNORECASE)

    @cached_property
    def needed(self) -> frozenset[str]:
        """One of these stands in every text that matches, lower case; empty: not known."""
        return frozenset(_needed(_Reader(self.written).branches()))

    @cached_property
    def names_host(self) -> bool:
        """Whether it wants to see which host is meant, as (?P<host>...)."""
        return "host" in self.expression.groupindex

    def search(self, words: Words) -> re.Match[str] | None:
        """The first match. The cheap test comes first: most phrases stand in no given mail."""
        if self.needed and self.needed.isdisjoint(words.present):
            return None
        return self.expression.search(words.hosts if self.names_host else words.bare)


def compile_phrase(written: str) -> Phrase:
    """Check and compile. Raises ValueError where *written* is no expression, or could become slow."""
    if len(written) > MAX_PATTERN:
        raise ValueError(f"text is longer than {MAX_PATTERN} characters")
    _check_shape(written)
    phrase = Phrase(written)
    try:
        _ = phrase.expression  # compiled here, and kept
    except (re.error, OverflowError) as error:
        raise ValueError(f"text is no regular expression: {error}") from None
    if _work(_Reader(written).branches()) > MAX_WORK:
        raise ValueError(f"text can match in more than {MAX_WORK} ways at one place; shorten its gaps")
    return phrase


def _check_shape(written: str) -> None:
    """Raises ValueError for what `re` itself warns of, or fails at other than by its own error."""
    place = depth = 0
    while found := _TOKEN.match(written, place):
        kind, place = found.lastgroup, found.end()
        depth += (kind in ("open", "look")) - (kind == "close")
        if depth > MAX_DEPTH:
            raise ValueError(f"text has more than {MAX_DEPTH} parentheses in one another")
        if kind == "set" and _AMBIGUOUS.search(found.group()):
            raise ValueError(f"text has {found.group()!r}; in a set, write a backslash before [ - & ~ and |")
    if written.startswith("[", place):
        raise ValueError("text has a set without end, or of more than 200 characters")


class _Reader:
    """From the written form to items. The expression is known to be one that `re` understands."""

    def __init__(self, written: str) -> None:
        self._tokens = self._cut(written)

    @staticmethod
    def _cut(written: str) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(written):
            found = _TOKEN.match(written, place)
            if not found:
                raise ValueError(f"text uses {written[place : place + 3]!r}, which no phrase needs")
            place = found.end()
            yield str(found.lastgroup), found.group()

    def branches(self) -> list[list[_Item]]:
        """Up to the closing parenthesis, or to the end."""
        items: list[list[_Item]] = [[]]
        lazy = False
        for kind, token in self._tokens:
            if kind == "close":
                break
            if kind == "either":
                items.append([])
            elif kind == "times":
                if not (lazy and token == "?"):  # "{0,40}?" is the same, from the other end
                    _repeat(items[-1][-1], token)
            elif kind in ("open", "look"):
                items[-1].append(_Item(branches=self.branches(), looks=kind == "look"))
            else:
                items[-1].append(_Item(letter=_letter(kind, token)))
            lazy = kind == "times"
        return items


def _letter(kind: str, token: str) -> str:
    if kind == "letter":
        return token.lower()
    if kind == "escape" and token[1].isdigit():
        raise ValueError(f"text refers back by {token!r}; write the words again")
    return token[1] if kind == "escape" and not token[1].isalnum() else ""


def _repeat(item: _Item, token: str) -> None:
    if token in ("*", "+"):
        raise ValueError(f"text repeats without end; write {{{'01'[token == '+']},40}} for {token!r}")
    least, comma, most = token.strip("{}").partition(",") if token != "?" else ("0", ",", "1")
    if comma and not most:
        raise ValueError(f"text repeats without end: {token!r}; write the highest number too")
    item.least, item.most = int(least or 0), int(most if comma else least)
    if item.branches and item.most > 1:
        # (a|b){9} can be slow in ways that are hard to see; "(?:a|b)?" is all that a phrase needs.
        raise ValueError("text repeats a group; only '?' may follow a parenthesis")


def _work(branches: list[list[_Item]]) -> int:
    """An upper bound of the ways in which *branches* can match at one place.

    Those of branches that may begin alike add up; a text that begins as one word does not begin as another.
    """
    ways = [
        (
            _beginning(branch),
            prod(_work(item.branches) * max(item.most + (item.least == 0), 1) for item in branch),
        )
        for branch in branches or [[]]
    ]
    return max(sum(number for word, number in ways if begins.startswith(word)) for begins, _ in ways)


def _beginning(branch: list[_Item]) -> str:
    """The letters with which all begins that *branch* matches: of ASCII, which have but one other case."""
    fixed = takewhile(
        lambda item: item.letter and item.letter.isascii() and item.least == item.most == 1, branch
    )
    return "".join(item.letter for item in fixed)


def _needed(branches: list[list[_Item]]) -> set[str]:
    """Words one of which stands in whatever *branches* match; empty if that cannot be said."""
    needed: set[str] = set()
    for branch in branches:
        offers = [run for run in _runs(branch) if len(run.encode()) >= MIN_NEEDED]
        choices = [{max(offers, key=len)}] if offers else []
        groups = [item for item in branch if item.branches and item.least and not item.looks]
        choices += [choice for item in groups if (choice := _needed(item.branches))]
        if not choices:
            return set()
        # One rare long word is the best test; of a group's words the shortest is the weakest.
        needed |= max(choices, key=lambda words: min(map(len, words)))
    return needed


def _runs(branch: list[_Item]) -> list[str]:
    """The words that stand in *branch* one character beside the other."""
    return [
        "".join(item.letter for item in items)
        for fixed, items in groupby(branch, lambda item: bool(item.letter) and item.least == item.most == 1)
        if fixed
    ]
