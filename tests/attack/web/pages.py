"""Every page of the dashboard over a history in which all that strangers may say is hostile.

What must be, in a strict reader's eyes: valid HTML, no element and no attribute but those of the templates,
no address but our own, and nothing active in the text.
"""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import html5lib
import sqlalchemy as sa

from sidecar.domain.admission import Admission
from sidecar.domain.harmless import harmless
from sidecar.domain.wiki import Unconfirm, WikiUnavailable
from sidecar.services.circuit import Circuits, Pauses
from sidecar.storage import brakes, ledger, outbox
from sidecar.storage.outbox import Because
from tests.attack.tally import Tally, rounds
from tests.attack.web.payloads import PAYLOADS, mail
from tests.support.dashboard import T0, TOKEN, DashboardHouse
from tests.unit.storage.rows import bounce, notice

__all__ = ["ADMISSION", "campaign", "hostile_history", "pages", "problems"]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ADMISSION = Admission(TOKEN, b"k" * 32, ("127.0.0.0/8",), "X-Forwarded-User", True)
ELEMENTS = {
    "html", "head", "meta", "title", "link", "body", "header", "nav", "main", "section", "footer", "h1",
    "h2", "h3", "p", "a", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr",
    "th", "td", "form", "label", "input", "select", "option", "button", "details", "summary", "pre", "code",
    "strong", "em", "span", "time", "img", "picture", "source", "figure", "figcaption", "div", "fieldset",
    "legend",
}  # fmt: skip
PAGES = (
    "/",
    "/aside",
    "/aside/mail",
    "/outbox",
    "/brakes",
    "/wikis",
    "/rates",
    "/user",
    "/login",
    "/rates/providers.svg",
)
FORBIDDEN = ("style", "srcdoc", "http-equiv")
PICTURES = ("/rates/providers.svg", "/rates/failures.svg")
ADDRESSES = ("href", "src", "action", "formaction", "data", "srcset", "poster", "background")


def hostile_history(connection: sa.Connection, chance: random.Random, number: int) -> None:
    """One row of each kind that words of strangers end in."""
    bad = [chance.choice(PAYLOADS) for _ in range(12)]
    at = T0 - DAY + timedelta(seconds=number)
    said_to = bad[2].encode(errors="surrogatepass").decode(errors="surrogateescape")  # octets, as they come
    aside = replace(
        notice(10_000 + number, at, aside=bad[0]), raw=mail(chance), domain=bad[1], return_path=said_to
    )
    ledger.append(connection, aside)
    booked = ledger.append(connection, notice(20_000 + number, at))
    assert booked is not None
    said = replace(
        bounce(at, user_id=7 + number), words=bad[3], domain=bad[4], rule=bad[5], tag=f"{number:06x}"
    )
    ledger.book(connection, booked, said)
    [[newest]] = connection.execute(sa.text("SELECT max(id) FROM bounce"))
    outbox.enqueue(connection, Unconfirm("enwiki", 7 + number, at, bad[6]), Because([newest], bad[7]), at)
    if not number:
        brakes.trip(connection, bad[8], "", bad[9], at, since=at, hold_from=None)
    Circuits(Pauses()).failed(connection, "enwiki", "bot", WikiUnavailable(bad[10]), T0 - HOUR)


def pages(number: int, chance: random.Random) -> Iterator[str]:
    """Their addresses, with words of strangers in the queries."""
    bad = quote(chance.choice(PAYLOADS).encode(errors="replace"), safe="")
    yield from (
        "/",
        "/aside",
        "/outbox",
        "/outbox?list=held",
        "/outbox?list=done",
        "/brakes",
        "/wikis",
        "/rates",
    )
    yield from (f"/user?wiki=enwiki&user={7 + number}", f"/aside/mail?id={2 * number + 1}")
    yield from (
        f"/user?wiki={bad}&user={bad}",
        f"/outbox?list={bad}&before={bad}",
        f"/rates?wiki={bad}&days={bad}",
    )
    yield from (f"/login?to={bad}", f"/{bad}", f"/wikis?{bad}={bad}", *PICTURES)


def problems(text: str) -> list[str]:
    """What a strict reader finds in a page that no template has put there."""
    try:
        root: ElementTree.Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    except Exception as error:
        return [f"no HTML: {error}"]
    found = [f"active: {one!r}" for one in set(text) if harmless(one, lines=True) != one]
    for one in root.iter():
        if not isinstance(one.tag, str) or one.tag not in ELEMENTS:
            found.append(f"element {one.tag}")
            continue
        found += [f"attribute {name}" for name in one.attrib if name.startswith("on") or name in FORBIDDEN]
        found += [f"{name}={one.attrib[name]}" for name in ADDRESSES if _leads_away(one.attrib.get(name, ""))]
    return found


def _leads_away(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.scheme or parts.netloc) or address.startswith(("//", "\\"))


def _looked(text: str, kind: str) -> list[str]:
    if kind.startswith("text/html") and text:
        return problems(text)
    if not kind.startswith("image/svg"):
        return []  # text
    drawn = list(ElementTree.fromstring(text).iter())
    tags = {one.tag.rpartition("}")[2] for one in drawn}
    leads = [name for one in drawn for name in one.attrib if name.endswith("href") or name.startswith("on")]
    return [f"element {tag}" for tag in tags & {"script", "foreignObject", "a", "image", "use"}] + leads


@asynccontextmanager
async def _house() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        house = await DashboardHouse(Path(folder), ADMISSION).open()
        try:
            yield house
        finally:
            await house.close()


def campaign(seed: int, seconds: float) -> Tally:
    return asyncio.run(_campaign(seed, seconds))


async def _campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    async with _house() as house:
        for number, chance in enumerate(rounds(seed, seconds)):
            await house.database.write(lambda c, n=number, by=chance: hostile_history(c, by, n))
            for path in pages(number, chance):
                await _look(house, path, chance, tally)
    return tally


async def _look(house: DashboardHouse, path: str, chance: random.Random, tally: Tally) -> None:
    name = harmless(chance.choice(PAYLOADS))[:80]
    user = name.encode(errors="replace").decode("latin-1")
    said = await house.ask(path, headers={"X-Forwarded-User": user})
    for one in _looked(said.text, said.headers.get("Content-Type", "")):
        tally.wrong(f"{path[:100]}: {one}", said.text.encode(errors="replace"))
    if said.status >= 500 or "Set-Cookie" in said.headers:
        tally.wrong(f"{path[:100]}: status {said.status}", said.text.encode(errors="replace"))
    page = path.partition("?")[0]
    tally.count(page if page in PAGES else "an unknown page")
