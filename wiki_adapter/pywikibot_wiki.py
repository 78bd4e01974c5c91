"""One wiki by way of pywikibot, with a bot password: for families and farms of wikis, which it knows by name.

Knows pywikibot, and keeps it harmless in a daemon. Does not know what is asked (conversation.py).

From pywikibot come where a wiki is and the HTTP to it. Its own request loop, throttles, retries and logins
are not used: they sleep, prompt on the terminal for a password or want it in a file, and a read-only wiki
looks to them like one that is down. So a lost session is renewed as everywhere, and the contract is the same.

pywikibot has one session, one cookie jar and one configuration for the whole process, and belongs to one
thread at a time. Hence ONE request of all wikis that use it at any moment, whatever threads they are called
from: a lock around each, in which pywikibot's session is the wiki's own. Wikis never share a cookie. While
one hangs, the others wait for their turn as long as for an octet of an answer, and are unavailable then.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from sidecar.domain import sitematrix
from sidecar.domain.access import BotPassword, DatabaseName, FamilySite
from sidecar.domain.wiki import WikiMisconfigured, WikiUnavailable

from . import WikiAccess
from .caller import Sleep
from .codes import Passing
from .conversation import Conversation
from .transport import Fields, furnish, user_agent, within

if TYPE_CHECKING:
    from pywikibot.site import BaseSite

__all__ = ["PywikibotTransport", "PywikibotWiki"]

_alone = threading.Lock()  # whoever has it has pywikibot


class PywikibotTransport:
    """Requests by pywikibot; its session is ours for as long as one takes."""

    def __init__(self, access: WikiAccess) -> None:
        self._access = access
        self.session = requests.Session()
        self._deadline = furnish(self.session, access)
        self._site: BaseSite | None = None

    def send(self, method: str, fields: Fields) -> object:
        """One request. Waits for those of other wikis. Raises WikiError and nothing else."""
        with _pywikibot(self.session, self._access):
            return within(self._deadline, lambda: self._fetch(method, fields))

    def forget(self) -> None:
        self.session.cookies.clear()

    def close(self) -> None:
        self.session.close()

    def _fetch(self, method: str, fields: Fields) -> object:
        site = self._site = self._site or self._found()
        return self._ask(site, method, fields)

    def _ask(self, site: "BaseSite", method: str, fields: Fields) -> object:
        from pywikibot.comms import http

        answer = http.fetch(
            site.base_url(site.apipath()),
            method,
            use_fake_user_agent=user_agent(self._access),  # "fake": taken as it is
            default_error_handling=False,  # which loses what went wrong
            stream=True,  # else what cannot be decoded is printed
            verify=site.verify_SSL_certificate(),
            allow_redirects=False,
            **{"params" if method == "GET" else "data": dict(fields)},
        )
        if isinstance(answer, Exception):
            raise answer
        return answer.json()

    def _found(self) -> "BaseSite":
        """Where the wiki is. Raises WikiMisconfigured and pywikibot's errors.

        A BaseSite knows enough; an APISite would ask the wiki who it is as soon as it is made.
        """
        from pywikibot.site import BaseSite

        match self._access.farm:
            case FamilySite(family, code):
                return BaseSite(code, family)
            case DatabaseName(name):
                return BaseSite("wiki", _family(self._api_of(name)))
        return BaseSite("wiki", _family(self._access.api_url))

    def _api_of(self, database: str) -> str:
        """By Wikimedia's sitematrix. Not APISite.fromDBName: that makes five requests, and prints."""
        from pywikibot.site import BaseSite

        answer = self._ask(BaseSite("meta", "meta"), "GET", sitematrix.PARAMETERS)
        try:
            listed = sitematrix.read(answer)
        except sitematrix.NotAMatrix:
            listed = []
        if not listed:
            raise Passing("Wikimedia's sitematrix did not answer as it does")
        for wiki in listed:
            if wiki.id == database and wiki.url.startswith("https://"):  # the password goes there
                return f"{wiki.url}/w/api.php"
        raise WikiMisconfigured(
            f"Wikimedia's sitematrix has no database {database} at an https URL: check id, or set api"
        )


class PywikibotWiki(Conversation):
    """A wiki with the companion extension."""

    def __init__(self, access: WikiAccess, *, sleep: Sleep | None = None) -> None:
        if not isinstance(access.credentials, BotPassword):
            raise TypeError("by pywikibot only with a bot password")
        super().__init__(PywikibotTransport(access), access.credentials, sleep)


@contextmanager
def _pywikibot(session: requests.Session, access: WikiAccess) -> Iterator[None]:
    """pywikibot is this wiki's, and nobody else's, until the context ends. Raises WikiUnavailable."""
    if not _alone.acquire(timeout=access.read_timeout):
        raise WikiUnavailable(f"pywikibot was busy with other wikis for {access.read_timeout:g} s")
    try:
        _imported()
        from pywikibot import config
        from pywikibot.comms import http

        http.session = session
        config.socket_timeout = (access.connect_timeout, access.read_timeout)
        yield
    finally:
        _alone.release()


@cache
def _imported() -> tempfile.TemporaryDirectory[str]:
    """Import pywikibot, once, with nobody's settings but ours. The folder goes when the process ends.

    Without a user-config.py in its folder, it would execute one in the working directory.
    """
    folder = tempfile.TemporaryDirectory(prefix="bounce-sidecar-pywikibot-")  # 0700
    (Path(folder.name) / "user-config.py").touch(0o600)
    os.environ.update(PYWIKIBOT_DIR=folder.name, PYWIKIBOT_NO_USER_CONFIG="2")
    with _no_arguments():
        from pywikibot import config
    if Path(config.base_dir) != Path(folder.name):
        raise WikiUnavailable("pywikibot was imported before, with settings that are not ours")
    for name in ("put_throttle", "minthrottle", "maxthrottle", "max_retries", "retry_wait", "retry_max"):
        setattr(config, name, 0)
    return folder


@contextmanager
def _no_arguments() -> Iterator[None]:
    """pywikibot reads -dir: and -config: from whatever program it is imported into."""
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        yield
    finally:
        sys.argv = arguments


def _family(api_url: str) -> Any:
    """A family of one wiki, told and not guessed: AutoFamily asks the wiki, and believes any answer."""
    from pywikibot.family import SingleSiteFamily

    url = urlsplit(api_url)

    class Family(SingleSiteFamily):  # type: ignore[misc]  # pywikibot has no types
        name = "wiki"
        domain = url.netloc

        def protocol(self, code: str) -> str:
            return url.scheme

        def scriptpath(self, code: str) -> str:
            return url.path.rpartition("/")[0]

    return Family()
