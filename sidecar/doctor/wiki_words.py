"""A wiki that was looked at, in findings: what it is, what is wrong, and how to mend it.

Pure: what was seen in, findings out. Knows what each thing that a wiki shows must be. Does not ask.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sidecar.configuration.configured import WikiConfig
from sidecar.doctor import clock
from sidecar.domain.access import Adapter, BotPassword
from sidecar.domain.examination import About, Account, Examination, Step
from sidecar.domain.finding import Finding, ok, unknown, warn, wrong
from sidecar.domain.wiki import LoginThrottled, WikiError, WikiMisconfigured, WikiUnavailable
from wiki_adapter.examining import shipped

__all__ = ["Seen", "judged"]

SOON = timedelta(days=14)  # in which a certificate is to be renewed
OLDEST = (1, 39)  # of MediaWiki
BOUNCEHANDLER = "BounceHandler"
SILENT = "look at the wiki's own log; nothing is lost meanwhile: what is owed waits"
AGAIN = "mend it, then `systemctl reload bounce-sidecar`; `doctor --login` tries it at once"
HOOK = (
    "look at the Return-Path of a mail that it sends, at $wgBounceSidecarSocket, and at its log (channel "
    "BounceSidecar)"
)
RIGHT = "put the account into the group bouncesidecar: Special:UserRights"
GRANT = "make the bot password again with the grants basic and emailbounce: Special:BotPasswords"
CONSUMER = "propose the consumer again with the grant emailbounce: Special:OAuthConsumerRegistration"


@dataclass(frozen=True)
class Seen:
    """What was looked at, and when."""

    examination: Examination | None = None  #: None: it was not reached
    unreached: Finding | None = None  #: why
    certificate: datetime | None = None  #: when it ends
    before: datetime | None = None  #: our clock, before anything was asked
    after: datetime | None = None  #: ... and when all was answered
    refused: str = ""  #: why no login was tried: who has refused it, in words
    central: WikiError | None = None  #: what CentralAuth was asked for in vain
    signed: date | None = None  #: when mail of it was signed last
    silent: bool = False  #: none was, of late, and of other wikis there was


def judged(wiki: WikiConfig, seen: Seen) -> list[Finding]:
    """A line for a wiki that is well, else one for each thing that is not, in the order of mending."""
    found = list(_judged(wiki, seen))
    return found or [ok(_well(wiki, seen))]


def _judged(wiki: WikiConfig, seen: Seen) -> Iterator[Finding]:
    if seen.unreached:
        yield seen.unreached
    if seen.certificate and seen.after and seen.certificate - seen.after < SOON:
        days = (seen.certificate - seen.after).days
        yield warn(f"its certificate ends in {days} days ({seen.certificate:%Y-%m-%d})", "renew it")
    if not seen.examination:
        return
    about, account = seen.examination.about, seen.examination.account
    if about:
        yield from _about(wiki, about)
        yield from _clock(about, seen)
    yield from _extension(wiki, about)
    if seen.refused:
        yield wrong(f"its login was refused and is not tried again: {seen.refused}", AGAIN)
    yield from _stopped(wiki, seen.examination, account)
    if seen.central:
        yield wrong(
            f"central accounts: {seen.central.words}", seen.central.remedy or "central = false for it"
        )
    if seen.silent and wiki.adapter is not Adapter.BOUNCEHANDLER:
        yield warn("no mail of it was signed in the last 30 days, though other wikis' was", HOOK)


def _about(wiki: WikiConfig, about: About) -> Iterator[Finding]:
    if about.wiki != wiki.id:
        yield wrong(
            f"the wiki at {wiki.api or 'that place'} calls itself {about.wiki}",
            f'set id = "{about.wiki}", or api to that of {wiki.id}; its mail is signed as {about.wiki}',
        )
    if (version := _version(about.software)) and version < OLDEST:
        yield wrong(f"{about.software} is too old", "MediaWiki 1.39 or newer is needed")


def _version(software: str) -> tuple[int, int] | None:
    found = re.match(r"\S+ (\d+)\.(\d+)", software)
    return (int(found[1]), int(found[2])) if found else None


def _clock(about: About, seen: Seen) -> Iterator[Finding]:
    """It answered at some moment between the two of ours."""
    if not seen.before or not seen.after:
        return
    ahead = max(about.time - seen.after, timedelta(0)) or min(about.time - seen.before, timedelta(0))
    if behind := clock.apart("the wiki's clock", ahead):
        yield behind


def _extension(wiki: WikiConfig, about: About | None) -> Iterator[Finding]:
    if not about:
        return
    if wiki.adapter is Adapter.BOUNCEHANDLER:
        return  # it is asked; what it calls itself is its own concern
    found = about.extensions.get(shipped.name)
    copy = f"copy wiki_adapter/{shipped.name} of this program into its extensions/"
    if found is None:
        mend = f"{copy}; wfLoadExtension( '{shipped.name}' );"
        yield wrong(f"the extension {shipped.name} is not installed", mend)
    elif found != shipped.version:
        said = f"its extension {shipped.name} is {found or 'of no version'}, ours is {shipped.version}"
        yield warn(said, copy)


def _stopped(wiki: WikiConfig, found: Examination, account: Account | None) -> Iterator[Finding]:
    """Why the next step was not taken; what has been told by its cause is left out."""
    error = found.trouble
    if error is None:
        return
    if account and not account.right:
        if found.about and not found.about.may_act:
            return  # there is no such right without the extension
        yield _no_right(wiki, account)
    elif account and account.blocked:
        yield wrong(f"{account.name} is blocked on the wiki", f"unblock it: Special:Unblock/{account.name}")
    elif isinstance(error, LoginThrottled):
        yield unknown(f"whether it takes the login: {error.words}", "wait five minutes, and ask again")
    elif isinstance(error, WikiUnavailable):
        yield wrong(f"it cannot do it now: {error.words}", error.remedy or SILENT)
    elif isinstance(error, WikiMisconfigured):
        yield wrong(error.words, error.remedy or SILENT)
    else:
        yield wrong(f"it refuses: {error.words}", SILENT)


def _no_right(wiki: WikiConfig, account: Account) -> Finding:
    if not account.by_group:
        return wrong(f"{account.name} has not the right emailbounce", RIGHT)
    grant = GRANT if isinstance(wiki.credentials, BotPassword) else CONSUMER
    return wrong(f"{account.name} has the right emailbounce, and this login lacks the grant", grant)


def _well(wiki: WikiConfig, seen: Seen) -> str:
    found = seen.examination
    assert found, "it was reached"
    said = [found.about.software if found.about else "", _acts(wiki, found)]
    if seen.certificate:
        said.append(f"certificate until {seen.certificate:%Y-%m-%d}")
    if seen.signed:
        said.append(f"mail last signed on {seen.signed}")
    return ", ".join(filter(None, said))


def _acts(wiki: WikiConfig, found: Examination) -> str:
    if wiki.adapter is Adapter.BOUNCEHANDLER:
        return "BounceHandler takes what we say (whether it believes our signature shows with the first)"
    version = found.about.extensions.get(shipped.name, "") if found.about else ""
    name = found.account.name if found.account else ""
    return f"extension {version}, {name} may act" if Step.ACT in found.done else ""
