"""What a notice says in words: its own text, without the mail that it returns.

Knows where the words stand among the parts and the many lines behind which the original begins. Does not know
what they say.
"""

import re
from dataclasses import dataclass

from .charset import decode_text
from .markup import plain_text
from .mime import Part

__all__ = ["MAX_WORDS", "Words", "find_words"]

MAX_WORDS = 64 * 1024  #: characters; the words before the original are a page, a hundred recipients four
MAX_DEPTH = 6  #: multiparts within each other
MAX_LEAVES = 20  #: parts that are looked at
MAX_TEXTS = 3  #: text parts that are read: banners and translations stand beside the report
MAX_ORIGINAL = 256 * 1024  #: octets of what is returned, which may be another's notice

# A line that announces the original, decorated: "--- Below this line is a copy of the message."
_ANNOUNCED = (
    r"[-=_*|#+~]{2,100}+[^\n]{0,40}(?:original|returned? m|unsent|undelivered|cop(?:y|ia|ie) of|copie|kopie|"
    r"message (?:header|text|body|contents?)|header|below this line|forwarded message|source mail|"
    r"attached|enclosed|message follows|included|mensaje|messaggio)"
    # The same as a sentence of its own.
    r"|(?:the )?(?:original|unsent|old|returned) message(?: text| body| headers?| as received| is| was)*"
    r"(?: (?:follows?|below|attached|included|reads|returned))?[^\w\n]{0,80}(?=\n|$)"
    r"|(?:the )?(?:original|undelivered|returned) (?:mail|message)(?: is)? "
    r"(?:follows|below|attached|included)"
    r"|message headers?(?: follows?)?[.:]?[ \t]*(?=\n|$)|message headers? follow"
    r"|(?:below|here|this|the following|enclosed|included|attached|following) is (?:a|the) (?:copy|headers?|"
    r"first|beginning|original|message)"
    r"|a copy of (?:the|your) (?:original|message)|(?:your|the) message (?:reads|header|began|follows)"
    r"|a summary of the undelivered|(?:the )?(?:text|headers?|body) of "
    r"(?:the|your) (?:original )?(?:message|mail)"
    r"|-- the header|i have included|message contents? follows?"
)
# The original's own header, where nothing announces it. What a notice may list of it, indented, is looked for
# at the beginning of a line only.
_HEADER = (
    r"[ \t]{0,40}>?(?:received: ?(?:from |by |\(|\[|with )|return-path: ?<|dkim-signature: |x-original-to: "
    r"|content-type: message/(?:rfc822|global)\b|content-type: text/rfc822)"
    r"|>?(?:delivered-to: |mime-version: 1|x-mailer: |message-id: ?<)"
)
_ORIGINAL = re.compile(rf"\n(?:[ \t]{{0,40}}(?:{_ANNOUNCED})|{_HEADER})", re.IGNORECASE)
_CLOSED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


@dataclass(frozen=True)
class Words:
    """The text of a notice before the original, and what it returns as the original."""

    text: str
    original: bytes


def find_words(message: Part) -> Words:
    """The words of *message*, at most MAX_WORDS characters, lines separated by LF."""
    texts: list[str] = []
    original = b""
    for leaf in _leaves(message):
        if leaf.content_type in _CLOSED:
            original = original or leaf.content[:MAX_ORIGINAL]
        elif leaf.content_type.startswith("text/") and not original and len(texts) < MAX_TEXTS:
            whole = "\n" + _text(leaf)
            cut = _ORIGINAL.search(whole)
            texts.append(whole[: cut.start()] if cut else whole)
            if cut:
                original = whole[cut.start() + 1 :].encode("utf-8", "replace")
    return Words("\n\n".join(texts)[:MAX_WORDS], original)


def _text(leaf: Part) -> str:
    text = decode_text(leaf.content[:MAX_WORDS], leaf.first("content-type")).replace("\0", "")
    return plain_text(text) if leaf.content_type == "text/html" else text


def _leaves(message: Part) -> list[Part]:
    """The parts that are no multipart, in order; of an alternative the first that is text."""
    found: list[Part] = []
    waiting = [(message, 1)]
    while waiting and len(found) < MAX_LEAVES:
        part, depth = waiting.pop()
        inside = part.children if depth < MAX_DEPTH else []
        if part.content_type == "multipart/alternative":
            inside = [child for child in inside if child.content_type.startswith(("text/", "multipart/"))][:1]
        if inside:
            waiting.extend((child, depth + 1) for child in reversed(inside))
        elif part.content_type.startswith("multipart/"):
            found.append(Part((), part.body))  # no boundary that fits: the words are there all the same
        else:
            found.append(part)
    return found
