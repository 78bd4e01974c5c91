"""Text of strangers, as it may be shown to a person, or handed on in one line.

Knows which characters do something to a terminal or to the order of a line, and which look like others or
like nothing. Does not shorten anything.
"""

import re

__all__ = ["harmless", "one_line", "unmistakable"]

# C0 and C1 with DEL: escape sequences begin there. U+2028, U+2029: new lines to some. The rest are marks that
# turn the direction of what follows (UAX #9), that nobody sees, or that no encoder or no XML takes.
_ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("[\t\n]")


def harmless(text: str, *, lines: bool = False) -> str:
    """*text*, what is active spelled: \\xNN, \\uNNNN, \\UNNNNNNNN; unless *lines*, tabs and newlines too."""
    shown = _ACTIVE.sub(lambda found: _spelled(found.group()), text)
    return shown if lines else _BREAKS.sub(lambda found: _spelled(found.group()), shown)


def unmistakable(text: str) -> str:
    """*text* made harmless, and strange blanks, private and unassigned characters spelled as well.

    For whoever has to mend what he wrote: a no-break space in a name looks right.
    """
    return "".join(one if one.isprintable() else _spelled(one) for one in harmless(text))


def one_line(text: str) -> str:
    """*text* of printable characters and single blanks alone, to be kept or sent on: nothing is spelled."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _spelled(one: str) -> str:
    point = ord(one)
    if 0xDC80 <= point <= 0xDCFF:  # an octet that is no UTF-8, as "surrogateescape" keeps it
        point -= 0xDC00
    if point > 0xFFFF:
        return f"\\U{point:08x}"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
