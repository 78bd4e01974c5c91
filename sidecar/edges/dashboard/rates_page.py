"""What each day brought: a page of charts, each with its numbers, and the charts themselves.

Knows what may be chosen. Does not know how a chart is drawn, nor where the numbers come from.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from sidecar.edges.charts import PAGE, PHONE, Frame, bars
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.headers import SVG
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.daily import Daily, Look, daily
from sidecar.services.showing import Showing

__all__ = ["Chosen", "rates_pages"]

PERIODS = (7, 30, 90)  # days
USUAL = 90

#: The title of each chart, and what it shows.
TITLES = {
    Look.FAILURES: ("Bounces", "hard ones count against an address, soft ones do not"),
    Look.ACTIONS: ("What was done", 'by the wiki\'s answer; "shadow" is what would have been done'),
    Look.CATEGORIES: ("Bounces by category", "what was wrong"),
    Look.PROVIDERS: ("Bounces by provider", "who runs the recipients' mail; of all wikis together"),
}


@dataclass(frozen=True)
class Chosen:
    """What somebody wants to see."""

    days: int
    wiki: str  #: "" for all

    @classmethod
    def by(cls, visit: Visit, wikis: Collection[str]) -> "Chosen":
        """What makes no sense is the usual."""
        days, wiki = visit.query.get("days", ""), visit.query.get("wiki", "")
        known = {str(one): one for one in PERIODS}
        return cls(known.get(days, USUAL), wiki if wiki in wikis else "")

    @property
    def query(self) -> str:
        """As it stands in an address."""
        return urlencode({"days": self.days, **({"wiki": self.wiki} if self.wiki else {})})


class _Rates:
    def __init__(self, desk: Desk, showing: Showing) -> None:
        self._desk, self._showing = desk, showing

    async def page(self, visit: Visit) -> Shown:
        wikis = sorted(self._showing.policies)
        chosen = Chosen.by(visit, wikis)
        found = await self._daily(Look, chosen, visit.now.date())
        return await self._desk.show(
            visit, "rates.html", chosen=chosen, periods=PERIODS, wikis=wikis, found=found, titles=TITLES
        )

    async def chart(self, visit: Visit) -> Shown:
        """The address ends with what is looked at."""
        look = Look(visit.path.removeprefix("/rates/").removesuffix(".svg"))
        chosen = Chosen.by(visit, self._showing.policies)
        [found] = await self._daily([look], chosen, visit.now.date())
        frame = PHONE if "narrow" in visit.query else PAGE
        drawn = await self._desk.work(lambda: _drawn(found, frame))
        return Shown(200, drawn.encode(), "image/svg+xml", {"Content-Security-Policy": SVG})

    async def _daily(self, looks: Iterable[Look], chosen: Chosen, today: date) -> list[Daily]:
        return await self._showing.look(
            lambda connection: [daily(connection, look, today, chosen.days, chosen.wiki) for look in looks]
        )


def _drawn(found: Daily, frame: Frame) -> str:
    span = f"{found.days[0]} to {found.days[-1]}"
    return bars(
        f"{TITLES[found.look][0]}, {span}",
        f"In all, {', '.join(f'{one.name}: {one.total:,}' for one in found.series) or 'none'}.",
        [f"{day.day} {day:%b}" for day in found.days],
        {one.name: one.numbers for one in found.series},
        frame,
    )


def rates_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """The page, and an address for each of its charts."""
    rates = _Rates(desk, showing)
    charts = {f"/rates/{look}.svg": Page(rates.chart) for look in Look}
    return {"/rates": Page(rates.page, name="Rates"), **charts}
