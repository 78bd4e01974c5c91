"""How a wiki is found and who acts there: values that the configuration makes and an adapter uses.

Knows the kinds. Does not know files, nor how any of it is used.
"""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Adapter", "BotPassword", "Credentials", "DatabaseName", "FamilySite", "Farm", "OAuth1", "OAuth2"]


class Adapter(StrEnum):
    """The ways to a wiki."""

    MWCLIENT = "mwclient"  #: the companion extension, by mwclient
    PYWIKIBOT = "pywikibot"  #: the same by pywikibot, which knows families and farms of wikis
    BOUNCEHANDLER = (
        "bouncehandler"  #: gate mode: the extension BounceHandler, which we only tell when we decided
    )


@dataclass(frozen=True)
class BotPassword:
    """An account and one of its bot passwords. https://www.mediawiki.org/wiki/Manual:Bot_passwords"""

    account: str  #: as "BounceBot@sidecar"
    password: str = field(repr=False)


@dataclass(frozen=True)
class OAuth1:
    """An owner-only consumer of OAuth 1.0a, which is its owner without any login.

    https://www.mediawiki.org/wiki/OAuth/Owner-only_consumers
    """

    consumer_token: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_secret: str = field(repr=False)


@dataclass(frozen=True)
class OAuth2:
    """The access token of an owner-only client of OAuth 2.0; it never expires. Source as of OAuth1."""

    access_token: str = field(repr=False)


Credentials = BotPassword | OAuth1 | OAuth2


@dataclass(frozen=True)
class FamilySite:
    """A wiki that pywikibot knows, as family "wikipedia" and code "de"."""

    family: str
    code: str


@dataclass(frozen=True)
class DatabaseName:
    """A wiki of Wikimedia's, by the name of its database, as "enwiki"; its sitematrix says where that is."""

    name: str


Farm = FamilySite | DatabaseName
