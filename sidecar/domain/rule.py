"""One rule of the table in rules/*.toml: what it looks for, and whether it matches a report.

Knows how a rule is written and which mistakes its author can make. Does not know the order of rules, nor
what is hard.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .address import domain_of
from .harmless import harmless
from .pattern import Phrase
from .report import Report, ReportAction
from .status import find_reply, find_status
from .wording import Words, first_address

__all__ = [
    "Category",
    "MakePhrase",
    "Match",
    "Rule",
    "RuleError",
    "Veto",
    "read_rule",
    "read_veto",
    "sample_report",
]

MakePhrase = Callable[[str], Phrase]  #: raises ValueError for what is no phrase

_KEYS = ("id", "category", "text", "status", "reply", "provider", "unnamed", "certain", "samples")
_VETO_KEYS = ("id", "text", "samples")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_STATUS = re.compile(r"[245x]\.(?:\d{1,3}|x)\.(?:\d{1,3}|x)")
_REPLY = re.compile(r"[245x][0-5x][0-9x]")
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,9}[a-z0-9-]{2,63}")


class Category(StrEnum):
    """Why a recipient failed."""

    # Permanent and the recipient's own: these five may count, each if the operator lets it.
    USER_UNKNOWN = "user-unknown"  #: hard: the domain is there, the mailbox is not
    MOVED = "moved"  #: hard: the mailbox was there; the server says where to, or that it is gone
    HOST_UNKNOWN = "host-unknown"  #: hard: the domain is not in the DNS, or names no host for mail
    NOT_ACCEPTING = "not-accepting"  #: hard: the domain says that it takes no mail (null MX, RFC 7505)
    MAILBOX_DISABLED = "mailbox-disabled"  #: hard: closed, suspended or inactive, and not for a moment

    # Everything else is recorded and never counts.
    MAILBOX_FULL = "mailbox-full"  #: soft: somebody will tidy up
    NETWORK = "network"  #: soft: no connection, DNS without an answer, loops
    EXPIRED = "expired"  #: soft: the queue's patience ended, and the notice gives no better reason
    SYSTEM_ERROR = "system-error"  #: soft: the remote is busy, broken, or closed for now
    TLS = "tls"  #: soft: no encryption, or a certificate that is not trusted
    PROTOCOL = "protocol"  #: soft: a command or its syntax was refused
    RATE_LIMITED = "rate-limited"  #: soft: too much at once, or greylisted
    BLOCKED = "blocked"  #: soft: our host, network or domain is on somebody's list
    SENDER_REJECTED = "sender-rejected"  #: soft: they do not want our envelope sender or From
    SPAM = "spam"  #: soft: they take our mail for spam
    POLICY = "policy"  #: soft: a rule of theirs, not nearer explained
    AUTH_FAILURE = "auth-failure"  #: soft: SPF, DKIM, DMARC, or a login that we lack (RFC 7372)
    TOO_BIG = "too-big"  #: soft: the mail, not the mailbox
    CONTENT = "content"  #: soft: form or words of the mail
    VIRUS = "virus"  #: soft: they found malware in the mail
    RELAY_DENIED = "relay-denied"  #: soft: the server does not think that the domain is its own
    FORWARDED = "forwarded"  #: soft: not the address written to failed; the tag says so, never a rule
    UNDEFINED = "undefined"  #: soft: nothing is known


class RuleError(ValueError):
    """A rule file cannot be used; the message names file, rule and reason, a line each. Mend the file."""

    def __init__(self, words: str) -> None:
        super().__init__(harmless(words, lines=True))


@dataclass(frozen=True)
class Match:
    """What of a report a rule answered to."""

    words: str  #: of the diagnostic, or the code; never a mail address
    host: str = ""  #: the host that the words name as unknown


@dataclass(frozen=True)
class Rule:
    """What a report must look like; the conditions that are given must all hold."""

    id: str
    category: Category
    text: tuple[Phrase, ...]  #: one must be found in the diagnostic without addresses and URLs
    status: re.Pattern[str] | None
    reply: re.Pattern[str] | None
    provider: tuple[str, ...]  #: the remote MTA or the recipient is in one of these domains; empty: anywhere
    unnamed: bool  #: only if the diagnostic names no mail address
    certain: bool  #: the words leave no doubt even beside a code of class 4
    samples: tuple[str, ...]  #: "status | diagnostic", as sample_report() reads it

    def match(self, report: Report, words: Words) -> Match | None:
        """None if *report* is not meant. *words* are of its diagnostic, and know what text needs."""
        if self.status and not self.status.fullmatch(report.status):
            return None
        if self.reply and not self.reply.fullmatch(report.reply):
            return None
        if self.provider and not self._is_of_provider(report):
            return None
        if self.unnamed and first_address(report.diagnostic):
            return None
        if not self.text:
            return Match(report.status if self.status else report.reply)
        for phrase in self.text:
            if found := phrase.search(words):
                return Match(found.group().strip(), found.groupdict().get("host") or "")
        return None

    @cached_property
    def needed(self) -> frozenset[str]:
        """One of these is present wherever a phrase matches; empty: not known."""
        known = all(phrase.needed for phrase in self.text)
        return frozenset[str]().union(*(phrase.needed for phrase in self.text)) if known else frozenset()

    def _is_of_provider(self, report: Report) -> bool:
        hosts = (report.remote_mta.lower().strip(". "), domain_of(report.address))
        return any(host == name or host.endswith("." + name) for host in hosts for name in self.provider)


@dataclass(frozen=True)
class Veto:
    """Words beside which nothing counts, whatever rule matched."""

    id: str
    text: tuple[Phrase, ...]
    samples: tuple[str, ...]

    def holds(self, words: Words) -> bool:
        return any(phrase.search(words) for phrase in self.text)


def sample_report(sample: str) -> Report:
    """``5.1.1 | 550 5.1.1 <a@b.example>: User unknown`` as a mail would give it.

    A third piece is the remote MTA: ``5.1.1 | 550 Unknown user | mx.example.org``.
    """
    status, diagnostic, remote, *_ = (piece.strip() for piece in [*sample.split(" | ", 2), "", ""])
    return Report(
        address=first_address(diagnostic) or "somebody@example.org",
        action=ReportAction.FAILED,
        status=status or find_status(diagnostic),
        reply=find_reply(diagnostic),
        diagnostic=diagnostic,
        remote_mta=remote,
    )


def read_rule(entry: Mapping[str, object], place: str, phrase: MakePhrase) -> Rule:
    """A rule from its TOML table. *place* names it in a RuleError as long as it has no id.

    *phrase* makes what it looks for: compile_phrase, or Phrase where each is known to be a good one.
    """
    name = _id(entry, place)
    try:
        _know_keys(entry, _KEYS)
        rule = Rule(
            id=name,
            category=Category(_string(entry, "category")),
            text=_text(entry, phrase),
            status=_code(_string(entry, "status"), _STATUS, "status", "x.2.2"),
            reply=_code(_string(entry, "reply"), _REPLY, "reply", "5xx"),
            provider=_provider(entry),
            unnamed=_flag(entry, "unnamed"),
            certain=_certain(entry),
            samples=_samples(entry),
        )
        if rule.category is Category.FORWARDED:
            raise ValueError("category 'forwarded' is found by comparing addresses, not by a rule")
        if not (rule.text or rule.status or rule.reply):
            raise ValueError("needs text, status or reply")
    except ValueError as error:
        raise RuleError(f"rule {name}: {error}") from None
    return rule


def read_veto(entry: Mapping[str, object], place: str, phrase: MakePhrase) -> Veto:
    """A veto from its TOML table; as read_rule."""
    name = _id(entry, place)
    try:
        _know_keys(entry, _VETO_KEYS)
        text = _text(entry, phrase)
        if not text:
            raise ValueError("needs text")
        return Veto(name, text, _samples(entry))
    except ValueError as error:
        raise RuleError(f"veto {name}: {error}") from None


def _id(entry: Mapping[str, object], place: str) -> str:
    name = entry.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise RuleError(f"{place}: id must be lower-case letters, digits and hyphens, not {name!r}")
    return name


def _know_keys(entry: Mapping[str, object], known: tuple[str, ...]) -> None:
    unknown = [key for key in entry if key not in known]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(known)}")


def _string(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a string")
    return value


def _strings(entry: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{key} must be a list of strings")
    return tuple(value)


def _text(entry: Mapping[str, object], phrase: MakePhrase) -> tuple[Phrase, ...]:
    """A string, or a list of strings of which one must match."""
    text = entry.get("text", "")
    written = (text,) if isinstance(text, str) else _strings(entry, "text")
    if not all(written) and "text" in entry:
        raise ValueError("text holds an empty phrase, which stands in every mail")
    return tuple(phrase(words) for words in written if words)


def _provider(entry: Mapping[str, object]) -> tuple[str, ...]:
    names = _strings(entry, "provider")
    bad = next((name for name in names if not _DOMAIN.fullmatch(name)), None)
    if bad is not None:
        raise ValueError(f"provider {bad!r} is no domain in lower case")
    return names


def _certain(entry: Mapping[str, object]) -> bool:
    value = _flag(entry, "certain")
    if value and not (entry.get("text") and entry.get("category") in _CERTAIN):
        raise ValueError(f"only a text may be certain, and only of {' or '.join(_CERTAIN)}")
    return value


def _flag(entry: Mapping[str, object], key: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false")
    return value


def _samples(entry: Mapping[str, object]) -> tuple[str, ...]:
    samples = _strings(entry, "samples")
    if not samples:
        raise ValueError("needs samples: at least one line as a server wrote it, 'status | diagnostic'")
    bare = next((item for item in samples if "|" not in item), None)
    if bare is not None:
        raise ValueError(f"sample {bare!r} has no '|' between status and diagnostic")
    return samples


def _code(written: str, shape: re.Pattern[str], key: str, example: str) -> re.Pattern[str] | None:
    if not written:
        return None
    if not shape.fullmatch(written):
        raise ValueError(f"{key} {written!r} is not of the form {example!r}")
    return re.compile(written.replace(".", r"\.").replace("x", r"\d{1,3}" if "." in written else r"\d"))


#: What a name server can say for good; of a mailbox, class 4 always means "not now".
_CERTAIN = (Category.HOST_UNKNOWN, Category.NOT_ACCEPTING)
