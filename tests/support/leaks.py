"""What may not stand in a log: mail addresses above debug, secrets at any level.

Knows both by sight, and which secrets the tests use, because whoever makes one says so here. Does not know
where logs come from (fixtures_logs.py does).
"""

import os
import re
from collections.abc import Iterator

__all__ = ["LEAKS", "Leaks", "secret"]

#: All that may have an @ in it: ECS's time stamp, a URL with an account, and the tests' bot.
ALLOWED = re.compile(r"@timestamp|[a-z0-9+]+://[^\s:@/]+@[^\s@]*|BounceBot@sidecar")
_AT = re.compile(r"""[^\s"'<>()\[\]{},;|=]*@[^\s"'<>()\[\]{},;|]*""")
#: The local part of a return path: whoever knows one could send a bounce for that user.
_RETURN_PATH = re.compile(r"\b[\w.]+-[\w.]+-[0-9a-z]+-[0-9a-z]{6}-[A-Za-z0-9+/]{16}")
_PASSWORD = re.compile(r"://[^\s:@/]+:(?!\*\*\*@)[^\s@/]+@")  # in a URL
_ACCOUNT = re.compile(r"\\?'[\w-]+\\?'@\\?'[\w.:%-]+\\?'")  # of a database server: 'user'@'host'
_DEBUG = re.compile(r"""level='debug'|"log\.level":"debug"|\[debug\b""")

SHORTEST = 8  # characters; a shorter secret would be found by chance
MOST = 200  # files that are followed at a time


class Leaks:
    """What was found, until somebody takes it; and the files that are still being written."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._files: dict[int, tuple[int, bytes]] = {}  # read so far, and a line that has only begun
        self._found: list[str] = []

    def secret(self, text: str) -> str:
        """From now on *text* is one; returns it."""
        if len(text) < SHORTEST:
            raise ValueError("a secret of the tests is too short to be told from other text")
        self._secrets.add(text)
        return text

    def look(self, text: str, *, debug: bool) -> None:
        """At one line."""
        problems = [f"a secret: {one!r}" for one in self._secrets if one in text]
        if "://" in text and (found := _PASSWORD.search(text)):
            problems.append(f"a password: {found.group()!r}")
        if not debug:
            if "@" in text:
                ats = (match.group() for match in _AT.finditer(_ACCOUNT.sub("", text)))
                problems += [f"an address: {at!r}" for at in ats if not ALLOWED.fullmatch(at)]
            if found := _RETURN_PATH.search(text):
                problems.append(f"a return path: {found.group()!r}")
        self._found += [f"{problem} in the log: {text}" for problem in problems]

    def follow(self, written_to: int) -> None:
        """Look at whatever is written to that open file from now on, also when it has no name any more."""
        if any(os.path.samestat(os.fstat(one), os.fstat(written_to)) for one in self._files):
            return
        reading = os.open(f"/proc/self/fd/{written_to}", os.O_RDONLY)
        self._files[reading] = os.fstat(reading).st_size, b""
        if len(self._files) > MOST:
            self._read(first := next(iter(self._files)))
            del self._files[first]
            os.close(first)

    def taken(self) -> list[str]:
        """What was found since the last time."""
        for reading in self._files:
            self._read(reading)
        found, self._found = self._found, []
        return found

    def _read(self, reading: int) -> None:
        for line in self._new_lines(reading):
            self.look(line, debug=bool(_DEBUG.search(line)))

    def _new_lines(self, reading: int) -> Iterator[str]:
        start, begun = self._files[reading]
        if new := os.pread(reading, max(0, os.fstat(reading).st_size - start), start):
            *lines, rest = (begun + new).split(b"\n")
            self._files[reading] = start + len(new), rest
            yield from (line.decode(errors="replace") for line in lines)


LEAKS = Leaks()
secret = LEAKS.secret
