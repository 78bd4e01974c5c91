"""A node that only issues return paths: one door, no database, and another node that may be told.

Knows what such a node is made of. Does not know signals or the clock.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime

import structlog

from sidecar.configuration.configured import Config
from sidecar.doors import open_issuing
from sidecar.edges.notes_client import NotesClient
from sidecar.edges.passed_sockets import PassedSockets
from sidecar.loops import Loop, loop
from sidecar.orders import level_of
from sidecar.services.notes import Notes
from sidecar.services.reload import Orders
from sidecar.services.return_path import ReturnPaths
from sidecar.telemetry import Metrics

__all__ = ["Issuing"]

log = structlog.get_logger()


class Issuing:
    """Signs by what *config* says, until it is told otherwise."""

    def __init__(self, config: Config, clock: Callable[[], datetime], metrics: Metrics) -> None:
        node = config.node
        self._listen, self._metrics = config.listen, metrics
        self._notes = (
            Notes(NotesClient(node.notes_to, node.notes_token).tell, metrics) if node.notes_to else None
        )
        watched = self._notes.signed if self._notes else None
        self.return_paths = ReturnPaths(config.verp, clock, metrics, watched=watched)
        self._level, self._wikis = level_of(config), metrics.wikis
        self._wikis.set(len(config.wikis))

    async def open_door(self, sockets: PassedSockets, life: contextlib.AsyncExitStack) -> None:
        """Closed when *life* ends. Raises CannotListen or WrongSocket."""
        await open_issuing(self._listen, sockets, self.return_paths, self._metrics, life)

    def use(self, orders: Orders) -> None:
        """Sign by these from now on, and log what they say."""
        self.return_paths.use(orders.verp)
        self._wikis.set(len(orders.wikis.ways))
        self._level(orders)

    def loops(self) -> Iterator[Loop]:
        """What runs beside."""
        if self._notes:
            yield loop("notes", self._notes.run, self._notes.stop)
        else:
            log.warning("proofs of arrival are missing", why="no [node] notes_to; see operating.md")
