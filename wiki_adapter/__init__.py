"""The ways to a wiki. Nothing behind this door is imported before it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module

from sidecar.domain.access import (
    Adapter,
    BotPassword,
    Credentials,
    DatabaseName,
    FamilySite,
    Farm,
    OAuth1,
    OAuth2,
)
from sidecar.domain.examination import Examinable

__all__ = [
    "Adapter",
    "BotPassword",
    "Credentials",
    "DatabaseName",
    "FamilySite",
    "OAuth1",
    "OAuth2",
    "Signer",
    "WikiAccess",
    "open_wiki",
]


@dataclass(frozen=True)
class Signer:
    """What stands for an account in gate mode: BounceHandler believes whoever signs as it does."""

    return_path: Callable[[int], str] = field(repr=False)  #: user id -> signed in BounceHandler's format, now
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class WikiAccess:
    """How to reach one wiki's API and as whom."""

    api_url: str  #: final URL of api.php (a redirect would turn POST into GET); "" where ``farm`` finds it
    credentials: Credentials | Signer
    contact: str  #: for the User-Agent, as Wikimedia's policy wants: a mail address or URL
    adapter: Adapter = Adapter.MWCLIENT
    farm: Farm | None = None  #: pywikibot's name of the wiki, where it has one
    connect_timeout: float = 3.0  #: seconds
    read_timeout: float = 10.0  #: seconds without an octet; more than the slowest write of a healthy wiki
    answer_timeout: float = 20.0  #: seconds for a whole answer, however it drips


#: Module and class of each adapter; its constructor takes a WikiAccess and neither connects nor blocks.
_ADAPTERS: dict[Adapter, tuple[str, str]] = {
    Adapter.MWCLIENT: ("mwclient_wiki", "MwclientWiki"),
    Adapter.PYWIKIBOT: ("pywikibot_wiki", "PywikibotWiki"),
    Adapter.BOUNCEHANDLER: ("bouncehandler_wiki", "BounceHandlerWiki"),
}


def open_wiki(access: WikiAccess) -> Examinable:
    """A wiki reached by its adapter. Does not connect yet; not thread-safe (one call at a time)."""
    module, name = _ADAPTERS[access.adapter]
    wiki: Examinable = getattr(import_module(f".{module}", __name__), name)(access)
    return wiki
