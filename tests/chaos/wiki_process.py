"""Practice wikis in a process to be killed: what one has done is in a file before it is answered.

Run as `python -m tests.chaos.wiki_process FILE PORT NAME...`. Knows what must survive: users, acts, and what
each act left of a confirmation. Sessions and tokens do not, as in a wiki whose cache is lost.
"""

import json
import os
import sys
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wiki_adapter.practice_http import PracticeServer, Reply, Request, page
from wiki_adapter.practice_site import PracticeSite
from wiki_adapter.practice_users import Entry

__all__ = ["CONTROL"]

CONTROL = "/control"  # where the campaign adds users and reads the log


class Book:
    """A file with a line for each thing that happened; each is written as a whole, or not at all."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **line: Any) -> None:
        os.write(self._file, json.dumps(line, default=str).encode() + b"\n")

    def lines(self) -> list[dict[str, Any]]:
        with open(os.dup(self._file), "rb") as book:
            book.seek(0)
            return [json.loads(line) for line in book]


class KeptWiki(PracticeSite):
    """One whose users and acts are in *book*."""

    def __init__(self, name: str, book: Book) -> None:
        super().__init__(wiki_id=name)
        self._name, self._book, self._replaying = name, book, False
        self._key = name.encode()  # the fingerprints of before are good

    def write_log(self, entry: Entry) -> int:
        """The last step of every act: before it nothing has happened, behind it all has."""
        if not self._replaying:
            confirmed = self.mailbox(entry.user_id).confirmed_at
            self._book.write(wiki=self._name, act=asdict(entry), confirmed=confirmed)
        return super().write_log(entry)

    def replay(self, line: dict[str, Any]) -> None:
        """A line of the book."""
        confirmed = line["confirmed"] and datetime.fromisoformat(line["confirmed"])
        if "user" in line:
            self.add_user(*line["user"], confirmed)
            return
        told = line["act"]
        self.set_confirmed(told["user_id"], confirmed)
        self._replaying = True
        self.write_log(
            Entry(
                told["user_id"], told["act"], told["reason"],
                datetime.fromisoformat(told["at"]), tuple(told["about"]),
            )
        )  # fmt: skip
        self._replaying = False


class Wikis:
    """All of them behind one port."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self._book = Book(path)
        self._sites = {name: KeptWiki(name, self._book) for name in names}
        self._adding = threading.Lock()
        for line in self._book.lines():
            self._sites[line["wiki"]].replay(line)

    def answer(self, request: Request) -> Reply:
        if request.path == CONTROL:
            asked = json.loads(request.body)
            said = self._added(asked["add"]) if "add" in asked else self._told(asked["of"])
            return Reply(json.dumps(said, default=str))
        _, name, *rest = request.path.split("/")
        if name not in self._sites:
            return page(404, "Not Found")
        return self._sites[name].answer(replace(request, path="/" + "/".join(rest)))

    def _added(self, users: list[list[str]]) -> list[int]:
        """The number of each: [wiki, name, address, confirmed]."""
        numbers = []
        with self._adding:
            for wiki, name, address, confirmed in users:
                self._book.write(wiki=wiki, user=[name, address], confirmed=confirmed)
                at = datetime.fromisoformat(confirmed).astimezone(UTC)
                numbers.append(self._sites[wiki].add_user(name, address, at))
        return numbers

    def _told(self, users: list[tuple[str, int]]) -> list[tuple[list[str], datetime | None]]:
        """Of each what is in the restricted log, and since when the address is confirmed."""
        sites = self._sites
        return [(sites[wiki].log(user), sites[wiki].mailbox(user).confirmed_at) for wiki, user in users]


def main(path: str, port: str, *names: str) -> None:
    """Serve until standard input ends."""
    server = PracticeServer(Wikis(Path(path), list(names)).answer, int(port))
    sys.stdin.read()  # until whoever started us ends
    server.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
