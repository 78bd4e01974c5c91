"""The file of the keys, as text: one key a line, and behind it what is said of it.

    # comments stay where they are
    k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo retired=2026-12-02T10:00:00Z until=2026-12-13T10:00:00Z
    Zt4bX1mQ8vR6nC3wK9sY5dF2gH7jL0pA1eUi from=2026-12-01T10:00:00Z

Knows the spelling and its mistakes, which it tells without a word of a secret. Does not know files, nor when
to change what. A file in which nothing is said of any key means what it always meant: the first signs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sidecar.domain.keyring import Key, Keyring, NobodySigns

__all__ = ["KeyFile", "moment", "parse"]

#: What may be said of a key, in the order in which we write it -> the field of a Key
WORDS = {"from": "begins", "retired": "retired", "until": "until", "revoked": "revoked"}

#: The last word of a line, where it says something of the key. A key that is a phrase has other words.
_SAID = re.compile(rb"(?P<before>.*\S)\s+(?P<word>[a-z_-]+)=(?P<time>\S*)", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)")


class _Mistake(Exception):
    """What is wrong with a line."""


@dataclass(frozen=True)
class Line:
    """A line as it stands, with its end; and its key, if it is one."""

    text: bytes
    key: Key | None = None


@dataclass(frozen=True)
class KeyFile:
    """Lines that can be changed one by one; the others stay to the octet."""

    lines: tuple[Line, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        """In the order of the file."""
        return tuple(line.key for line in self.lines if line.key)

    @property
    def content(self) -> bytes:
        return b"".join(line.text for line in self.lines)

    def key(self, key_id: str) -> Key | None:
        """The key that is named so."""
        return next((key for key in self.keys if key.id == key_id), None)

    def with_key(self, key: Key) -> "KeyFile":
        """One more, at the end."""
        lines = list(self.lines)
        if lines and not lines[-1].text.endswith((b"\n", b"\r")):
            lines[-1] = replace(lines[-1], text=lines[-1].text + b"\n")
        return KeyFile((*lines, Line(_spelled(key), key)))

    def with_changed(self, key: Key) -> "KeyFile":
        """The same secret, of which something else is said."""
        return KeyFile(
            tuple(
                Line(_spelled(key), key) if line.key and line.key.id == key.id else line
                for line in self.lines
            )
        )

    def without(self, *ids: str) -> "KeyFile":
        """The lines of these keys are gone."""
        return KeyFile(tuple(line for line in self.lines if not line.key or line.key.id not in ids))


def parse(content: bytes) -> tuple[KeyFile, list[str]]:
    """The file, and all that is wrong with it; no problem quotes anything of it but known words."""
    lines, problems = [], []
    for number, text in enumerate(content.splitlines(keepends=True), 1):
        stripped = text.strip()
        key = None
        if stripped and not stripped.startswith(b"#"):
            try:
                key = _key(stripped)
            except _Mistake as mistake:
                problems.append(f"line {number}: {mistake}")
        lines.append(Line(text, key))
    file = KeyFile(tuple(lines))
    problems += _disagreements(file)
    if file.keys and not problems:
        try:
            Keyring(file.keys)
        except NobodySigns as error:
            problems.append(str(error))
    return file, problems


def moment(time: datetime) -> str:
    """A time as the file spells it."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _key(line: bytes) -> Key:
    said: dict[str, datetime] = {}
    while found := _SAID.fullmatch(line):
        word = found["word"].decode()
        if word not in WORDS:
            known = ", ".join(f"{name}=" for name in WORDS)
            raise _Mistake(f"ends with a word and = that say nothing of a key; known are {known}")
        if WORDS[word] in said:
            raise _Mistake(f"{word}= stands twice")
        said[WORDS[word]] = _moment(word, found["time"])
        line = found["before"]
    if word := next((word for word in WORDS if line.startswith(f"{word}=".encode())), ""):
        raise _Mistake(f"{word}= stands behind a key")
    key = Key(line, **said)
    if key.until and any(time and time >= key.until for time in (key.begins, key.retired)):
        raise _Mistake("until= is not behind from= and retired=: what it signs last could not come back")
    return key


def _moment(word: str, text: bytes) -> datetime:
    spelled = text.decode("ascii", "replace")
    try:
        if not _TIME.fullmatch(spelled):
            raise ValueError
        return datetime.fromisoformat(spelled).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Mistake(f"{word}= wants a time, as 2026-12-01T10:00:00Z") from None


def _spelled(key: Key) -> bytes:
    said = [f" {word}={moment(time)}" for word, field in WORDS.items() if (time := getattr(key, field))]
    return key.secret + "".join(said).encode() + b"\n"


def _disagreements(file: KeyFile) -> Iterator[str]:
    """The same key twice, with other words: nobody knows which of them hold."""
    seen: dict[bytes, Key] = {}
    for key in file.keys:
        if seen.setdefault(key.secret, key) != key:
            yield f"key {key.id} stands twice, and other things are said of it"
