"""The services together over wikis whose accounts may be global, as CentralAuth joins them."""

from dataclasses import replace
from datetime import timedelta

from sidecar.domain.person import Account, Person
from sidecar.domain.wiki import Unconfirm
from sidecar.services.identity import Identities
from sidecar.storage.database import Database

from .house import DAY, RULES, T0, House

HOME, OTHER = Account("enwiki", 7), Account("dewiki", 8)
ANN = Person("enwiki", (OTHER, HOME))
HOUR = timedelta(hours=1)


class Farm(House):
    """Two wikis whose accounts may be global, and a third whose are not; one confirmation for one person."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        for wiki in self.policies:
            self.policies[wiki] = replace(self.policies[wiki], central=True)
        self.compose()
        self.join(ANN)

    def compose(self) -> None:
        """Anew, as after a restart."""
        self.dispatcher.close()
        self.intake.close()
        self.intake = self.taking(*self.policies)
        self.dispatcher = self.dispatching(self.database)
        self.identities = Identities(
            self.database,
            self.dispatcher.calls,
            self.policies,
            self.limits,
            self.clock,
            self.dispatcher.ring,
            self.metrics,
        )

    def reload(self, *without: str, central: bool = True) -> None:
        """What the daemon hands its parts at SIGHUP: which wikis there are, and whether they are central."""
        self.policies = {
            wiki: replace(policy, central=central)
            for wiki, policy in self.policies.items()
            if wiki not in without
        }
        self.intake.use(RULES, self.policies, self.limits)
        self.dispatcher.use(self.ways(*self.policies), self.policies)
        self.identities.use(self.policies, self.limits)

    def join(self, person: Person) -> None:
        for one in person.accounts:
            self.wikis[one.wiki].people[one.user_id] = person
            self.wikis[one.wiki].confirmed.setdefault(one.user_id, T0 - 100 * DAY)

    async def settle(self) -> None:
        """Ask and pay until nothing is due."""
        while await self.identities.step() or await self.dispatcher.step():
            pass

    async def fail(self, *accounts: Account) -> None:
        """A bounce for each, and four days later the next."""
        for one in accounts:
            await self.bounce(user_id=one.user_id, wiki=one.wiki)
            self.clock.tick(days=4)

    @property
    def acts(self) -> list[tuple[str, int]]:
        """Addresses that were un-confirmed: at which wiki, and whose."""
        return [
            (name, act.user_id)
            for name, wiki in sorted(self.wikis.items())
            for act in wiki.calls
            if isinstance(act, Unconfirm)
        ]
