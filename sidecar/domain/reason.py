"""The words of a notice about each of its recipients.

Knows how mail systems set addresses, reasons and transcripts below each other:

    Exim, sendmail   "  a@b.example" and indented lines below
    qmail, Yahoo     "<a@b.example>:" and a paragraph below
    Postfix          "<a@b.example>: reason", folded
    Notes            the reason, and "a@b.example" below
    transcripts      ">>> RCPT TO:<a@b.example>", then "<<< 550 reason"

Does not know what the words mean. Must not be shown the returned original.
"""

import re

from .mention import begins_line, is_bare, is_header, is_recipient_header, mentions, without_lead
from .mime import unfold
from .phrases import HEADING

__all__ = ["assign", "cut_lines", "gist", "reasons"]

MAX_LINES = 2000  #: of the words; a hundred recipients with a page each are fewer
MAX_LINE = 2048  #: characters; longer lines are cut
MAX_REASON = 4096  #: characters of one recipient's words
MIN_WORDS = 4  #: of a reason, the address included
MAX_PARAGRAPHS = 4  #: of words that neither name the recipient nor hold a code

NAMED = "\0"  #: stands among the lines where the recipient is named; no line holds it

_CODE = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])|(?<![\d.])[45][0-5]\d[ -]")
_REPLY = re.compile(r"[45][0-5]\d[ -]")
_FOOTER = re.compile(
    r"please (?:reply|contact|direct)|for (?:further|more|help)|if you |do not reply", re.IGNORECASE
)
_RULE = re.compile(r"\s*(?:[-=_*#|]{3,}.*|\.{3} while talking to.*)")


def reasons(text: str, addresses: list[str]) -> dict[str, str]:
    """The words of *text* about each of *addresses*, by the address in lower case; without words left out.

    A single one that the words do not name gets the replies in them: a forwarded mail fails under another
    name.
    """
    wanted = {address.lower(): address for address in addresses if "@" in address}
    lines = cut_lines(text)
    found = assign(lines, wanted, [line if _CODE.search(line) else "" for line in lines])
    return {address.lower(): words for address, words in found.items() if words}


def gist(text: str) -> str:
    """The words of *text* on one line, where they are about nobody else."""
    return " ".join(paragraph for paragraph, _ in _paragraphs(cut_lines(text)))[:MAX_REASON]


def cut_lines(text: str) -> list[str]:
    """The lines of *text*, at most MAX_LINES of MAX_LINE characters, without blanks at the end."""
    return [line[:MAX_LINE].rstrip() for line in text.split("\n")[:MAX_LINES]]


def assign(lines: list[str], names: dict[str, str], preamble: list[str]) -> dict[str, str]:
    """The words about each of *names* (by address in lower case): from where it is named to the next name."""
    words = _Words(names)
    for number, line in enumerate(lines):
        keys, strange = _keys(line, names) if "@" in line else ([], False)
        if keys:
            words.name(keys, line, ends=not "".join(lines[number + 1 : number + 2]))
        elif strange:
            words.current = []
        else:
            words.say(line)
    if len(names) == 1:
        ((key, about),) = words.about.items()
        return {names[key]: _single(about, preamble)}
    return {names[key]: _best(about) for key, about in words.about.items()}


class _Words:
    """Whose words the lines of a notice are, as they are read one by one."""

    def __init__(self, names: dict[str, str]) -> None:
        self.about: dict[str, list[str]] = {key: [] for key in names}
        self.current: list[str] = []  # who is spoken of
        self._seen: list[str] = []
        self._gathering = False  # whether the lines above were bare addresses, so that another joins them
        self._above: list[str] = []  # words of this paragraph that are nobody's yet

    def name(self, keys: list[str], line: str, *, ends: bool) -> None:
        """A line that names *keys*; *ends*: its paragraph ends with it."""
        bare = is_bare(line)
        self.current = list(dict.fromkeys(self.current + keys)) if self._gathering and bare else keys
        self._gathering = bare
        self._seen.extend(key for key in keys if key not in self._seen)
        for key in keys:
            about = self.about[key]
            if not bare:
                fresh = not about or not about[-1]
                about.extend((NAMED, without_lead(line) if fresh else line))
            else:
                about.append(NAMED)
        if bare and ends and len(self.about) > 1 and _is_reason(self._above):
            self.about[keys[0]].extend(self._above)
            self.current = []
        self._above = []

    def say(self, line: str) -> None:
        """A line that names nobody, or a rule, below which everybody is spoken of."""
        if _RULE.fullmatch(line):
            self.current = list(self._seen)
            line = ""
        self._gathering = self._gathering and not line
        keep = line and not self.current and len(self._above) < MAX_PARAGRAPHS
        self._above = [*self._above, line] if keep else []
        for key in self.current:
            self.about[key].append(line)


def _single(about: list[str], everything: list[str]) -> str:
    """The words about the only recipient; where they give no code, one in *everything* is about it."""
    words = _best(about)
    if _CODE.search(words):
        return words
    texts = [text for text, _ in _paragraphs(everything)]
    coded = [text for text in texts if _CODE.search(text)][:MAX_PARAGRAPHS]
    if coded:
        near = [text for text, close in _paragraphs(about) if close]
        return " ".join([*near, *coded])[:MAX_REASON]
    if _announces(words):  # "There was an error delivering your mail to <a@b.example>.", and the reason below
        return " ".join(text for text, _ in _paragraphs(about)[:MAX_PARAGRAPHS])[:MAX_REASON]
    if len(words.split()) >= MIN_WORDS:
        return words
    more = [text for text in texts[:MAX_PARAGRAPHS] if text not in words]
    return " ".join([words, *more]).strip()[:MAX_REASON]


def _announces(words: str) -> bool:
    """Whether *words* say that delivery failed rather than why."""
    lower = words.lower()
    return "deliver" in lower or any(phrase in lower for phrase in HEADING)


def _keys(line: str, names: dict[str, str]) -> tuple[list[str], bool]:
    """Those of *names* that *line* is about, and whether it begins with somebody else."""
    if is_header(line) or is_recipient_header(line):
        return [], False
    found = [(address.lower(), before) for address, before in mentions(line)]
    keys = [key for key, _ in found if key in names]
    return keys, not keys and any(begins_line(before) for _, before in found)


def _is_reason(above: list[str]) -> bool:
    """Whether the lines above an address are why it failed, as Notes sets them, and announce no list."""
    text = " ".join(above).lower()
    return bool(text) and not text.endswith((":", "：")) and not any(phrase in text for phrase in HEADING)


def _best(lines: list[str]) -> str:
    """The words in *lines* on one line: the paragraphs that name the recipient, and any that hold a code.

    If none names it, the first paragraphs: what belongs to an address may stand below a blank line.
    """
    texts = _paragraphs(lines)
    coded = [text for text, _ in texts if _CODE.search(text)]
    closest = [text for text, close in texts if close]
    both = [text for text in closest if text in coded]
    if both:
        return " ".join(both)[:MAX_REASON]
    first = closest or ([] if coded else [text for text, _ in texts[:MAX_PARAGRAPHS]])
    return " ".join(first + coded)[:MAX_REASON]


def _paragraphs(lines: list[str]) -> list[tuple[str, bool]]:
    """The paragraphs of *lines*, each on one line, and whether it names the recipient. No footer, no rule."""
    near: list[bool] = []
    blocks: list[list[str]] = []
    fresh = True
    for line in lines:
        blank = not line or (line is not NAMED and bool(_RULE.fullmatch(line)))
        if fresh and not blank:
            near.append(False)
            blocks.append([])
        if line is NAMED:
            near[-1] = True
        elif not blank:
            blocks[-1].append(line)
        fresh = blank
    pairs = [(_joined(block), close) for block, close in zip(blocks, near, strict=True) if block]
    return [(text, close) for text, close in pairs if not _FOOTER.match(text)]


def _joined(block: list[str]) -> str:
    """The lines of a paragraph as one, in which a reply that began a line is still known for one."""
    for number, line in enumerate(block[1:], start=1):
        if _CODE.search(block[number - 1]):
            break
        if _REPLY.match(line.strip()) and not block[number - 1].endswith(":"):
            return unfold(" ".join([*block[:number], ":", *block[number:]]))
    return unfold(" ".join(block))
