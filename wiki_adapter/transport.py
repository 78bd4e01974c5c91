"""A requests session that is fit for a daemon, and one request on it that comes to an end.

Knows limits and HTTP statuses. Does not know what is asked. Foreign exceptions hold the request they failed
with, password and token included, so ours are raised outside of the ``except`` that caught them.
"""

from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import Cookie
from typing import Any, Protocol

import requests
from requests.cookies import RequestsCookieJar

from sidecar import __version__
from sidecar.domain.wiki import WikiError, WikiMisconfigured, WikiUnavailable

from . import WikiAccess
from .answers import from_exception, from_response
from .deadline import DeadlineAdapter

__all__ = ["Fields", "Transport", "furnish", "user_agent", "within"]

LONGEST_ANSWER = 1 << 20  # octets; ours have some hundreds
MOST_COOKIES = 50  # RFC 6265 section 6.1; MediaWiki sets fewer than ten
LONGEST_COOKIE = 4096  # octets of name and value; the same

Fields = Mapping[str, str | int]


class Transport(Protocol):
    """Brings one request to the wiki's api.php and its answer back."""

    def send(self, method: str, fields: Fields) -> object:
        """The JSON that was answered. Blocks; ends in time; raises WikiError and nothing else."""
        ...

    def forget(self) -> None:
        """The wiki shall not know us by a cookie any more."""
        ...

    def close(self) -> None:
        """Let the connection go; nothing is sent afterwards."""
        ...


def user_agent(access: WikiAccess) -> str:
    return f"bounce-sidecar/{__version__} ({access.contact})"


def furnish(session: requests.Session, access: WikiAccess) -> DeadlineAdapter:
    """Prepare a session; what it returns bounds each request."""
    deadline = DeadlineAdapter(access.answer_timeout)
    for scheme in ("http://", "https://"):
        session.mount(scheme, deadline)
    session.headers["Accept-Encoding"] = "identity"  # what comes is what it costs
    session.cookies = _Cookies()
    session.hooks["response"].append(_only_answers)
    return deadline


def within(deadline: DeadlineAdapter, send: Callable[[], object]) -> object:
    """What *send* returns if it does so in time. Raises WikiError and nothing else."""
    with deadline.running() as cut:
        try:
            return send()
        except Exception as error:
            trouble = from_exception(error)
    if cut.is_set():
        trouble = WikiUnavailable(f"no whole answer within {deadline.seconds:g} s")
    raise trouble


class _Cookies(RequestsCookieJar):
    """Of one wiki. What is too long or too many is not kept: each answer could bring more."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        if len(cookie.name) + len(cookie.value or "") > LONGEST_COOKIE:
            return
        super().set_cookie(cookie, *args, **kwargs)
        if len(self) > MOST_COOKIES:
            self.clear(cookie.domain, cookie.path, cookie.name)


class _Body:
    """What an answer may have of a body; *raw* is urllib3's."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self, amount: int, **_options: object) -> Iterator[bytes]:
        """As requests reads it. Raises WikiUnavailable when it becomes too long.

        By ``read``: urllib3's own ``stream`` takes the line before a chunk at any length.
        """
        length = 0
        while chunk := self._raw.read(amount, decode_content=False):
            length += len(chunk)
            if length > LONGEST_ANSWER:
                raise _too_long("more than 1 MiB")
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def _only_answers(response: requests.Response, **_options: object) -> None:
    """Called by requests before anything is read: raises unless the body holds the wiki's answer.

    So no redirect is followed: it would turn POST into GET, or carry the password elsewhere. And here the
    headers are at hand: a library would lose Retry-After, and repeat or log what it cannot use.
    """
    trouble = from_response(response.status_code, response.headers) or _unreadable(response.headers)
    if trouble:
        response.close()
        raise trouble
    response.raw = _Body(response.raw)


def _unreadable(headers: Mapping[str, str]) -> WikiError | None:
    """Why the body is not looked at, if it says so before."""
    length = headers.get("Content-Length", "")
    if length.isdigit() and int(length[:20]) > LONGEST_ANSWER:
        return _too_long(f"{length[:20]} octets")
    if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return WikiMisconfigured("it compresses its answers, though it is asked not to (Accept-Encoding)")
    return None


def _too_long(size: str) -> WikiUnavailable:
    return WikiUnavailable(f"an answer of {size} is none of MediaWiki's API")
