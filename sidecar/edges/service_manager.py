"""What a service manager is told (sd_notify(3)): that we serve, reload, stop, are alive.

Knows the datagrams. Does not know who set the address, nor what serving means. Without an address it is mute.
"""

import asyncio
import socket
import time
from dataclasses import dataclass

import structlog

__all__ = ["ServiceManager"]

log = structlog.get_logger()


@dataclass(frozen=True)
class ServiceManager:
    """Telling never fails: a manager that does not listen must not stop the service."""

    address: str = ""  #: path of a socket; "@" begins an abstract one
    watchdog: float = 0.0  #: seconds within which it wants to hear from us; 0: it does not

    def tell(self, state: str) -> None:
        """As "READY=1"."""
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
                mouth.setblocking(False)
                mouth.sendto(state.encode(), address)
        except OSError as error:
            log.warning("the service manager does not hear", why=error.strerror or str(error))

    def reloading(self) -> None:
        """What is configured is being read again, until ``reloaded``."""
        self.tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def reloaded(self, status: str) -> None:
        """It serves as before; *status* is shown by `systemctl status`, "" clears it."""
        self.tell(f"READY=1\nSTATUS={status}")

    async def keep_alive(self) -> None:
        """For ever: it hears from us as long as the event loop turns."""
        while True:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog / 2)
