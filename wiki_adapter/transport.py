"""A requests session that is fit for a daemon, and one request on it that comes to an end.

Knows limits and HTTP statuses. Does not know what is asked. Foreign exceptions hold the request they failed
with, password and token included, so ours are raised outside of the ``except`` that caught them.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import requests

from sidecar import __version__
from sidecar.domain.wiki import WikiUnavailable

from . import WikiAccess
from .answers import from_exception, from_response
from .deadline import DeadlineAdapter

__all__ = ["Fields", "Transport", "furnish", "user_agent", "within"]

LONGEST_ANSWER = 1 << 20  # octets; ours have some hundreds

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


def _only_answers(response: requests.Response, **_options: object) -> None:
    """Called by requests before anything is read: raises unless the body holds the wiki's answer.

    So no redirect is followed: it would turn POST into GET, or carry the password elsewhere. And here the
    headers are at hand: a library would lose Retry-After, and repeat or log what it cannot use.
    """
    trouble = from_response(response.status_code, response.headers)
    length = response.headers.get("Content-Length", "")
    if trouble is None and length.isdigit() and int(length) > LONGEST_ANSWER:
        trouble = WikiUnavailable(f"an answer of {length} octets is none of MediaWiki's API")
    if trouble:
        response.close()
        raise trouble
