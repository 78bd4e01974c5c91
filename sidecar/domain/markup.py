"""HTML as the plain text that a person would see, for notices that come in nothing else.

Knows which elements end a line and which show nothing. Does not know a charset, nor what the text says.
"""

import html
import re

__all__ = ["plain_text"]

_TAG = re.compile(r"<(/?)([A-Za-z!][A-Za-z0-9]{0,20}+)([^<>]{0,2000}+)>")  # a longer one is no tag but text
_BLOCKS = frozenset(("div", "tr", "li", "ul", "ol", "dd", "dt", "pre", "hr", "tbody", "section"))
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "table", "blockquote"))
_HIDDEN = frozenset(("style", "script", "title"))


def plain_text(markup: str) -> str:
    """The text of *markup*, a line for each block. An address in angle brackets is no tag."""
    pieces = ["\n"]
    place = 0
    hidden = ""
    for tag in _TAG.finditer(markup):
        closing, name, rest = tag.group(1), tag.group(2).lower(), tag.group(3)
        if "@" in rest and "=" not in rest:
            continue
        if not hidden:
            text = " ".join(markup[place : tag.start()].split("\n"))
            if text.strip() or (text and pieces[-1][-1] != "\n"):
                pieces.append(text)
            below = _break(name, pieces[-1])
            if below:
                pieces.append(below)
            hidden = name if name in _HIDDEN and not closing else ""
        elif closing and name == hidden:
            hidden = ""
        place = tag.end()
    if not hidden:
        pieces.append(" ".join(markup[place:].split("\n")))
    return html.unescape("".join(pieces)).replace("\xa0", " ")


def _break(name: str, above: str) -> str:
    """What the tag *name* puts below the text *above*."""
    if name == "br":
        return "\n"
    if name in _PARAGRAPHS:
        return "\n\n"
    return "\n" if name in _BLOCKS and not above.endswith("\n") else ""
