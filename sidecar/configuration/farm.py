"""The wikis of a farm: which of a census are wanted, as if each had an entry of its own under [[wikis]].

Knows the rules of [farm] and why a wiki is left out. Does not fetch, and does not know files.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from pydantic import HttpUrl, ValidationError

from sidecar.configuration.configured import FarmConfig
from sidecar.configuration.farm_settings import FarmSection
from sidecar.configuration.settings import Settings, WikiSection
from sidecar.configuration.wiki_ids import too_long
from sidecar.domain import verp
from sidecar.domain.access import Adapter
from sidecar.domain.census import Census, Known, Unreadable

__all__ = ["ReadCensus", "Taken", "farm_config", "take", "taken"]

#: Under co.uk, say, everybody may register: the parent of a wiki there is not its owner's.
_REGISTRY = re.compile(r"(?:ac|co|com|edu|gob|gov|ne|net|nom|or|org)\.[a-z]{2}")

ReadCensus = Callable[[str], Census | None]  #: name of the cache -> what it holds; raises Unreadable


@dataclass(frozen=True)
class Taken:
    """What becomes of a census."""

    wikis: tuple[WikiSection, ...] = ()
    left_out: tuple[str, ...] = ()  #: what an operator did not ask for: id and why


def farm_config(section: FarmSection, taken: Taken) -> FarmConfig:
    """The farm, with those of its wikis that were *taken*."""
    ids = frozenset(wiki.id for wiki in taken.wikis)
    refresh = timedelta(hours=section.refresh_hours)
    return FarmConfig(str(section.sitematrix), refresh, section.cache, ids, taken.left_out)


def taken(settings: Settings, read_census: ReadCensus) -> Taken:
    """The wikis that the census has for us; none where there is no farm, or nothing is remembered."""
    if settings.farm is None:
        return Taken()
    try:
        census = read_census(settings.farm.cache)
    except Unreadable as error:
        return Taken(left_out=(str(error),))
    if census is None:
        return Taken()
    configured = [wiki.id for wiki in settings.wikis]
    return take(settings.farm, census, configured, settings.verp.model_dump())


def take(farm: FarmSection, census: Census, configured: Collection[str], spelling: object) -> Taken:
    """The wikis that *farm* wants of *census*, but those that are *configured* under their id.

    *spelling*: [verp], for how long an id may be. Nothing here is fatal: what cannot be used is left out.
    """
    wanted = [known for known in census.wikis if _wanted(farm, known) and known.listed.id not in configured]
    twins = Counter(map(_spelled, [*configured, *(known.listed.id for known in wanted)]))
    wikis, left_out = [], []
    for known in wanted:
        problem = too_long(known.listed.id, spelling)
        if not problem and twins[_spelled(known.listed.id)] > 1 and not _was_first(known, wanted, configured):
            problem = "reads like another one in a return path"
        section = problem or _section(farm, known)
        if isinstance(section, WikiSection):
            wikis.append(section)
        else:
            left_out.append(f"{known.listed.id}: {section}")
    return Taken(tuple(wikis), tuple(left_out))


def _wanted(farm: FarmSection, known: Known) -> bool:
    """Whether the patterns and kinds want it; for a while, also if they wanted what it was."""
    id_, out = known.listed.id, set(farm.leave_out)
    if farm.only and not any(fnmatchcase(id_, pattern) for pattern in farm.only):
        return False
    if any(fnmatchcase(id_, pattern) for pattern in farm.without):
        return False
    formerly = known.formerly is not None and not out & known.formerly
    return formerly or not out & known.listed.kinds


def _was_first(known: Known, wanted: Collection[Known], configured: Collection[str]) -> bool:
    """Whether, of those that read alike, it alone was known first: mail that it signed is under way."""
    mine = _spelled(known.listed.id)
    if any(_spelled(id_) == mine for id_ in configured):
        return False
    others = [other for other in wanted if other is not known and _spelled(other.listed.id) == mine]
    return all(known.since < other.since for other in others)


def _elsewhere(farm: FarmSection, api: HttpUrl) -> str:
    """Why the password must not be sent to *api*; "" if it may. As it will be asked, not as it was listed:
    two readers of one URL may find two hosts in it."""
    host = api.host or ""
    if api.scheme not in ("https", farm.sitematrix.scheme):
        return f"its URL is {api.scheme}: the password would be sent in the clear"
    if not any(host == domain or host.endswith("." + domain) for domain in _domains(farm)):
        return f"{host} is in none of [farm] domains: the password is not sent there"
    return ""


def _domains(farm: FarmSection) -> Iterator[str]:
    if farm.domains:
        yield from farm.domains
        return
    host = farm.sitematrix.host or ""
    _, dot, parent = host.partition(".")
    ours = "." in parent and not _REGISTRY.fullmatch(parent)
    yield parent if dot and ours and not host.replace(".", "").isdigit() else host


def _section(farm: FarmSection, known: Known) -> WikiSection | str:
    """As an operator would have written it; or what is wrong with that."""
    url = known.listed.url.rstrip("/") + farm.api_path
    api = f"{farm.sitematrix.scheme}:{url}" if url.startswith("//") else url
    try:
        section = WikiSection(
            id=known.listed.id,
            api=api,
            adapter=Adapter(farm.adapter),
            account=farm.account,
            password_file=farm.password_file,
            oauth1_file=farm.oauth1_file,
            oauth2_token_file=farm.oauth2_token_file,
            central=farm.central,
            policy=farm.policy,
        )
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False, include_context=False)
        return f"{first['loc'][-1]}: {first['msg'].removeprefix('Value error, ')}"
    return section if not section.api else _elsewhere(farm, section.api) or section


def _spelled(id_: str) -> str:
    return verp.wire(id_).lower()
