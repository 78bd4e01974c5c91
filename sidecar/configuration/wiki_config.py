"""One wiki, as the daemon calls it: from its settings and what acts there.

Knows which credentials stand for which settings. Does not know files, nor any library that calls a wiki.
"""

from sidecar.configuration.configured import WikiConfig
from sidecar.configuration.secrets import Secrets
from sidecar.configuration.settings import VerpSection, WikiSection
from sidecar.configuration.wiki_access import farm_of
from sidecar.domain import verp
from sidecar.domain.access import Adapter, BotPassword

__all__ = ["bouncehandler_format", "only_known", "wiki_config"]


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
