"""The census: what we know of a farm's wikis, over the times that its sitematrix was looked at.

Knows what a new look changes, and what is not believed. Does not know which of the wikis are wanted, nor
files.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sidecar.domain.sitematrix import Listed

__all__ = ["Census", "Known", "NotBelieved", "Unreadable", "from_text", "merged", "to_text"]

FEW = 2  # wikis that may vanish at once from a farm of any size
SHARE = 0.1  # of a farm that may vanish at once: more is a matrix that is broken, or another farm's


class NotBelieved(Exception):
    """Too many wikis are gone at once. If that is right: `wikis refresh --believe`."""


class Unreadable(Exception):
    """What was remembered is lost. It is made anew at the next look at the sitematrix."""


@dataclass(frozen=True)
class Known:
    """A wiki that is listed, or was not long ago."""

    listed: Listed
    since: datetime  #: aware; when it was listed first
    seen: datetime  #: aware; when it was listed last
    formerly: frozenset[str] | None = None  #: its kinds, where they have changed not long ago
    changed: datetime | None = None  #: aware; when they did
    gone: bool = False  #: the last look did not show it


@dataclass(frozen=True)
class Census:
    """All of them."""

    source: str  #: where the matrix is asked for
    fetched: datetime  #: aware; the last look that was believed
    wikis: tuple[Known, ...]

    @property
    def present(self) -> set[str]:
        """Ids of those that the last look showed."""
        return {known.listed.id for known in self.wikis if not known.gone}


def merged(
    before: Census | None,
    listed: Sequence[Listed],
    source: str,
    now: datetime,
    accept: timedelta,
    *,
    believe: bool = False,
) -> Census:
    """The census after a look at the matrix.

    A wiki that is gone stays for as long as its return paths are valid (*accept*), and one that has become
    closed or private stays what it was. Raises NotBelieved, unless we are told to *believe* it.
    """
    if before and before.source == source and not believe:
        _believe(before, {one.id for one in listed})
    old = {known.listed.id: known for known in before.wikis} if before else {}
    new = {one.id: _seen(one, old.get(one.id), now, accept) for one in listed}
    gone = [known for id_, known in old.items() if id_ not in new and known.seen > now - accept]
    return Census(source, now, (*new.values(), *(replace(known, gone=True) for known in gone)))


def _believe(before: Census, now_listed: Collection[str]) -> None:
    lost = sorted(before.present.difference(now_listed))
    if len(lost) > max(FEW, SHARE * len(before.present)):
        some = ", ".join(lost[:5]) + (", ..." if len(lost) > 5 else "")
        raise NotBelieved(f"{len(lost)} of {len(before.present)} wikis are gone at once: {some}")


def _seen(one: Listed, old: Known | None, now: datetime, accept: timedelta) -> Known:
    if old is None:
        return Known(one, now, now)
    if old.listed.kinds != one.kinds:
        return Known(one, old.since, now, old.listed.kinds, now)
    if old.changed and old.changed > now - accept:
        return Known(one, old.since, now, old.formerly, old.changed)
    return Known(one, old.since, now)


def to_text(census: Census) -> str:
    """As JSON, for a file."""
    wikis = [_row(known) for known in census.wikis]
    return json.dumps(
        {"version": 1, "source": census.source, "fetched": census.fetched.isoformat(), "wikis": wikis},
        indent=1,
    )


def _row(known: Known) -> dict[str, object]:
    one = known.listed
    row: dict[str, object] = {"id": one.id, "url": one.url, "kinds": sorted(one.kinds)}
    row |= {"since": known.since.isoformat(), "seen": known.seen.isoformat(), "gone": known.gone}
    if known.changed:
        row |= {"formerly": sorted(known.formerly or ()), "changed": known.changed.isoformat()}
    return row


def from_text(text: str) -> Census:
    """What ``to_text`` wrote. Raises ValueError for anything else."""
    try:
        data = json.loads(text)
        if data["version"] != 1:
            raise ValueError("written by another version")
        wikis = tuple(
            Known(
                Listed(str(one["id"]), str(one["url"]), frozenset(map(str, one["kinds"]))),
                _time(one["since"]),
                _time(one["seen"]),
                frozenset(map(str, one["formerly"])) if "changed" in one else None,
                _time(one["changed"]) if "changed" in one else None,
                bool(one["gone"]),
            )
            for one in data["wikis"]
        )
        return Census(str(data["source"]), _time(data["fetched"]), wikis)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no census: {type(error).__name__}") from None


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without its zone")
    return time
