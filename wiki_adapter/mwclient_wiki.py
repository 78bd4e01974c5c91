"""One wiki by way of mwclient, with a bot password or an owner-only OAuth consumer.

Knows mwclient. Does not know what is asked (conversation.py). mwclient's own patience, 25 retries and up to
2.5 hours inside one call, is switched off: seconds belong to tenacity, in caller.py.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

import mwclient
import requests

from sidecar.domain.access import OAuth1, OAuth2

from . import Signer, WikiAccess
from .caller import Sleep
from .conversation import Conversation
from .transport import Fields, furnish, user_agent, within

__all__ = ["MwclientTransport", "MwclientWiki"]

# At level debug they write down each request that they sign, its tokens included.
for _name in ("oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class MwclientTransport:
    """Requests by mwclient, signed where the credentials sign them; for one thread at a time."""

    def __init__(self, access: WikiAccess) -> None:
        url = urlsplit(access.api_url)
        self._site = mwclient.Site(
            url.netloc,
            path=url.path.rpartition("/")[0] + "/",
            scheme=url.scheme,
            clients_useragent=user_agent(access),
            max_retries=0,
            do_init=False,
            connection_options={"timeout": (access.connect_timeout, access.read_timeout)},
            **_authorisation(access),
        )
        self._deadline = furnish(self._site.connection, access)

    def send(self, method: str, fields: Fields) -> object:
        """One request. Raises WikiError and nothing else."""
        options = {"http_method": method, "retry_on_error": False}
        return within(self._deadline, lambda: self._site.raw_api(**options, **fields))

    def forget(self) -> None:
        self._site.connection.cookies.clear()

    def close(self) -> None:
        self._site.connection.close()


class MwclientWiki(Conversation):
    """A wiki with the companion extension."""

    def __init__(self, access: WikiAccess, *, sleep: Sleep | None = None) -> None:
        if isinstance(access.credentials, Signer):
            raise TypeError("mwclient acts as an account, and there is none")
        super().__init__(MwclientTransport(access), access.credentials, sleep)


def _authorisation(access: WikiAccess) -> dict[str, Any]:
    """What mwclient.Site takes for credentials that need no login."""
    match access.credentials:
        case OAuth1() as consumer:
            return vars(consumer)
        case OAuth2(access_token=token):
            return {"httpauth": _Bearer(token)}
    return {}


class _Bearer(requests.auth.AuthBase):
    """RFC 6750 section 2.1. A mere header would give way to what a netrc(5) says of the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
