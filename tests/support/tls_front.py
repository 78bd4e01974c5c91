"""A web server in front of another that speaks no TLS, with whatever certificate the test gives it.

Knows TLS and how to pass octets on. Does not know HTTP.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path

from tests.support.loop_thread import LoopThread
from tests.support.places import free_port

__all__ = ["TlsFront"]

MOST = 1 << 16  # octets that are passed on at once


class TlsFront:
    """https on ``port``, for what answers by http at *behind*, from ``show`` to ``stop``."""

    def __init__(self, behind: int) -> None:
        self.port, self._behind = free_port(), behind
        self._thread: LoopThread | None = None

    def show(self, certificate: Path) -> None:
        """This one from now on; connections that were made with another are cut."""
        self.stop()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._thread = LoopThread("tls-front")
        self._thread.serve(asyncio.start_server(self._pass_on, "127.0.0.1", self.port, ssl=context))

    def stop(self) -> None:
        """Repeatable."""
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            behind, to_it = await asyncio.open_connection("127.0.0.1", self._behind)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pour(reader, to_it))
                    both.create_task(_pour(behind, writer))
            finally:
                writer.close()
                to_it.close()


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the source ends; then the sink is closed, which ends the other way, too."""
    try:
        while octets := await source.read(MOST):
            sink.write(octets)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()
