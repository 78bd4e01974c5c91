"""From a wiki's configuration to the adapter that calls it.

Knows which adapter wants what. Does not know when a wiki is called, nor what for.
"""

from collections.abc import Callable
from datetime import datetime

import wiki_adapter
from sidecar.configuration.configured import Config, WikiConfig
from sidecar.domain.examination import Examinable
from sidecar.domain.verp import BounceHandlerFormat, Verp

__all__ = ["wiki_opener"]


def wiki_opener(config: Config, clock: Callable[[], datetime]) -> Callable[[WikiConfig], Examinable]:
    """How a configured wiki is reached: by its adapter, with the contact of *config*."""

    def signer(wiki: str, form: BounceHandlerFormat) -> wiki_adapter.Signer:
        theirs = Verp((form,), [wiki], accept=config.verp.accept)
        return wiki_adapter.Signer(lambda user_id: theirs.issue(wiki, user_id, "", clock()), clock)

    def open_one(wiki: WikiConfig) -> Examinable:
        given = wiki.credentials
        acting = signer(wiki.id, given) if isinstance(given, BounceHandlerFormat) else given
        access = wiki_adapter.WikiAccess(wiki.api, acting, config.contact, wiki.adapter, wiki.farm)
        return wiki_adapter.open_wiki(access)

    return open_one
