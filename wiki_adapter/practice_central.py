"""The practice wikis' central accounts: one person on several wikis, with one address and one confirmation.

Knows what CentralAuth answers, held to the same contract, and that a change on one wiki is a change on all.
Does not know HTTP, or who asks.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from .practice_parameters import integer
from .practice_users import PracticeUsers

__all__ = ["PracticeCentral"]


@dataclass
class _Person:
    number: int
    name: str
    home: str
    hidden: bool = False
    attached: dict[str, tuple[int, datetime]] = field(default_factory=dict)  #: by wiki: user id, since when


class PracticeCentral:
    """In memory; safe from every thread."""

    def __init__(self, provider: str = "CentralAuth") -> None:
        """*provider*: what the system calls itself; "local" is a wiki's own, where there is no other."""
        self._provider = provider
        self._wikis: dict[str, PracticeUsers] = {}
        self._people: dict[str, _Person] = {}
        self._lock = threading.RLock()

    def add_wiki(self, wiki_id: str, users: PracticeUsers) -> None:
        self._wikis[wiki_id] = users
        users.share(partial(self._changed, wiki_id))

    def join(self, name: str, accounts: Mapping[str, tuple[int, datetime]], *, home: str) -> None:
        """A person of this *name* with these accounts: user ids by wiki, and since when each is attached.

        The address and its confirmation are those of the first.
        """
        with self._lock:
            self._people[name] = _Person(len(self._people) + 1, name, home, attached=dict(accounts))
        wiki, (user_id, _) = next(iter(accounts.items()))
        kept = self._wikis[wiki].mailbox(user_id)
        self._changed(wiki, user_id, kept.address, kept.confirmed_at)

    def attach(self, name: str, wiki: str, user_id: int, since: datetime) -> None:
        with self._lock:
            self._people[name].attached[wiki] = (user_id, since)

    def detach(self, name: str, wiki: str) -> None:
        with self._lock:
            del self._people[name].attached[wiki]

    def hide(self, name: str) -> None:
        """From everybody without a right of their own, ours among them."""
        self._people[name].hidden = True

    def move_home(self, name: str, wiki: str) -> None:
        self._people[name].home = wiki

    def answer(self, wiki: str, given: Mapping[str, str]) -> dict[str, Any]:
        """What stands under "query" for list=users and meta=globaluserinfo."""
        said: dict[str, Any] = {}
        with self._lock:
            if given.get("list") == "users":
                said["users"] = [self._user(wiki, integer(given, "ususerids"))]
            if given.get("meta") == "globaluserinfo":
                said["globaluserinfo"] = self._about(integer(given, "guiid"))
        return said

    def _user(self, wiki: str, user_id: int) -> dict[str, Any]:
        try:
            name = self._wikis[wiki].mailbox(user_id).name
        except KeyError:
            return {"userid": user_id, "missing": True}
        person = self._people.get(name)  # MediaWiki, too, goes by the name
        attached = person is not None and person.attached.get(wiki, (0,))[0] == user_id
        number = 0 if person is None or person.hidden else person.number
        return {
            "userid": user_id,
            "name": name,
            "centralids": {self._provider: number, "local": user_id},
            "attachedlocal": {self._provider: attached, "local": True},
        }

    def _about(self, number: int) -> dict[str, Any]:
        person = next((one for one in self._people.values() if one.number == number), None)
        if person is None or person.hidden:
            return {"missing": True}
        merged = [
            {"wiki": wiki, "id": user_id, "timestamp": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
            for wiki, (user_id, since) in person.attached.items()
        ]
        return {"home": person.home, "id": number, "name": person.name, "merged": merged}

    def _changed(self, wiki: str, user_id: int, address: str, confirmed_at: datetime | None) -> None:
        with self._lock:
            whose = next(
                (one for one in self._people.values() if one.attached.get(wiki, (0,))[0] == user_id), None
            )
            others = dict(whose.attached) if whose else {}
            for other, (other_id, _) in others.items():
                if other != wiki:
                    self._wikis[other].take_over(other_id, address, confirmed_at)
