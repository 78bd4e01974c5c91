"""How a farm's sitematrix is asked for, and where its census lies: for the daemon and the commands.

Knows the request. Does not know what is in the answer.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from sidecar import __version__
from sidecar.domain.sitematrix import PARAMETERS
from sidecar.edges import census_file, https_fetch
from sidecar.services.census import Look, NotTaken, Shelf

__all__ = ["look_at", "shelf_at"]

LONGEST = 8 * 2**20  # octets; Wikimedia's thousand wikis have some 100,000
PATIENCE = 30.0  # seconds for all of it; nobody waits for it


def look_at(sitematrix: str, contact: str, accept: timedelta, every: timedelta) -> Look:
    """Asks the api.php *sitematrix*, as whoever we say we are everywhere."""
    agent = {"User-Agent": f"bounce-sidecar/{__version__} ({contact})"}
    url = f"{sitematrix}?{urlencode(PARAMETERS)}"

    async def fetch() -> bytes:
        try:
            return await https_fetch.fetch(url, limit=LONGEST, patience=PATIENCE, headers=agent)
        except https_fetch.CannotFetch as error:
            raise NotTaken(f"{sitematrix}: {error}") from None

    return Look(sitematrix, fetch, accept, every)


def shelf_at(cache: str) -> Shelf:
    """The file *cache*."""
    path = Path(cache)
    return Shelf(lambda: census_file.load(path), lambda census: census_file.store(path, census))
