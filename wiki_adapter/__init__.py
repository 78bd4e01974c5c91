"""The ways to a wiki. Nothing behind this door is imported before it is asked for."""

from dataclasses import dataclass, field

from sidecar.domain.wiki import Wiki

__all__ = ["WikiAccess", "open_wiki"]


@dataclass(frozen=True)
class WikiAccess:
    """How to reach one wiki's API and as whom."""

    api_url: str  #: final URL of api.php (a redirect would turn POST into GET)
    account: str  #: bot password name, as "BounceBot@sidecar"
    password: str = field(repr=False)
    contact: str  #: for the User-Agent, as Wikimedia's policy wants: a mail address or URL
    connect_timeout: float = 3.0  #: seconds
    read_timeout: float = 10.0  #: seconds without an octet; more than the slowest write of a healthy wiki
    answer_timeout: float = 20.0  #: seconds for a whole answer, however it drips


def open_wiki(access: WikiAccess) -> Wiki:
    """A wiki reached through mwclient. Does not connect yet; not thread-safe (one call at a time)."""
    from .mwclient_wiki import MwclientWiki

    return MwclientWiki(access)
