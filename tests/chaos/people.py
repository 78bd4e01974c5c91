"""Who gets mail in a campaign, how it comes back, and what is owed to each.

Knows kinds of people. Does not know wikis or nodes.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.recorded import recorded
from tests.chaos.crowd import DOMAIN, KEY, Mail

__all__ = ["ACCEPT", "KINDS", "Person", "verp_of"]

ACCEPT = 40  # days; more than the oldest mail's age and the farthest jump of a clock together
DAY = timedelta(days=1)
HARD, SOFT = "postfix/01-no-such-user", "postfix/05-mailbox-full"


@dataclass(frozen=True)
class Kind:
    """How somebody's mail comes back."""

    what: str  #: a recorded bounce
    ago: tuple[float, ...]  #: days since each mail that comes back was sent
    due: bool = False  #: it fails for long enough
    arrived: float = 0.0  #: days since a mail that did not come back, though others did; 0 for none
    confirmed: float = 300.0  #: days since the address was confirmed the last time


KINDS = {
    "due": Kind(HARD, (9.0, 5.0, 1.0), due=True),
    "too seldom": Kind(HARD, (8.0, 2.0)),
    "mailbox full": Kind(SOFT, (9.0, 6.0, 3.0, 1.0)),
    "mail arrives": Kind(HARD, (9.0, 5.0, 1.0), arrived=3.5),
    "confirmed anew": Kind(HARD, (9.0, 6.0, 3.0), confirmed=2.0),
}
OFTEN = {"due": 3}  # of each round; of the others one


@dataclass(frozen=True)
class Person:
    """A user of one of the wikis."""

    wiki: str
    user_id: int
    address: str
    name: str = field(repr=False)  #: one of KINDS
    now: datetime = field(repr=False)  #: from when the days are counted

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    def mails(self, verp: Verp, later: float = 0.0) -> list[Mail]:
        """All that come back, oldest first; *later*: days by which all of them are older."""
        case, found = recorded(self.kind.what), []
        for ago in self.kind.ago:
            path = self.path(verp, ago + later)
            found.append(Mail(path, case.addressed(self.address, path)))
        return found

    def path(self, verp: Verp, ago: float) -> str:
        """The return path of a mail of so many days ago."""
        return verp.issue(self.wiki, self.user_id, self.address, self.now - ago * DAY)


def verp_of(wikis: list[str]) -> Verp:
    """What signs for these wikis, as every node does."""
    return Verp((SidecarFormat("wiki", DOMAIN, Keyring((KEY.encode(),))),), wikis, accept=ACCEPT * DAY)
