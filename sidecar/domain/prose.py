"""What a notice says of its recipients in words, for those that leave the fields empty.

Knows how MTAs set a recipient and the reason below each other:

    Exim        "  a@b.example" and deeper indented lines
    OpenSMTPD   "a@b.example: reason"
    Postfix     "<a@b.example>: reason", folded
    sendmail    "<a@b.example>" and deeper "(reason: ..)"

Does not know what the words mean. Must not be shown the returned original.
"""

import re

from .mime import unfold

__all__ = ["MAX_PROSE", "reasons"]

MAX_PROSE = 64 * 1024  #: characters; the words before the original are a page, a hundred recipients four
MAX_LINES = 40  #: of one reason; an SMTP reply of many lines has twenty
MAX_LINE = 2048  #: characters; longer lines are no words of an MTA

_ADDRESS = re.compile(r"([ \t]*)<?([^\s<>:;,()@]+@[^\s<>:;,()@]+)>?(?::(?:[ \t]+(.*))?)?[ \t]*")


def reasons(text: str) -> dict[str, str]:
    """The reason given for each address, on one line; addresses in lower case, without reason left out."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    depth = 0
    for line in text[:MAX_PROSE].split("\n"):
        indent = len(line) - len(line.lstrip(" \t"))
        if not line.strip():
            current = None
        elif current is not None and indent > depth:
            if len(current) < MAX_LINES:
                current.append(line)
        elif named := _ADDRESS.fullmatch(line[:MAX_LINE]):
            depth = indent
            current = [named.group(3) or ""]
            key = named.group(2).lower()
            if not any(found.get(key, [])):
                found[key] = current
        else:
            current = None
    return {address: reason for address, lines in found.items() if (reason := unfold(" ".join(lines)))}
