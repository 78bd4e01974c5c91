"""Delivery status notifications: RFC 3464, and RFC 6533 where the mail is not ASCII.

Knows the field names, and how MTAs misspell them. Does not know what a report means (see classify), and never
looks into the returned original, which may be a bounce itself.
"""

import re

from .mime import MAX_FIELD, Part, children, cut_fields, decode, unfold
from .prose import MAX_PROSE, reasons
from .report import Report, ReportAction
from .status import find_reply, find_status, is_vague

__all__ = ["plain_words", "read", "trim_address"]

MAX_DEPTH = 4  #: multiparts within each other; a scanner or a list wraps a report once or twice
MAX_STATUS = 256 * 1024  #: bytes of a delivery-status part; one for a hundred recipients has 60 kB
MAX_REPORTS = 100  #: of one notice; RFC 5321 section 4.5.3.1.8 has every server take 100 recipients
MAX_ADDRESS = 512  #: characters; RFC 5321 section 4.5.3.1.3 allows 256 octets
MAX_DIAGNOSTIC = 4096  #: characters; RFC 5321 section 4.5.3.1.5 allows 512 a line, providers send eight

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_ONCE = ("final-recipient", "action", "status")  #: fields that a block has once: a second one begins the next

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9-]*\s*;\s*")  # "rfc822;", "SMTP;", "X-Postfix;"
_BRACKETS = re.compile(r"<([^<>]*)>")
_COMMENT = re.compile(r"\s*\([^()]*\)")
_ROUTE = re.compile(r"@[^:@]*(?:,@[^:@]*)*:(?=.*@)")  # RFC 5321 appendix C: <@relay.example:a@b.example>
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 section 3: utf-8-addr-xtext
_OCTAL = re.compile(r"(?:\\[0-3][0-7]{2})+")  # Exim's way to write what is not ASCII
_BLANK = re.compile(rb"\n[ \t]*\n")


def read(message: Part) -> tuple[Report, ...]:
    """One report a recipient, at most MAX_REPORTS; none if *message* is no delivery status notification."""
    status, words = _find(message, MAX_DEPTH)
    blocks: list[list[tuple[str, str]]] = []
    for part in status:
        for raw in _BLANK.split(part.content[:MAX_STATUS]):
            blocks.extend(_one_recipient_each(cut_fields(raw)))
            if len(blocks) > MAX_REPORTS:  # the first may be the per-message block
                break
    explained = reasons(words)
    reports = (_report(_first_of_each(block), explained) for block in blocks)
    return tuple(report for report in reports if report)[:MAX_REPORTS]


def _find(part: Part, depth: int) -> tuple[list[Part], str]:
    """The outermost delivery-status parts and the words beside them."""
    if part.content_type in _STATUS_TYPES:
        return [part], ""
    inside = children(part)
    status = [child for child in inside if child.content_type in _STATUS_TYPES]
    if status:
        text = next((child for child in inside if child.content_type == "text/plain"), None)
        return status, decode(text.content[:MAX_PROSE]) if text else ""
    for child in inside if depth > 1 else ():
        found = _find(child, depth - 1)
        if found[0]:
            return found
    return [], ""


def _one_recipient_each(fields: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The block, cut where a new recipient begins without the blank line of RFC 3464 section 2.1."""
    blocks: list[list[tuple[str, str]]] = [[]] if fields else []
    seen: set[str] = set()
    for name, value in fields:
        if name in _ONCE and name in seen:
            blocks.append([])
            seen = set()
        seen.add(name)
        blocks[-1].append((name, value))
    return blocks


def _first_of_each(block: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in block:
        if name == "diagnostic-code" and fields.get(name):
            fields[name] += " " + _untyped(value)  # Domino writes its own and the server's
        elif not fields.get(name):
            fields[name] = value
    return fields


def _report(fields: dict[str, str], explained: dict[str, str]) -> Report | None:
    """What a block says; None for the per-message block and for scraps."""
    original = trim_address(fields.get("original-recipient", ""))
    final = trim_address(fields.get("final-recipient", ""))
    # "LOCAL; name", or a command that an alias pipes into: the sender knows the original.
    address = final if "@" in final or not original else original
    address = address or trim_address(fields.get("x-actual-recipient", ""))
    stated = "action" in fields and bool(fields.get("status") or fields.get("diagnostic-code"))
    if not address and not stated:
        return None
    diagnostic = plain_words(_untyped(fields.get("diagnostic-code", "")))
    diagnostic = diagnostic or plain_words(explained.get(address.lower(), ""))
    status = find_status(fields.get("status", ""), whole_field=True)
    if is_vague(status):
        status = find_status(diagnostic) or status
    return Report(
        address=address,
        action=_action(fields.get("action", ""), status),
        original=original,
        status=status,
        reply=find_reply(diagnostic),
        diagnostic=diagnostic,
        remote_mta=_untyped(fields.get("remote-mta", "")),
    )


def _action(field: str, status: str) -> ReportAction:
    word = re.match(r"[\s\"']*([A-Za-z]*)", field)
    try:
        # sendmail: "relayed (to non-DSN-aware mailer)"
        return ReportAction(word.group(1).lower() if word else "")
    except ValueError:
        # Without a legible action a status of success must not pass for a failure.
        return ReportAction.DELIVERED if status.startswith("2") else ReportAction.UNSTATED


def _untyped(field: str) -> str:
    typed = _KIND.match(field)
    return field[typed.end() :] if typed else field


def trim_address(field: str) -> str:
    """``RFC822; <a@b.example> (gone)`` -> ``a@b.example``; "" if nothing like an address is left."""
    text = _untyped(field[:MAX_FIELD].strip())
    bracketed = _BRACKETS.search(text)
    if bracketed:
        text = bracketed.group(1)
    elif not text.startswith('"'):  # a quoted local part may hold a parenthesis
        text = _COMMENT.sub("", text)
    text = text.strip().strip("<>").strip()
    routed = _ROUTE.match(text)
    text = _UNICODE.sub(_character, text[routed.end() :] if routed else text)
    return text if len(text) <= MAX_ADDRESS else ""


def _character(found: re.Match[str]) -> str:
    point = int(found.group(1), 16)
    return chr(point) if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else found.group(0)


def plain_words(text: str) -> str:
    """A diagnostic on one line, Exim's octal escapes undone, at most MAX_DIAGNOSTIC characters."""
    return unfold(_OCTAL.sub(_octets, text))[:MAX_DIAGNOSTIC]


def _octets(found: re.Match[str]) -> str:
    try:
        return bytes(int(digits, 8) for digits in found.group(0).split("\\")[1:]).decode("utf-8")
    except UnicodeDecodeError:
        return found.group(0)
