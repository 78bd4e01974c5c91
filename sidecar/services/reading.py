"""What a mail turns out to be: whose, and which failure of which mail, as the rules judge it.

Knows how a notice becomes a bounce. Books nothing, and asks no policy. Imports neither the database nor the
log: another process may do it (readers.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parseaddr

from sidecar.domain import mime, verp
from sidecar.domain.address import domain_of
from sidecar.domain.classify import Category, RuleBook
from sidecar.domain.failure import Judge, failure_of
from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.policy import Policy
from sidecar.domain.provider import provider_of
from sidecar.storage import entries

__all__ = ["Reader", "Understood", "categories"]

NO_RULE = "no rule matched"
NEITHER = "neither a bounce nor an automatic answer"


@dataclass(frozen=True)
class Understood:
    """What a mail turned out to be."""

    entry: entries.Notice  #: packed: the booking has nothing to wait for
    bounce: entries.Bounce | None = None
    about: Mapping[str, object] = field(default_factory=dict)  #: wiki and user, for the log


class Reader:
    """Reads and judges. Blocks for milliseconds, or seconds if the mail is large; safe from every thread."""

    def __init__(
        self,
        return_paths: verp.Verp,
        rules: RuleBook,
        may_count: Callable[[str], frozenset[Category]],  #: which categories may be hard, by wiki
    ) -> None:
        self._paths, self._may_count, self._rules = return_paths, may_count, rules

    def understand(self, entry: entries.Notice) -> Understood:
        """Read and judge a mail, as of when it came; what our reader cannot read is its fault, not the
        MTA's: set aside. Raises VerpError if it came to no return path of ours, and MemoryError.
        """
        try:
            return self.examine(entry)
        except (verp.VerpError, MemoryError):  # the host's fault: the mail server tries again
            raise
        except Exception as error:
            token = self._paths.recognise(entry.return_path, entry.received)
            about = _about(token)
            _report(error, about)
            why = f"could not be read: {type(error).__name__}"
            entry = replace(entry, wiki=token.wiki, user_id=token.user_id, aside=why)
            return Understood(entry.pack(), None, about)

    def examine(self, entry: entries.Notice) -> Understood:
        """The same, but that it raises whatever our reader fails with."""
        try:
            token = self._paths.recognise(entry.return_path, entry.received)
        except verp.UnknownWiki as error:
            return Understood(replace(entry, aside=str(error)).pack())
        notice = read(entry.raw)
        bounce = self._judge(token, notice, entry)
        why = _not_understood(notice, bounce)
        domain = _domain(entry.raw, bounce) if why else ""
        entry = replace(entry, kind=str(notice.kind), aside=why, domain=domain)
        entry = replace(entry, wiki=token.wiki, user_id=token.user_id)
        return Understood(entry.pack(), bounce, _about(token))

    def _judge(self, token: verp.Token, notice: Notice, entry: entries.Notice) -> entries.Bounce | None:
        """The bounce that a notice makes for its user; None if the notice is no bounce."""
        judge = Judge(self._rules, self._may_count(token.wiki), self._paths.is_about)
        found = failure_of(notice, token, judge, null_sender=entry.null_sender, received=entry.received)
        if found is None:
            return None
        verdict, about = found
        return entries.Bounce(
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
            words=verdict.words,
            confirming=token.confirming,
        )


def categories(policies: Mapping[str, Policy], wiki: str) -> frozenset[Category]:
    """Which may be hard, as the wiki's policy says."""
    return policies[wiki].categories


def _about(token: verp.Token) -> dict[str, object]:
    return {"wiki": token.wiki, "user": token.user_id}


def _report(error: Exception, about: Mapping[str, object]) -> None:
    import structlog

    from sidecar.telemetry import report

    report(structlog.get_logger(), "a notice could not be read", error, **about)


def _not_understood(notice: Notice, bounce: entries.Bounce | None) -> str:
    """Why a person shall look at what was read; "" if we understand it. The only place that says so."""
    if notice.kind is Kind.ORDINARY:
        return NEITHER
    return NO_RULE if bounce and not bounce.rule else ""


def _domain(raw: bytes, bounce: entries.Bounce | None) -> str:
    """Where it failed, else whence the mail came."""
    if bounce:
        return bounce.domain
    return domain_of(parseaddr(mime.parse(raw).first("from"))[1])
