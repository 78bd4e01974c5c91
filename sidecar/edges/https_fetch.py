"""One small file over https.

Knows how much it reads and how long it waits. Does not know what for; whoever asks has looked at the URL.
"""

import aiohttp

__all__ = ["CannotFetch", "fetch"]

LIMIT = 64 * 1024  # octets; a certificate has two thousand
PATIENCE = 5.0  # seconds for all of it; Amazon SNS waits 15 for our answer


class CannotFetch(Exception):
    """It could not be had now. The message names no more than the host and the reason."""


async def fetch(url: str) -> bytes:
    """What is at *url*, which must answer 200 itself: a redirect is no answer. Raises CannotFetch."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise CannotFetch(f"{answer.url.host}: status {answer.status}")
            content = await answer.content.read(LIMIT + 1)
            while len(content) <= LIMIT and (more := await answer.content.read(LIMIT)):
                content += more
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise CannotFetch(type(error).__name__) from None
    if len(content) > LIMIT:
        raise CannotFetch(f"more than {LIMIT} octets")
    return content
