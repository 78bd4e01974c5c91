"""Name the return path for a mail, and say whose an address is.

No database, no lock, no thread: if this is slow, the wiki is slow, and so is every RCPT.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from sidecar.domain.address import routed
from sidecar.domain.verp import Expired, Forged, NotOurs, Token, UnknownWiki, Verp, VerpError
from sidecar.services.receipt import Receipt
from sidecar.services.refusals import Refusals
from sidecar.services.watched import Watched
from sidecar.telemetry import Metrics

__all__ = ["ReturnPaths"]

#: What becomes of mail to an address that cannot be recognised.
RECEIPTS: Mapping[type[VerpError], Receipt] = {
    NotOurs: Receipt.NOT_OURS,
    Forged: Receipt.FORGED,
    Expired: Receipt.TOO_LATE,
    UnknownWiki: Receipt.SET_ASIDE,  # signed by us: a person decides
}

#: Mailboxes that every mail domain owes: RFC 5321 section 4.5.1, RFC 2142 section 4.
OWED = frozenset({"postmaster", "abuse"})


class Follower(Protocol):
    """Who signs, too, and has to know by what."""

    def use(self, verp: Verp) -> None: ...
    async def used(self) -> None: ...


class ReturnPaths:
    """Return paths as of now."""

    def __init__(
        self,
        verp: Verp,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
        refusals: Refusals | None = None,
        watched: Watched | None = None,  #: users whose mails are to be noted
    ) -> None:
        metrics = metrics or Metrics()
        self.verp, self._clock = verp, clock
        self.refusals, self.watched = refusals or Refusals(metrics), watched or Watched(metrics)
        self.follower: Follower | None = None
        self._issued = metrics.return_paths.labels("issued")
        self._refused = metrics.return_paths.labels("refused")

    def issue(self, wiki: str, user_id: int, address: str, *, confirming: bool = False) -> str:
        """The return path for one mail; *confirming* if it asks to confirm that address.

        Raises verp.UnknownWiki or verp.TooLong.
        """
        now = self._clock()
        try:
            return_path = self.verp.issue(wiki, user_id, address, now, confirming=confirming)
        except VerpError:
            self._refused.inc()
            raise
        self._issued.inc()
        self.watched.signed(wiki, user_id, self.verp, return_path, now)
        return return_path

    def use(self, verp: Verp) -> None:
        """Sign and recognise by *verp* from now on."""
        self.verp = verp
        if self.follower:
            self.follower.use(verp)

    async def used(self) -> None:
        """Whoever else signs does so by what was said last."""
        if self.follower:
            await self.follower.used()

    def concerns(self, address: str) -> bool:
        """Whether to verify it: for a door that is asked about every recipient of a mail server.

        Not another domain's; nor postmaster and abuse, who read their mail elsewhere. What a mail server will
        rewrite into our domain counts as ours.
        """
        local, at, domain = routed(address).rpartition("@")
        return bool(at) and domain in self.verp.domains and local not in OWED

    def verify(self, address: str, *, tell: bool = True) -> Token | Receipt:
        """THE question at RCPT, whatever the door: whose it is, or else what becomes of mail to it.

        A refusal is counted and logged here, once, unless a door only tries: then *tell* is False. SET_ASIDE
        is none: such mail is taken.
        """
        try:
            return self.recognise(address)
        except tuple(RECEIPTS) as error:
            receipt = RECEIPTS[type(error)]
            if receipt.refused and tell:
                self.refusals.note(receipt, str(error))
            return receipt

    def refusal(self, address: str, *, tell: bool = True) -> Receipt | None:
        """Why mail to this envelope recipient is not taken; None if it is. Logged and counted if *tell*."""
        found = self.verify(address, tell=tell)
        return found if isinstance(found, Receipt) and found.refused else None

    def recognise(self, address: str, at: datetime | None = None) -> Token:
        """What a return path says, or said *at* a time. Raises NotOurs, Forged, Expired or UnknownWiki."""
        return self.verp.recognise(address, at or self._clock())
