"""One file over https.

Knows how much it reads and how long it waits. Does not know what for; whoever asks has looked at the URL.
"""

from collections.abc import Mapping
from types import MappingProxyType

import aiohttp

__all__ = ["CannotFetch", "fetch"]

NOTHING: Mapping[str, str] = MappingProxyType({})
PLAIN = {"Accept-Encoding": "identity"}
LIMIT = 64 * 1024  # octets; a certificate has two thousand
PATIENCE = 5.0  # seconds for all of it; Amazon SNS waits 15 for our answer


class CannotFetch(Exception):
    """It could not be had now. The message names no more than the host and the reason."""


async def fetch(
    url: str, *, limit: int = LIMIT, patience: float = PATIENCE, headers: Mapping[str, str] = NOTHING
) -> bytes:
    """What is at *url*, which must answer 200 itself: a redirect is no answer.

    *limit* is in octets, *patience* in seconds for all of it. Raises CannotFetch.
    """
    timeout = aiohttp.ClientTimeout(total=patience)
    try:
        async with (
            # Not unpacked: what comes is what it costs.
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.get(url, allow_redirects=False, headers={**PLAIN, **headers}) as answer,
        ):
            if answer.status != 200:
                raise CannotFetch(f"{answer.url.host}: status {answer.status}")
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise CannotFetch(f"{answer.url.host}: compressed, though it was asked not to")
            content = await answer.content.read(limit + 1)
            while len(content) <= limit and (more := await answer.content.read(limit)):
                content += more
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise CannotFetch(type(error).__name__) from None
    if len(content) > limit:
        raise CannotFetch(f"more than {limit} octets")
    return content
