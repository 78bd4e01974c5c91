"""The doors: every listener of the daemon, opened as configured.

Knows which door asks whom. Does not know what is spoken at any of them. What brings a library for HTTP is
imported when its door is opened: most daemons have none, and it is a fifth of their memory.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sidecar.configuration.configured import Listen
from sidecar.edges import query_socket
from sidecar.edges.lmtp_server import Limits, LmtpServer
from sidecar.edges.metrics_server import MetricsServer
from sidecar.edges.passed_sockets import Kind, PassedSockets
from sidecar.edges.policy_service import PolicyService
from sidecar.edges.query_socket import QuerySocket
from sidecar.edges.unix_socket import BACKLOG, UnixSocket
from sidecar.edges.verp_socket import VerpSocket
from sidecar.services.intake import BounceIntake
from sidecar.services.readiness import Readiness
from sidecar.services.return_path import ReturnPaths
from sidecar.services.showing import Showing
from sidecar.services.watched import Watched
from sidecar.signing.signers import Signers
from sidecar.storage.database import Database
from sidecar.telemetry import Door, Metrics

__all__ = ["Needs", "open_doors", "open_issuing"]


@dataclass(frozen=True)
class Needs:
    """What some doors ask beside the intake, and what runs beside them."""

    metrics: Metrics
    clock: Callable[[], datetime]
    database: Database
    watched: Watched
    showing: Showing


async def open_doors(
    listen: Listen,
    passed: PassedSockets,
    return_paths: ReturnPaths,
    intake: BounceIntake,
    needs: Needs,
    life: contextlib.AsyncExitStack,
) -> None:
    """Each is closed when *life* ends. A socket that was *passed* is used, whatever its door's settings say.

    Raises CannotListen or WrongSocket.
    """
    _open_metrics(listen, needs.metrics, life)
    await _open_lmtp(listen, passed, intake, Door(needs.metrics, "lmtp"), life)
    await _open_http(listen, passed, intake, needs, life)
    await _open_dashboard(listen, needs, life)
    wikis, mtas = listen.verp_group, listen.mta_group
    taking, issuing = listen.takes, listen.issues
    policy, socketmap = (Door(needs.metrics, name) for name in ("policy", "socketmap"))
    signing = _signing(listen, return_paths, needs.metrics)
    asked: list[tuple[str, Path | None, str, QuerySocket | Signers]] = [
        ("policy", listen.policy if taking else None, mtas, PolicyService(return_paths, door=policy)),
        ("socketmap", listen.socketmap, mtas, VerpSocket(return_paths, ["bounce"], door=socketmap)),
        ("verp", listen.verp if issuing else None, wikis, signing),
    ]
    for name, path, group, server in asked:
        await _open_asked(passed, name, path, group, server, life)
    passed.check_taken()


async def open_issuing(
    listen: Listen,
    passed: PassedSockets,
    return_paths: ReturnPaths,
    metrics: Metrics,
    life: contextlib.AsyncExitStack,
) -> None:
    """The one door of a node that only issues return paths, and its metrics. Raises as ``open_doors``."""
    _open_metrics(listen, metrics, life)
    server = _signing(listen, return_paths, metrics)
    await _open_asked(passed, "verp", listen.verp, listen.verp_group, server, life)
    passed.check_taken()


def _open_metrics(listen: Listen, metrics: Metrics, life: contextlib.AsyncExitStack) -> None:
    if listen.metrics:
        server = MetricsServer(metrics.registry)
        life.push_async_callback(server.close)
        server.listen(*listen.metrics)


def _signing(listen: Listen, return_paths: ReturnPaths, metrics: Metrics) -> VerpSocket | Signers:
    """Who answers the wiki."""
    if listen.verp_processes:
        return Signers(listen.verp_processes, return_paths, metrics)
    return VerpSocket(return_paths, door=Door(metrics, "verp"))


async def _open_asked(
    passed: PassedSockets,
    name: str,
    path: Path | None,
    group: str,
    server: QuerySocket | Signers,
    life: contextlib.AsyncExitStack,
) -> None:
    if socket := _opened(passed, name, path, group, query_socket.BACKLOG):
        life.push_async_callback(server.close)
        await server.serve(socket)


async def _open_lmtp(
    listen: Listen, passed: PassedSockets, intake: BounceIntake, door: Door, life: contextlib.AsyncExitStack
) -> None:
    lmtp = LmtpServer(intake, limits=Limits(size=listen.max_mail_bytes), door=door)
    life.push_async_callback(lmtp.close)
    if unix := _opened(passed, "lmtp", listen.lmtp if listen.takes else None, listen.mta_group):
        await lmtp.serve_unix(unix)
    if tcp := passed.take("lmtp", Kind.TCP):
        await lmtp.serve_tcp(tcp)
    elif listen.lmtp_tcp:
        await lmtp.listen_tcp(*listen.lmtp_tcp)


async def _open_http(
    listen: Listen,
    passed: PassedSockets,
    intake: BounceIntake,
    needs: Needs,
    life: contextlib.AsyncExitStack,
) -> None:
    if http := listen.http:
        from sidecar.edges.http_door import DoorLimits, Friends, http_door
        from sidecar.edges.https_fetch import fetch

        why_not = Readiness(needs.database).why_not
        note = needs.watched.signed_elsewhere
        friends = Friends(intake, why_not, needs.clock, fetch, needs.metrics, note)
        limits = DoorLimits(listen.max_mail_bytes)
        door = http_door(friends, http.allow, http.token, http.topics, limits, takes=listen.takes)
        life.push_async_callback(door.close)
        if tcp := passed.take("http", Kind.TCP):
            await door.serve(tcp)
        else:
            await door.listen(*http.address)


async def _open_dashboard(listen: Listen, needs: Needs, life: contextlib.AsyncExitStack) -> None:
    if shown := listen.dashboard:
        from sidecar.edges.dashboard.door import dashboard

        counts = Door(needs.metrics, "dashboard")
        door = dashboard(shown.admission, needs.showing, needs.clock, counts)
        life.push_async_callback(door.close)
        await door.listen(*shown.address)


def _opened(
    passed: PassedSockets, name: str, path: Path | None, group: str, backlog: int = BACKLOG
) -> UnixSocket | None:
    """The Unix socket of a door: passed, or else made if it is wanted at all."""
    if listener := passed.take(name):
        return UnixSocket.passed(listener)
    return UnixSocket.open(path, group=group or None, backlog=backlog) if path else None
