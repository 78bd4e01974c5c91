"""What a mail turns out to be: whose, and which failure of which mail, as the rules judge it.

Knows how a notice becomes a bounce. Books nothing, and asks no policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from typing import Self

import structlog

from sidecar.domain import mime, verp
from sidecar.domain.address import domain_of
from sidecar.domain.classify import Category, RuleBook
from sidecar.domain.failure import Judge, failure_of
from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.provider import provider_of
from sidecar.storage import ledger
from sidecar.telemetry import report

__all__ = ["Reader", "Understood"]

log = structlog.get_logger()

NO_RULE = "no rule matched"
NEITHER = "neither a bounce nor an automatic answer"


@dataclass(frozen=True)
class Understood:
    """What a mail turned out to be."""

    entry: ledger.Notice
    bounce: ledger.Bounce | None = None
    about: Mapping[str, object] = field(default_factory=dict)  #: wiki and user, for the log

    def pack(self) -> Self:
        """Do now what the booking would otherwise have to wait for."""
        self.entry.pack()
        return self


class Reader:
    """Reads and judges. Blocks for milliseconds, or seconds if the mail is large; safe from every thread."""

    def __init__(
        self,
        return_paths: verp.Verp,
        rules: RuleBook,
        may_count: Callable[[str], frozenset[Category]],  #: which categories may be hard, by wiki
    ) -> None:
        self._paths, self._may_count, self._rules = return_paths, may_count, rules

    def understand(self, entry: ledger.Notice) -> Understood:
        """Read and judge a mail, as of when it came; what our reader cannot read is its fault, not the
        MTA's: set aside. Raises VerpError if it came to no return path of ours, and MemoryError.
        """
        try:
            token = self._paths.recognise(entry.return_path, entry.received)
        except verp.UnknownWiki as error:
            return Understood(replace(entry, aside=str(error)))
        about = {"wiki": token.wiki, "user": token.user_id}
        entry = replace(entry, wiki=token.wiki, user_id=token.user_id)
        try:
            notice = read(entry.raw)
            bounce = self._judge(token, notice, entry)
            why = _not_understood(notice, bounce)
            domain = _domain(entry.raw, bounce) if why else ""
        except MemoryError:  # this host's fault and not our reader's: the mail server tries again
            raise
        except Exception as error:
            report(log, "a notice could not be read", error, **about)
            why = f"could not be read: {type(error).__name__}"
            return Understood(replace(entry, aside=why), None, about)
        return Understood(replace(entry, kind=str(notice.kind), aside=why, domain=domain), bounce, about)

    def _judge(self, token: verp.Token, notice: Notice, entry: ledger.Notice) -> ledger.Bounce | None:
        """The bounce that a notice makes for its user; None if the notice is no bounce."""
        judge = Judge(self._rules, self._may_count(token.wiki), self._paths.is_about)
        found = failure_of(notice, token, judge, null_sender=entry.null_sender, received=entry.received)
        if found is None:
            return None
        verdict, about = found
        return ledger.Bounce(
            wiki=token.wiki,
            user_id=token.user_id,
            sent=token.sent,
            tag=token.tag,
            key_id=token.key_id,
            received=entry.received,
            category=str(verdict.category),
            hard=verdict.hard,
            status=about.status,
            rule=verdict.rule,
            domain=(domain := domain_of(about.address)),
            provider=provider_of(domain, about.remote_mta),
            words=verdict.words[:200],
            confirming=token.confirming,
        )


def _not_understood(notice: Notice, bounce: ledger.Bounce | None) -> str:
    """Why a person shall look at what was read; "" if we understand it. The only place that says so."""
    if notice.kind is Kind.ORDINARY:
        return NEITHER
    return NO_RULE if bounce and not bounce.rule else ""


def _domain(raw: bytes, bounce: ledger.Bounce | None) -> str:
    """Where it failed, else whence the mail came."""
    if bounce:
        return bounce.domain
    return domain_of(parseaddr(mime.parse(raw).first("from"))[1])
