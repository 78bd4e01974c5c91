"""Where pages are made: templates with what all of them need.

Knows Jinja2, and how a time or a number is written for people. Does not know any page.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from sidecar import __version__
from sidecar.domain.harmless import harmless
from sidecar.edges.dashboard.ago import ago
from sidecar.edges.dashboard.seals import Seals
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.edges.replies import HttpReply
from sidecar.threads import Room

__all__ = ["ICON", "STYLE", "Desk"]

R = TypeVar("R")

_STATIC = files("sidecar.edges.dashboard") / "static"
STYLE, ICON = (_STATIC / "style.css").read_bytes(), (_STATIC / "icon.svg").read_bytes()
#: Part of their addresses: browsers may keep them until they change.
STATIC_NAME = hashlib.sha256(STYLE + ICON).hexdigest()[:12]


class Desk:
    """*base* is the path below which all pages are; *actions*, whether they may act."""

    def __init__(self, base: str, seals: Seals, *, actions: bool) -> None:
        self.base, self.actions, self._seals = base, actions, seals
        self._pages: Mapping[str, Page] = {}
        self._room = Room("dashboard")  # the event loop answers the mail server meanwhile
        self._templates = Environment(
            loader=PackageLoader("sidecar.edges.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_harmless,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"when": _when, "number": _number, "commands": _commands}
        self._templates.globals |= {
            "base": base, "actions": actions, "style": STATIC_NAME, "version": __version__,
        }  # fmt: skip

    def knows(self, pages: Mapping[str, Page]) -> None:
        """What the navigation lists."""
        self._pages = pages

    async def show(self, visit: Visit, template: str, *, status: int = 200, **values: Any) -> Shown:
        """The page that *template* makes of *values*. It has them, ``visit``, ``nav`` and ``form_token``."""
        nav = [(path, page.name) for path, page in self._pages.items() if page.name]
        bond = visit.visitor.bond if visit.visitor else ""
        known = {
            "visit": visit,
            "nav": nav if visit.visitor else [],
            "form_token": self._seals.form(bond, visit.now) if bond else "",
            **values,
        }
        made = await self.work(lambda: self._templates.get_template(template).render(known))
        return Shown(status, made.encode("utf-8", "replace"))

    async def say(self, visit: Visit, reply: HttpReply, headers: Mapping[str, str] | None = None) -> Shown:
        """*reply* as a page."""
        shown = await self.show(visit, "message.html", status=reply.status, words=reply.words)
        return replace(shown, headers=headers or {})

    def elsewhere(self, path: str, headers: Mapping[str, str] | None = None) -> Shown:
        """Send the browser to *path*, by GET."""
        return Shown(303, b"", headers={"Location": f"{self.base}{path}", **(headers or {})})

    def inside(self, to: str) -> str:
        """Where a login leads to: a page of ours, whatever was asked for."""
        path, _, query = to.partition("?")
        if path not in self._pages or not self._pages[path].name:
            return "/"
        return f"{path}?{quote(query, safe='=&%+')}" if query else path

    async def work(self, work: Callable[[], R]) -> R:
        """Run what takes some milliseconds beside the event loop."""
        return await self._room.run(work)

    def close(self) -> None:
        self._room.close()


def _harmless(value: object) -> object:
    """Whatever a page shows, before it is escaped: a mail may have said it."""
    return harmless(value, lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value


@pass_context
def _when(context: Context, time: datetime) -> Markup:
    """A time for people, with the exact one for programs and for the log."""
    now: datetime = context["visit"].now
    utc = time.astimezone(UTC)
    return Markup(
        '<time datetime="{}"><span class="ago">{}</span> <span class="at">{} UTC</span></time>'
    ).format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", ago(utc, now), f"{utc:%Y-%m-%d %H:%M}")


def _commands(words: str) -> Markup:
    """What stands in backticks is a command, or a name that is typed."""
    parts = words.split("`")
    marked = (
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
    return Markup("").join(marked)


def _number(number: int) -> str:
    """12 345 678, with spaces that do not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
