"""Many practice wikis, and what is owed to whom.

Knows who fails for long enough and who does not, and what each wiki was made to do. Does not know nodes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.recorded import recorded
from tests.support.leaks import secret
from wiki_adapter.practice_central import PracticeCentral
from wiki_adapter.practice_wiki import PracticeWiki

__all__ = ["DOMAIN", "KEY", "Crowd", "Mail", "Member"]

DOMAIN = "bounces.example.org"
KEY = secret("a test's key, long enough to be one, 0123456789")
DAY = timedelta(days=1)
HARD, SOFT = "postfix/01-no-such-user", "postfix/05-mailbox-full"
DUE, FEW, FULL = (9.0, 5.0, 1.0), (8.0, 2.0), (9.0, 6.0, 3.0, 1.0)  # days ago

#: How a user's mail comes back, and when.
KINDS = {
    "d": (HARD, DUE),  # due
    "f": (HARD, FEW),  # fails too seldom
    "s": (SOFT, FULL),  # has a full mailbox
    "h": (HARD, FEW),  # a person's account at home, where the act is due
    "o": (HARD, DUE),  # the same person elsewhere: what is owed there is decided at home
}


@dataclass(frozen=True)
class Member:
    """A user of one of the wikis."""

    wiki: str
    user_id: int
    address: str
    kind: str  #: one of KINDS

    @property
    def due(self) -> bool:
        """Whether it fails for long enough to be un-confirmed, here."""
        return self.kind in "dh"

    @property
    def elsewhere(self) -> bool:
        """Whether it is another account of somebody who is un-confirmed at home, for both."""
        return self.kind == "o"


@dataclass(frozen=True)
class Mail:
    """A notice on its way."""

    return_path: str
    raw: bytes


@dataclass
class Crowd:
    """*size* wikis; two users of each are due, one fails too seldom, and one has a full mailbox.

    With *persons*, their accounts are central, and each wiki of an even number is the home of somebody who
    has an account at the next one, too.
    """

    size: int
    seed: int
    persons: bool = False
    wikis: dict[str, PracticeWiki] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"wiki{number:03}" for number in range(self.size)]
        self.verp = Verp((SidecarFormat("wiki", DOMAIN, Keyring((KEY.encode(),))),), names, accept=10 * DAY)
        self.now = datetime.now(UTC)
        central = PracticeCentral() if self.persons else None
        central = PracticeCentral() if self.persons else None
        for name in names:
            self.wikis[name] = PracticeWiki(wiki_id=name, central=central)
            for number, kind in enumerate("ddfs"):
                address = f"{kind}{number}.{name}@remote.example"
                self._add(name, kind, address, address)
        if central:
            for home, other in zip(names[::2], names[1::2], strict=False):
                who, since = f"Person of {home}", self.now - 300 * DAY
                accounts = {
                    wiki: (self._add(wiki, kind, who, f"person.{home}@remote.example"), since)
                    for kind, wiki in (("h", home), ("o", other))
                }
                central.join(who, accounts, home=home)

    def _add(self, wiki: str, kind: str, name: str, address: str) -> int:
        """A user, whose number is returned."""
        user_id = self.wikis[wiki].add_user(name, address, self.now - 300 * DAY)
        self.members.append(Member(wiki, user_id, address, kind))
        return user_id

    def mails(self) -> list[Mail]:
        """All notices, in an order that the seed decides."""
        found = [mail for member in self.members for mail in self._of(member)]
        Random(self.seed).shuffle(found)
        return found

    def _of(self, member: Member) -> list[Mail]:
        what, days = KINDS[member.kind]
        case = recorded(what)
        mails = []
        for ago in days:
            path = self.verp.issue(member.wiki, member.user_id, member.address, self.now - ago * DAY)
            mails.append(Mail(path, case.addressed(member.address, path)))
        return mails

    def wrongs(self) -> list[str]:
        """What was done to anybody that was not owed, or not done, or done twice."""
        said = []
        for member in self.members:
            wiki = self.wikis[member.wiki]
            acts, confirmed = len(wiki.log(member.user_id)), wiki.mailbox(member.user_id).confirmed_at
            if (acts, confirmed is None) != (int(member.due), member.due or member.elsewhere):
                said.append(f"{member}: {acts} acts, confirmed {confirmed}")
        return said

    @property
    def paid(self) -> int:
        """How many acts there were."""
        return sum(len(self.wikis[one.wiki].log(one.user_id)) for one in self.members)

    def close(self) -> None:
        """No wiki answers any more."""
        for wiki in self.wikis.values():
            wiki.close()
