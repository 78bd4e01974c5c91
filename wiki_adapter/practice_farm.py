"""A practice farm: many practice wikis behind one port, each under a path of its own, and their sitematrix.

Knows which wikis there are and how SiteMatrix lists them (the extension's ApiSiteMatrix.php: languages by
number, "specials" by name, a flag only where it is true). Each wiki is a practice_site.py, made when it is
first asked for, with the contract of a single one.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

from .practice_http import PracticeServer, Reply, Request, page
from .practice_site import ACCOUNT, PASSWORD, PATH, PracticeSite

__all__ = ["PracticeFarm"]


class PracticeFarm:
    """Serves from construction until ``close``; safe from every thread."""

    def __init__(self, names: Iterable[str], account: str = ACCOUNT, password: str = PASSWORD) -> None:
        self.names = list(names)
        self.account, self.password = account, password
        self.flags: dict[str, set[str]] = {}  #: closed, private, fishbowl, nonglobal
        self.specials: set[str] = set()  #: names that are of no language
        self.matrix_says: Reply | None = None  #: instead of the matrix
        self.matrix_asked = 0  #: how often
        self.matrix_gate = threading.Event()  #: cleared by who wants the matrix to keep others waiting
        self.matrix_gate.set()
        self._sites: dict[str, PracticeSite] = {}
        self._making = threading.Lock()
        self.server = PracticeServer(self.answer)
        self.matrix_url = self.server.url + PATH

    def close(self) -> None:
        """No more answers; the port is free again."""
        self.matrix_gate.set()
        for site in list(self._sites.values()):
            site.close()
        self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def url(self, name: str) -> str:
        """As the matrix lists it."""
        return f"{self.server.url}/{name}"

    def api_url(self, name: str) -> str:
        return self.url(name) + PATH

    def site(self, name: str) -> PracticeSite:
        """One of the wikis. Raises KeyError for a name that is none."""
        with self._making:
            if name not in self._sites:
                if name not in self.names:
                    raise KeyError(name)
                self._sites[name] = PracticeSite(self.account, self.password)
            return self._sites[name]

    def answer(self, request: Request) -> Reply:
        """The response to one request."""
        if request.path == PATH:
            return self._central(request)
        _, name, *rest = request.path.split("/")
        try:
            site = self.site(name)
        except KeyError:
            return page(404, "Not Found")
        return site.answer(replace(request, path="/" + "/".join(rest)))

    def _central(self, request: Request) -> Reply:
        if request.parameters.get("action") != "sitematrix":
            return page(404, "Not Found")
        self.matrix_asked += 1
        self.matrix_gate.wait()
        return self.matrix_says or Reply(json.dumps({"sitematrix": self._matrix()}))

    def _matrix(self) -> dict[str, Any]:
        listed = [self._listed(name) for name in self.names if name not in self.specials]
        specials = [self._listed(name) for name in self.names if name in self.specials]
        return {"count": len(self.names), "0": {"code": "en", "site": listed}, "specials": specials}

    def _listed(self, name: str) -> dict[str, Any]:
        return {"url": self.url(name), "dbname": name, "code": name} | dict.fromkeys(
            self.flags.get(name, ()), True
        )
