"""Tells another node over HTTP what was signed here.

Knows how long it waits. Does not know what for, nor what waits to be told.
"""

import aiohttp

from sidecar.domain.send import Send
from sidecar.edges.http_sends import as_json
from sidecar.telemetry import Tellable

__all__ = ["CannotTell", "NotesClient"]

PATIENCE = 10.0  # seconds for all of it; it is beside the way of the mail


class CannotTell(Tellable):
    """The other node does not take it: is it down, is [node] notes_to right, does its [http] allow us?"""


class NotesClient:
    """*node* as "http://192.0.2.7:8025"."""

    def __init__(self, node: str, token: str) -> None:
        self._url, self._headers = f"{node}/sends", {"Authorization": f"Bearer {token}"}

    async def tell(self, mails: list[Send]) -> None:
        """Returns when they are taken. Raises CannotTell: then they may be told again."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
                session.post(self._url, json=as_json(mails), allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise CannotTell(f"status {answer.status}")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise CannotTell(type(error).__name__) from None
