"""One rule of the table in rules/*.toml: what it looks for, and whether it matches a report.

Knows how a rule is written and which mistakes its author can make. Does not know the order of rules, nor
what is hard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .report import Report, ReportAction
from .status import find_reply, find_status

__all__ = ["Category", "Rule", "RuleError", "read_rule", "sample_report", "without_addresses"]

MAX_PATTERN = 2000  #: characters of a rule's text; who needs more wants two rules

_KEYS = ("id", "category", "text", "status", "reply", "samples")
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_STATUS = re.compile(r"[245x]\.(?:\d{1,3}|x)\.(?:\d{1,3}|x)")
_REPLY = re.compile(r"[245x][0-5x][0-9x]")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{\d*,\d*\})")

_URL = re.compile(r"\b(?:https?|ftp|mailto):[^\s<>\"')]+|\bwww\.[^\s<>\"')]+", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'@]{1,256}@[^\s<>()\[\]:;,\"'@]{1,256}")
_EMPTY = re.compile(r"<\s*>|\(\s*\)|\[\s*\]")
# "550-5.1.1 The account that you\n550-5.1.1 tried": a phrase goes on across the lines of one reply.
_CONTINUED = re.compile(r"(?<=\s)[245]\d\d(?:-(?:[245]\.\d{1,3}\.\d{1,3}\s)?|\s[245]\.\d{1,3}\.\d{1,3}\s)")


class Category(StrEnum):
    """Why a recipient failed. The first two are permanent and the recipient's own, the others never count."""

    USER_UNKNOWN = "user-unknown"
    HOST_UNKNOWN = "host-unknown"  #: the domain does not exist or takes no mail
    MAILBOX_FULL = "mailbox-full"
    NETWORK = "network"  #: including DNS that did not answer, and loops
    OVERLOADED = "overloaded"  #: the remote is busy, or wants less mail an hour
    BLOCKED = "blocked"  #: they refuse us, our authentication or our words
    EXPIRED = "expired"  #: the queue's patience ended, and the notice gives no better reason
    FORWARDED = "forwarded"  #: not the address written to failed; the tag says so, never a rule
    UNDEFINED = "undefined"


class RuleError(ValueError):
    """A rule file cannot be used; the message names the rule and the reason. Mend the file."""


@dataclass(frozen=True)
class Rule:
    """What a report must look like; the conditions that are given must all hold."""

    id: str
    category: Category
    text: re.Pattern[str] | None  #: searched in the diagnostic without addresses and URLs
    status: re.Pattern[str] | None
    reply: re.Pattern[str] | None
    samples: tuple[str, ...]  #: "status | diagnostic", as sample_report() reads it

    def match(self, report: Report, words: str) -> str | None:
        """None if *report* is not meant; else the host that the text names as unknown, "" if it names none.

        *words* is ``without_addresses(report.diagnostic)``, made once for all rules.
        """
        if self.status and not self.status.fullmatch(report.status):
            return None
        if self.reply and not self.reply.fullmatch(report.reply):
            return None
        if not self.text:
            return ""
        found = self.text.search(words)
        return (found.groupdict().get("host") or "") if found else None


def without_addresses(diagnostic: str) -> str:
    """*diagnostic* without URLs, addresses and the codes of continued lines: names are no reasons."""
    bare = _EMPTY.sub(" ", _ADDRESS.sub(" ", _URL.sub(" ", diagnostic)))
    return " ".join(_CONTINUED.sub(" ", bare).split())


def sample_report(sample: str) -> Report:
    """``5.1.1 | 550 5.1.1 <a@b.example>: User unknown`` as a mail would give it."""
    status, _, diagnostic = (piece.strip() for piece in sample.partition("|"))
    address = _ADDRESS.search(diagnostic)
    return Report(
        address=address.group(0) if address else "somebody@example.org",
        action=ReportAction.FAILED,
        status=status or find_status(diagnostic),
        reply=find_reply(diagnostic),
        diagnostic=diagnostic,
    )


def read_rule(entry: Mapping[str, object], place: str) -> Rule:
    """A rule from its TOML table. *place* names it in a RuleError as long as it has no id."""
    name = entry.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise RuleError(f"{place}: id must be lower-case letters, digits and hyphens, not {name!r}")
    try:
        rule = Rule(
            id=name,
            category=Category(_string(entry, "category")),
            text=_text(_string(entry, "text")),
            status=_code(_string(entry, "status"), _STATUS, "status", "x.2.2"),
            reply=_code(_string(entry, "reply"), _REPLY, "reply", "5xx"),
            samples=_samples(entry.get("samples")),
        )
        _check(rule, entry)
    except ValueError as error:
        raise RuleError(f"rule {name}: {error}") from None
    return rule


def _check(rule: Rule, entry: Mapping[str, object]) -> None:
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(_KEYS)}")
    if rule.category is Category.FORWARDED:
        raise ValueError("category 'forwarded' is found by comparing addresses, not by a rule")
    if not (rule.text or rule.status or rule.reply):
        raise ValueError("needs text, status or reply")
    for sample in rule.samples:
        report = sample_report(sample)
        if rule.match(report, without_addresses(report.diagnostic)) is None:
            raise ValueError(f"does not match its own sample {sample!r}")


def _string(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a string")
    return value


def _samples(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValueError("needs samples: at least one line as a server wrote it, 'status | diagnostic'")
    bare = next((item for item in value if "|" not in item), None)
    if bare is not None:
        raise ValueError(f"sample {bare!r} has no '|' between status and diagnostic")
    return tuple(value)


def _code(written: str, shape: re.Pattern[str], key: str, example: str) -> re.Pattern[str] | None:
    if not written:
        return None
    if not shape.fullmatch(written):
        raise ValueError(f"{key} {written!r} is not of the form {example!r}")
    return re.compile(written.replace(".", r"\.").replace("x", r"\d{1,3}" if "." in written else r"\d"))


def _text(written: str) -> re.Pattern[str] | None:
    if not written:
        return None
    if len(written) > MAX_PATTERN:
        raise ValueError(f"text is longer than {MAX_PATTERN} characters")
    if _REPEATED_GROUP.search(written):
        # (a+)+ takes exponential time on the wrong mail; "(?:a|b)?" is all that a phrase needs.
        raise ValueError("text repeats a group; only '?' may follow a parenthesis")
    try:
        return re.compile(written, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"text is no regular expression: {error}") from None
