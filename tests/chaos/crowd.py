"""Many practice wikis, and what is owed to whom.

Knows who fails for long enough and who does not, and what each wiki was made to do. Does not know nodes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.recorded import recorded
from wiki_adapter.practice_wiki import PracticeWiki

__all__ = ["DOMAIN", "KEY", "Crowd", "Mail", "Member"]

DOMAIN = "bounces.example.org"
KEY = "a test's key, long enough to be one, 0123456789"
DAY = timedelta(days=1)
HARD, SOFT = "postfix/01-no-such-user", "postfix/05-mailbox-full"
DUE, FEW, FULL = (9.0, 5.0, 1.0), (8.0, 2.0), (9.0, 6.0, 3.0, 1.0)  # days ago


@dataclass(frozen=True)
class Member:
    """A user of one of the wikis."""

    wiki: str
    user_id: int
    address: str
    due: bool  #: fails for long enough to be un-confirmed


@dataclass(frozen=True)
class Mail:
    """A notice on its way."""

    return_path: str
    raw: bytes


@dataclass
class Crowd:
    """*size* wikis; two users of each are due, one fails too seldom, and one has a full mailbox."""

    size: int
    seed: int
    wikis: dict[str, PracticeWiki] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"wiki{number:03}" for number in range(self.size)]
        self.verp = Verp((SidecarFormat("wiki", DOMAIN, Keyring((KEY.encode(),))),), names, accept=10 * DAY)
        self.now = datetime.now(UTC)
        for name in names:
            self.wikis[name] = PracticeWiki()
            for number, kind in enumerate("ddfs"):
                address = f"{kind}{number}.{name}@remote.example"
                user_id = self.wikis[name].add_user(f"User {number}", address, self.now - 300 * DAY)
                self.members.append(Member(name, user_id, address, kind == "d"))

    def mails(self) -> list[Mail]:
        """All notices, in an order that the seed decides."""
        found = [mail for member in self.members for mail in self._of(member)]
        Random(self.seed).shuffle(found)
        return found

    def _of(self, member: Member) -> list[Mail]:
        kind = member.address[0]
        days = {"d": DUE, "f": FEW, "s": FULL}[kind]
        case = recorded(SOFT if kind == "s" else HARD)
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
            if (acts, confirmed is None) != (int(member.due), member.due):
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
