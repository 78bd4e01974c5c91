"""The doors: every listener of the daemon, opened as configured.

Knows which door asks whom. Does not know what is spoken at any of them.
"""

import contextlib

from sidecar.config import Listen
from sidecar.edges.lmtp_server import Limits, LmtpServer
from sidecar.edges.metrics_server import MetricsServer
from sidecar.edges.verp_socket import VerpSocket
from sidecar.services.intake import BounceIntake
from sidecar.services.return_path import ReturnPaths
from sidecar.telemetry import Metrics

__all__ = ["open_doors"]


async def open_doors(
    listen: Listen,
    return_paths: ReturnPaths,
    intake: BounceIntake,
    metrics: Metrics,
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
    verp_socket = VerpSocket(return_paths)
    life.push_async_callback(verp_socket.close)
    await verp_socket.listen(listen.verp, group=listen.verp_group or None)
