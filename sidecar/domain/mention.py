"""Addresses in a line of words, and what stands before them.

Knows how mail systems set an address apart from running text, by place, label or name. Does not know which
of them failed (see freetext).
"""

import re

__all__ = [
    "begins_line",
    "is_apart",
    "is_bare",
    "is_header",
    "is_recipient_header",
    "mentions",
    "without_lead",
]

MAX_BEFORE = 120  #: characters before an address that tell whether it is a recipient's
MAX_MENTIONS = 100  #: of one line

_NOT = r"\s<>()\[\]:;,\"@\\|\u2018-\u201f\u3000-\u3020\uff00-\uff1f\uff5e"  # with full-width punctuation
_ADDRESS = re.compile(rf"(?<![^{_NOT}])[^{_NOT}]{{1,128}}@[^{_NOT}'?!`]{{1,255}}")
_SMTP = re.compile(r".*\bsmtp=", re.IGNORECASE)  # X.400: "c=US;p=..;dda:SMTP=a@b.example;"
_HEADER = re.compile(
    r"(?:from|sender|mail from|return-path|reply-to|message-id|x-[a-z-]+|envelope-from|subject|cc"
    r"|in: +mail from)\s*:|(?:>>>|in:|-->)? ?mail from",
    re.IGNORECASE,
)
_TO = re.compile(r"to\s*:", re.IGNORECASE)
_LEAD = re.compile(r"(?:[*•·>-]+ ?|\d{1,3}[.)] |)[<\"'(\[]{0,3}")
_LABEL = re.compile(
    r"(?:recipients?|address(?:es)?|rcpt to|addressed to|delivered to|deliver(?:y)? (?:message |mail )?to"
    r"|(?:mail|message) to|undeliverable to|users?|userid|mailbox|account|error-for|failed|for|affected"
    r"|empfänger|destinataires?|destinatari[oa]s?|destinatários?|adresse|получател[а-я]{0,3}|адрес"
    r"|宛先|アドレス|受信者|收件人|收件者|地址)\W{0,6}$",
    re.IGNORECASE,
)
_LED = re.compile(rf"\s*{_LEAD.pattern}{_ADDRESS.pattern}[>\"')]{{0,3}}(?::|\.\.\.)?(?!\w)\s*")
_IS_NAME = re.compile(r"[\"']? +<")
_NAMED = re.compile(r"[\w .,'\"-]{1,80} ?<$")


def mentions(line: str) -> list[tuple[str, str]]:
    """Each address of *line* and what stands before it, at most MAX_BEFORE characters."""
    found: list[tuple[str, str]] = []
    ended = 0
    for match in _ADDRESS.finditer(line):
        address = match.group(0).strip("'*`=").rstrip(".-")
        typed = _SMTP.match(address)
        if typed:
            address = address[typed.end() :]
        if found and _IS_NAME.fullmatch(line[ended : match.start()]):
            found.pop()  # "a@b.example <c@d.example>": a display name
        ended = match.end()
        if not address.startswith("@") and not address.endswith("@"):
            found.append((address, line[max(0, match.start() - MAX_BEFORE) : match.start()]))
        if len(found) == MAX_MENTIONS:
            break
    return found


def is_apart(before: str) -> bool:
    """Whether an address stands at the beginning of a line, behind a label or a name, or in such a list."""
    start = before.strip()
    if _LEAD.fullmatch(start) or "smtp=" in start.lower() or start.endswith("dda:"):
        return True
    return bool(_LABEL.search(start.rstrip("<\"' ")) or _NAMED.fullmatch(start))


def begins_line(before: str) -> bool:
    """Whether nothing but a bullet or a bracket stands before an address."""
    return bool(_LEAD.fullmatch(before.strip()))


def is_header(line: str) -> bool:
    """Whether *line* is one of a header or a command that names a sender, or nobody."""
    return bool(_HEADER.match(line.strip()))


def is_recipient_header(line: str) -> bool:
    """Whether *line* is the To field of a mail that a notice describes."""
    return bool(_TO.match(line.strip()))


def without_lead(line: str) -> str:
    """*line* without the address that it begins with: whose words they are is known."""
    led = _LED.match(line)
    return line[led.end() :] if led else line


def is_bare(line: str) -> bool:
    """Whether *line* holds an address and nothing that would be a reason."""
    rest = _ADDRESS.sub("", line.lower())
    rest = re.sub(r"\b(?:final |failed |original )?recipients?\b|\bmailto\b|\baddress\b|\bto\b", "", rest)
    return not re.search(r"\w{2}", rest)
