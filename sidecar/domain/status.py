"""Enhanced status codes (RFC 3463) and reply codes (RFC 5321 section 4.2) as they stand in people's mail.

Knows how the codes are written, rightly and wrongly. Does not know what they mean for a recipient.
"""

import re

__all__ = ["find_reply", "find_status", "is_vague"]

# RFC 3463 section 2: class, subject, detail. Not a piece of an IP address or of a version number.
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")

# In running text a subject above 7 is no status code: RFC 3463 section 3 assigns 0 to 7.
_STATUS_IN_TEXT = re.compile(r"(?<![\d.])([245])\.(0{0,2}[0-7])\.(\d{1,3})(?!\.?\d)")

# RFC 5321 section 4.2.1 lets the second digit be 0 to 5. Elsewhere than at the start a number is a reply only
# before a status code or a quotation, or behind what announces one: "said: 550", "<<< 550", "error 550".
_REPLY = re.compile(
    r"(?:^|[:;(>'\"\[#=]|<<<|,\s|\berror\b|code\b|\bstatus\b|\bsaid\b|\breply\b)\s{0,4}"
    r"(?:[245]\.\d{1,3}\.\d{1,3}\s)?([245][0-5][0-9])(?=[\s\-#:,;)\]'\"]|$)"
    r"|(?<![\w.-])([245][0-5][0-9])[ -](?=#?[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)|['\"])",
    re.IGNORECASE,
)


def find_status(text: str, *, whole_field: bool = False) -> str:
    """The first enhanced status code in *text*, as "5.1.1" without leading zeros; "" if there is none.

    *whole_field*: the text is a Status field, so that any subject is believed.
    """
    found = (_STATUS if whole_field else _STATUS_IN_TEXT).search(text)
    return ".".join(str(int(number)) for number in found.groups()) if found else ""


def find_reply(text: str) -> str:
    """The first SMTP reply code in *text*, as "550"; "" if there is none."""
    found = _REPLY.search(text)
    return found.group(1) or found.group(2) if found else ""


def is_vague(status: str) -> bool:
    """Whether *status* says no more than its class: absent, or "5.0.0" as Exim and Courier always write."""
    return not status or status.endswith(".0.0")
