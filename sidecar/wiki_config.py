"""One wiki, as the daemon calls it: from its settings and what acts there.

Knows which credentials stand for which settings. Does not know files, nor any library that calls a wiki.
"""

from dataclasses import dataclass, field

from sidecar.domain import verp
from sidecar.domain.access import Adapter, BotPassword, Credentials, Farm
from sidecar.secrets import Secrets
from sidecar.settings import VerpSection, WikiSection
from sidecar.wiki_access import farm_of

__all__ = ["WikiConfig", "bouncehandler_format", "only_known", "wiki_config"]


@dataclass(frozen=True)
class WikiConfig:
    """How to reach one wiki."""

    id: str
    api: str  #: "" where ``farm`` finds it
    credentials: Credentials | verp.BounceHandlerFormat  #: in gate mode, what signs
    adapter: Adapter = Adapter.MWCLIENT
    farm: Farm | None = None
    #: keyed fingerprint of the credentials: the same for all wikis that share them
    login: str = field(default="", repr=False)


def wiki_config(wiki: WikiSection, section: VerpSection, secrets: Secrets) -> WikiConfig:
    """The settings of one entry, whose secrets were found good."""
    farm, api = farm_of(wiki), str(wiki.api or "")
    if wiki.adapter is Adapter.BOUNCEHANDLER:
        signing = bouncehandler_format(section, secrets)
        assert signing, "the configuration is refused without it"
        return WikiConfig(wiki.id, api, signing, wiki.adapter, farm, secrets.fingerprint("", ""))
    acting = secrets.credentials(wiki)
    return WikiConfig(wiki.id, api, acting, wiki.adapter, farm, secrets.fingerprint(*vars(acting).values()))


def only_known(wiki: WikiSection) -> WikiConfig:
    """On a node that calls no wiki."""
    return WikiConfig(wiki.id, "", BotPassword("", ""), wiki.adapter)


def bouncehandler_format(section: VerpSection, secrets: Secrets) -> verp.BounceHandlerFormat | None:
    """How BounceHandler signs; None where it is not configured."""
    other = section.bouncehandler
    if not other:
        return None
    return verp.BounceHandlerFormat(
        other.prefix, other.domain or section.domain, secrets.bouncehandler, other.algorithm
    )
