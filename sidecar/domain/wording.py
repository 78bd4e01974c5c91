"""The words of a diagnostic that may vote: without mail addresses, URLs and the names of hosts.

Knows what is a name and not a reason: `mailboxfull@example.org` is full of nothing. Does not know what the
words mean.
"""

import re
from dataclasses import dataclass

from .sought import Sought

__all__ = ["Words", "addresses_in", "first_address", "without_addresses", "words_of"]

HOST = "…"  #: what stands where a host was named

_URL = re.compile(
    r"\b(?:https?|ftp|mailto|hxxps?):[^\s<>\"')]{1,500}|\bwww\.[^\s<>\"')]{1,500}", re.IGNORECASE
)
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'@|]{1,256}@[^\s<>()\[\]:;,\"'@|]{1,256}")
_MAILBOX = re.compile(r"[^\s<>()\[\]:;,\"'@|/]{1,256}@[^\s<>()\[\]:;,\"'@|/.]{1,64}(?:\.[\w-]{1,64}){1,20}")
# "A quoted local part"@example.org
_QUOTED = re.compile(r'"[^"@<>]{1,64}"@[^\s<>()\[\]:;,"\'@|]{1,256}')
_EMPTY = re.compile(r"<\s{0,9}>|\(\s{0,9}\)|\[\s{0,9}\]|\"\s{0,9}\"|'\s{0,9}'")
# "550-5.1.1 The account that you\n550-5.1.1 tried": a phrase goes on across the lines of one reply.
_CONTINUED = re.compile(r"(?<=\s)[245]\d\d(?:-(?:[245]\.\d{1,3}\.\d{1,3}\s)?|\s[245]\.\d{1,3}\.\d{1,3}\s)")
# Dotted, the last label in one case: "RESOLVER.ADR.RecipNotFound" and "full.Please" are no hosts.
_HOST = re.compile(
    r"(?<![\w.-])(?:[A-Za-z0-9_-]{1,63}\.){1,9}(?:[a-z]{2,24}|[A-Z]{2,24}|xn--[a-z0-9-]{1,59})"
    r"(?![\w-]|\.\w)"
)


@dataclass(frozen=True)
class Words:
    """A diagnostic on one line, fit to be searched for reasons."""

    bare: str  #: no addresses, URLs and hosts
    hosts: str  #: no addresses and URLs: for rules that want to know which host is meant
    present: frozenset[str]  #: which of the words that were asked for stand in `hosts`, case ignored


def words_of(diagnostic: str, asked: Sought) -> Words:
    """What is left of *diagnostic* when names are out, and the codes of continued lines.

    *asked* are words in lower case that somebody wants to look for: asked once here, that is cheap.
    """
    text = diagnostic.replace("’", "'").replace("`", "'")
    if "@" in text:
        text = text.replace("...", " ... ")  # "a@example.org...User unknown" names no host of that name
        text = _ADDRESS.sub(" ", _QUOTED.sub(" ", text))
    if "http" in text or "www." in text or ":" in text:
        text = _URL.sub(" ", text)
    text = " ".join(_CONTINUED.sub(" ", _EMPTY.sub(" ", text)).split())
    return Words(_HOST.sub(HOST, text), text, asked.present(text.lower()))


def without_addresses(text: str) -> str:
    """What somebody else said, as it may stand in a log. A bot's account, as BounceBot@sidecar, stays."""
    return _MAILBOX.sub("(an address)", _QUOTED.sub("(an address)", text)) if "@" in text else text


def addresses_in(text: str) -> list[str]:
    """The mail addresses in *text*, but for those at hosts without a dot, as Notes' "Ann Lee/ACME@ACME"."""
    return [found.group() for found in _MAILBOX.finditer(text)] if "@" in text else []


def first_address(text: str) -> str:
    """The first mail address in *text*; "" if there is none."""
    found = _ADDRESS.search(text)
    return found.group(0) if found else ""
