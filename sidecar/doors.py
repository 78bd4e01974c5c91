"""The doors: every listener of the daemon, opened as configured.

Knows which door asks whom. Does not know what is spoken at any of them.
"""

import contextlib
from collections.abc import Callable
from datetime import datetime

from sidecar.config import Listen
from sidecar.edges.http_door import DoorLimits, Friends, http_door
from sidecar.edges.https_fetch import fetch
from sidecar.edges.lmtp_server import Limits, LmtpServer
from sidecar.edges.metrics_server import MetricsServer
from sidecar.edges.verp_socket import VerpSocket
from sidecar.services.intake import BounceIntake
from sidecar.services.readiness import Readiness
from sidecar.services.return_path import ReturnPaths
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics

__all__ = ["open_doors"]


async def open_doors(
    listen: Listen,
    return_paths: ReturnPaths,
    intake: BounceIntake,
    metrics: Metrics,
    clock: Callable[[], datetime],
    database: Database,
    life: contextlib.AsyncExitStack,
) -> None:
    """Each is closed when *life* ends. Raises CannotListen."""
    if listen.metrics:
        server = MetricsServer(metrics.registry)
        life.push_async_callback(server.close)
        server.listen(*listen.metrics)
    lmtp = LmtpServer(intake, limits=Limits(size=listen.max_mail_bytes))
    life.push_async_callback(lmtp.close)
    await lmtp.listen_unix(listen.lmtp, group=listen.mta_group or None)
    if listen.lmtp_tcp:
        await lmtp.listen_tcp(*listen.lmtp_tcp)
    if http := listen.http:
        friends = Friends(intake, Readiness(database).why_not, clock, fetch, metrics)
        door = http_door(friends, http.allow, http.token, http.topics, DoorLimits(listen.max_mail_bytes))
        life.push_async_callback(door.close)
        await door.listen(*http.address)
    verp_socket = VerpSocket(return_paths)
    life.push_async_callback(verp_socket.close)
    await verp_socket.listen(listen.verp, group=listen.verp_group or None)
