"""The HTTP door's endpoints, by path.

Knows which endpoint is whose, who may come in there and how much may be sent. Does not know what they do.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from sidecar.domain.send import Send
from sidecar.edges.delivery import Deliveries
from sidecar.edges.http_bounces import DropIn, RawMail, as_bouncehandler
from sidecar.edges.http_events import Events
from sidecar.edges.http_gate import Doorman
from sidecar.edges.http_health import Health
from sidecar.edges.http_listener import HttpLimits
from sidecar.edges.http_sends import Sends
from sidecar.edges.http_server import HttpServer
from sidecar.edges.http_sns import SnsEndpoint
from sidecar.edges.http_talk import Gate, Route
from sidecar.services.receipt import Intake
from sidecar.telemetry import Door, Metrics

__all__ = ["DoorLimits", "Friends", "http_door"]

LOOK = ("GET", "HEAD")
MBOX_LINE = 1024  # octets before a mail, RFC 5322 section 2.1.1 allows 998 a line
FORM = 64 * 1024  # octets of a form beside the mail, which may have three times its size
JSON = 2**20  # octets of events; an SNS message has 256 KiB, and its JSON may double that


@dataclass(frozen=True)
class DoorLimits:
    """What is at work at once, and how long anybody waits for it."""

    size: int  #: octets of a mail
    unfinished: int = 200  #: mails with the intake, those included for which nobody waits any more
    patience: float = 60.0  #: seconds for a mail; a client that waits less gives up by itself
    server: HttpLimits = field(default_factory=HttpLimits)


@dataclass(frozen=True)
class Friends:
    """Whom the endpoints ask."""

    intake: Intake
    why_not: Callable[[], Awaitable[str]]  #: why nothing can be booked now, "" if it can
    clock: Callable[[], datetime]
    fetch: Callable[[str], Awaitable[bytes]]  #: a file of Amazon's; raises CannotFetch
    metrics: Metrics
    note: Callable[[Send], None]  #: another node has signed a mail


def http_door(
    friends: Friends,
    allow: tuple[str, ...],
    token: str,
    topics: tuple[str, ...],
    limits: DoorLimits,
    *,
    takes: bool = True,
) -> HttpServer:
    """Not yet listening. On a node that *takes* no bounces, only for whoever watches it."""
    door = Door(friends.metrics, "http")
    deliveries = Deliveries(friends.intake, unfinished=limits.unfinished, door=door)
    health = Health(friends.why_not)
    routes = {
        "/healthz": Route(health.alive, LOOK, gate=None),
        "/readyz": Route(health.ready, LOOK, gate=None),
    }
    if takes:
        routes |= _ways_in(friends, topics, deliveries, limits)
    return HttpServer(routes, Doorman(allow, token), deliveries, limits.server, door)


def _ways_in(
    friends: Friends, topics: tuple[str, ...], deliveries: Deliveries, limits: DoorLimits
) -> dict[str, Route]:
    intake, patience = friends.intake, limits.patience
    raw = RawMail(intake, deliveries, patience, limits.size)
    drop_in = Route(
        DropIn(intake, deliveries, patience, limits.size).handle,
        gate=Gate(proxied=False),
        limit=3 * limits.size + FORM,
        dress=as_bouncehandler,
    )
    sns = SnsEndpoint(intake, deliveries, topics, friends.clock, friends.fetch, friends.metrics)
    return {
        "/bounces": Route(raw.handle, gate=Gate(token=True), limit=limits.size + MBOX_LINE, early=raw.early),
        "/events": Route(Events(intake, deliveries, patience).handle, gate=Gate(token=True), limit=JSON),
        "/sends": Route(Sends(friends.note).handle, gate=Gate(token=True), limit=JSON),
        "/w/api.php": drop_in,
        "/api.php": drop_in,
        "/sns": Route(sns.handle, gate=None, limit=JSON),
    }
