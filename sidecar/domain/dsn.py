"""Delivery status notifications: RFC 3464, and RFC 6533 where the mail is not ASCII.

Knows the field names, and how MTAs misspell them. Does not know what a report means (see classify), and never
looks into the returned original, which may be a bounce itself.
"""

import re

from .charset import decode_text
from .mime import MAX_FIELD, Part, cut_fields, unfold
from .phase import find_phase, phases
from .reason import reasons
from .report import Report, ReportAction
from .status import find_reply, find_status, is_vague

__all__ = ["MAX_REPORTS", "plain_words", "read", "read_text", "trim_address"]

MAX_PROSE = 64 * 1024  #: octets of the words beside a report
MAX_DEPTH = 4  #: multiparts within each other; a scanner or a list wraps a report once or twice
MAX_OPENED = 20  #: multiparts of one mail, side by side or within each other
MAX_STATUS = 256 * 1024  #: bytes of all delivery-status parts; one for a hundred recipients has 60 kB
MAX_LABEL = 256  #: octets of a part that tell whether it is a report by another name
MIN_WORDS = 2  #: of a diagnostic that stands for itself
MAX_REPORTS = 100  #: of one notice; RFC 5321 section 4.5.3.1.8 has every server take 100 recipients
MAX_ADDRESS = 512  #: characters; RFC 5321 section 4.5.3.1.3 allows 256 octets
MAX_DIAGNOSTIC = 4096  #: characters; RFC 5321 section 4.5.3.1.5 allows 512 a line, providers send eight

_ACTIONS = (
    ("fail", ReportAction.FAILED),
    ("delay", ReportAction.DELAYED),
    ("deliver", ReportAction.DELIVERED),
    ("relay", ReportAction.RELAYED),
    ("expand", ReportAction.EXPANDED),
    ("expire", ReportAction.FAILED),
    ("reject", ReportAction.FAILED),
    ("bounce", ReportAction.FAILED),
    ("undeliver", ReportAction.FAILED),
    ("defer", ReportAction.DELAYED),
    ("success", ReportAction.DELIVERED),
)
_ONCE = ("final-recipient", "action", "status")  #: fields that a block has once: a second one begins the next

_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}\s*;\s*")  # "rfc822;", "SMTP;", "X-Postfix;"
_BRACKETS = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"\S{1,256}@\S{1,256}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_COMMENT = re.compile(r"\s?\([^()]*\)")
_ROUTE = re.compile(r"@[^:@]*(?:,@[^:@]*)*:(?=.*@)")  # RFC 5321 appendix C: <@relay.example:a@b.example>
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 section 3: utf-8-addr-xtext
_OWNER = re.compile(r"generated (?:by|from) <?([^\s<>@]{1,128}@[^\s<>@]{1,255})")
_EXPIRED = re.compile(r"\bexpired\b", re.IGNORECASE)
_XTEXT = re.compile(r"\+([2-7][0-9A-F])")  # RFC 3461 section 4: "a+40b.example"
_OCTAL = re.compile(r"(?:\\[0-3][0-7]{2})+")  # Exim's way to write what is not ASCII
_INLINED = re.compile(r"^[ \t]{0,8}Final-Recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_FIELDS = re.compile(
    r"^[ \t]{0,8}(?:(?:Original|Final|X-Actual)-Recipient|(?:Reporting|Remote|Received-From)-MTA"
    r"|Action|Status|(?:Arrival|Last-Attempt)-Date|Original-Envelope-Id)[ \t]*:.*",
    re.IGNORECASE | re.MULTILINE,
)
_BEGINS = re.compile(rb"\s*(?:Reporting-MTA|Final-Recipient|Original-Envelope-Id)[ \t]*:", re.IGNORECASE)
_BLANK = re.compile(rb"\n[ \t]*\n")


def read(message: Part) -> tuple[Report, ...]:
    """One report a recipient, at most MAX_REPORTS; none if *message* is no delivery status notification."""
    status, words = _find(message)
    return _read(b"\n\n".join(part.content[:MAX_STATUS] for part in status)[:MAX_STATUS], words)


def read_text(text: str) -> tuple[Report, ...]:
    """The same from *text* that holds the fields of a report among its words, as broken MIME leaves it."""
    if not _INLINED.search(text):
        return ()
    return _read(text[:MAX_STATUS].encode("utf-8", "replace"), _FIELDS.sub("", text))


def _read(status: bytes, words: str) -> tuple[Report, ...]:
    blocks: list[list[tuple[str, str]]] = []
    for raw in _BLANK.split(status):
        blocks.extend(_one_recipient_each(cut_fields(raw)))
        if len(blocks) > MAX_REPORTS:  # the first may be the per-message block
            break
    merged = [_first_of_each(block) for block in blocks]
    for fields in merged:
        _name_owner(fields, words)
    silent = [_address_of(fields)[0] for fields in merged if _is_poor(fields.get("diagnostic-code", ""))]
    explained = reasons(words, silent) if silent and words else {}
    refused = phases(words, [address for fields in merged if (address := _address_of(fields)[0])])
    reports = (_report(fields, explained, refused) for fields in merged)
    return tuple(report for report in reports if report)[:MAX_REPORTS]


def _find(message: Part) -> tuple[list[Part], str]:
    """The outermost delivery-status parts and the words beside them, in at most MAX_OPENED multiparts."""
    if _is_status(message):
        return [message], ""
    waiting = [(message, MAX_DEPTH)]
    for _ in range(MAX_OPENED):
        if not waiting:
            break
        part, depth = waiting.pop()
        inside = part.children
        status = [child for child in inside if _is_status(child)]
        if not status and part.content_type == "multipart/report":
            status = [child for child in inside if _is_mislabelled(child)]
        if status:
            text = next((child for child in inside if child.content_type == "text/plain"), None)
            return status, decode_text(text.content[:MAX_PROSE], text.first("content-type")) if text else ""
        if depth > 1:
            waiting.extend((child, depth - 1) for child in reversed(inside) if _is_multipart(child))
    return [], ""


def _is_multipart(part: Part) -> bool:
    return part.content_type.startswith("multipart/")


def _is_status(part: Part) -> bool:
    """Whether it is a delivery-status part, also "global-" (RFC 6533), "x-" and what gateways make of it."""
    return "delivery-status" in part.content_type


def _is_mislabelled(part: Part) -> bool:
    """Whether it is one all the same: a text or an attachment that begins with the fields of a report."""
    closed = part.content_type.startswith(("message/", "multipart/", "text/rfc822"))
    return not closed and bool(_BEGINS.match(part.content[:MAX_LABEL]))


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


def _name_owner(fields: dict[str, str], words: str) -> None:
    """Put whoever a pipe or a file belongs to in its place: Exim says so in words only."""
    final = trim_address(fields.get("final-recipient", ""))
    owner = _OWNER.search(words) if final.startswith(("|", "/")) else None
    if owner:
        fields.setdefault("original-recipient", owner.group(1))
        fields["final-recipient"] = owner.group(1)


def _first_of_each(block: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in block:
        if name == "diagnostic-code" and fields.get(name):
            fields[name] += " " + _untyped(value)  # Domino writes its own and the server's
        elif not fields.get(name):
            fields[name] = value
    return fields


def _report(fields: dict[str, str], explained: dict[str, str], refused: dict[str, str]) -> Report | None:
    """What a block says, with the words and the phase for its address; None for scraps."""
    address, original = _address_of(fields)
    stated = "action" in fields and bool(fields.get("status") or fields.get("diagnostic-code"))
    if not address and not stated:
        return None
    diagnostic = plain_words(_untyped(fields.get("diagnostic-code", "")))
    words = explained.get(address.lower(), "")
    if words and _is_poor(diagnostic):
        diagnostic = plain_words(f"{diagnostic}: {words}" if diagnostic else words)
    status = find_status(fields.get("status", ""), whole_field=True)
    if is_vague(status):
        status = find_status(diagnostic) or status
    action = _action(fields.get("action", ""), status)
    if action is ReportAction.DELAYED and _has_given_up(fields, status, diagnostic):
        action = ReportAction.FAILED
    if action in (ReportAction.FAILED, ReportAction.UNSTATED):
        diagnostic = _in_phase(diagnostic, refused.get(address.lower(), ""))
    return Report(
        address=address,
        action=action,
        original=original,
        status=status,
        reply=find_reply(diagnostic),
        diagnostic=diagnostic,
        remote_mta=_untyped(fields.get("remote-mta", "")),
    )


def _in_phase(diagnostic: str, phase: str) -> str:
    """*diagnostic* with the phase, which nobody's limit may cut off, unless it gives one itself."""
    if not phase or find_phase(diagnostic):
        return diagnostic
    end = f"({phase})"
    return f"{diagnostic[: MAX_DIAGNOSTIC - len(end) - 1]} {end}".strip()


def _is_poor(diagnostic: str) -> bool:
    """Whether *diagnostic* has hardly a word beside addresses and codes."""
    return len(_WORD.findall(_ADDRESS.sub(" ", _untyped(diagnostic)))) < MIN_WORDS


def _address_of(fields: dict[str, str]) -> tuple[str, str]:
    """The recipient that failed, and who was written to."""
    original = trim_address(fields.get("original-recipient", ""))
    final = trim_address(fields.get("final-recipient", ""))
    # "LOCAL; name", or a command that an alias pipes into: the sender knows the original.
    address = final if "@" in final or not original else original
    return address or trim_address(fields.get("x-actual-recipient", "")), original


def _action(field: str, status: str) -> ReportAction:
    word = field.strip(" \t\"'").lower()
    # sendmail: "relayed (to non-DSN-aware mailer)"; others "Failure", "fail", "deferred", "expired".
    for begin, action in _ACTIONS:
        if word.startswith(begin):
            return action
    # Without a legible action a status of success must not pass for a failure.
    return ReportAction.DELIVERED if status.startswith("2") else ReportAction.UNSTATED


def _has_given_up(fields: dict[str, str], status: str, diagnostic: str) -> bool:
    """Whether what calls itself a delay is the end: OpenSMTPD 6.8 says "delayed" when a mail has expired.

    RFC 3463 section 3.5, X.4.7: delivery time expired. Exchange writes that into warnings too, which say
    until when it will try.
    """
    return status.endswith(".4.7") and "will-retry-until" not in fields and bool(_EXPIRED.search(diagnostic))


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
    if "@" not in text:
        text = _XTEXT.sub(lambda found: chr(int(found.group(1), 16)), text)
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
