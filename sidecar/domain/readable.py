"""A mail as a person may read it in a page: its fields, its text, and the names of what else is in it.

Knows which parts are text. Nothing is fetched, opened or run: HTML is its words, a picture is a line that
says that there is one. Does not know pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .charset import decode_text, decode_words
from .harmless import harmless
from .markup import plain_text
from .mime import MAX_READ, Part, parse

__all__ = ["Readable", "Text", "readable"]

MAX_FIELDS = 100  #: of the header; a mail that went round and round has more
MAX_TEXT = 64 * 1024  #: characters of one part; the whole mail is to be had by the command
MAX_MARKUP = 8 * MAX_TEXT  #: characters of HTML whose words are looked for
MAX_TEXTS = 10
MAX_LEAVES = 50  #: parts, in whatever depth; a mail of 10 MB may hold a million
MAX_DEPTH = 6  #: multiparts within each other
TEXTUAL = ("text/", "message/")  # a mail within the mail, and a report's fields (RFC 3464), are lines of text


@dataclass(frozen=True)
class Text:
    """A part that can be read."""

    kind: str  #: as "text/plain"
    text: str
    cut: bool  #: there is more of it


@dataclass(frozen=True)
class Readable:
    """All of it harmless: what would move a cursor or turn a line is spelled out."""

    fields: tuple[tuple[str, str], ...]  #: name and value, encoded words undone
    texts: tuple[Text, ...]
    others: tuple[str, ...]  #: "image/png, 12,345 octets"


def readable(raw: bytes) -> Readable:
    """Never raises, whatever *raw* is."""
    mail = parse(raw)
    texts: list[Text] = []
    others: list[str] = []
    for part in islice(_leaves(mail, 0), MAX_LEAVES):
        if part.content_type.startswith(TEXTUAL) and len(texts) < MAX_TEXTS:
            texts.append(_text(part))
        else:
            others.append(f"{part.content_type}, {len(part.content):,} octets")
    if len(raw) > MAX_READ:
        others.append(f"{len(raw) - MAX_READ:,} octets more, which are not looked at")
    fields = [(harmless(name), harmless(decode_words(value))) for name, value in mail.fields[:MAX_FIELDS]]
    return Readable(tuple(fields), tuple(texts), tuple(others))


def _leaves(part: Part, depth: int) -> Iterator[Part]:
    if not part.children or depth == MAX_DEPTH:
        yield part
        return
    for child in part.children:
        yield from _leaves(child, depth + 1)


def _text(part: Part) -> Text:
    text = decode_text(part.content, part.first("content-type"))
    cut = False
    if part.content_type == "text/html":
        cut = len(text) > MAX_MARKUP
        text = plain_text(text[:MAX_MARKUP])
    shown = harmless(text[:MAX_TEXT], lines=True).strip()
    return Text(part.content_type, shown, cut or len(text) > MAX_TEXT)
