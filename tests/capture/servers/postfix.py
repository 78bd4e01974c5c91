"""Postfix.

Knows the settings that make it give up in seconds. Does not know the cases.
"""

from pathlib import Path

from tests.capture.unpacked import UnpackedServer
from tests.capture.world import BOUNCES, LIFETIME, WARNING
from tests.support import postfix

__all__ = ["Postfix"]


class Postfix(UnpackedServer):
    name = "postfix"

    @classmethod
    def install(cls) -> Path:
        return postfix.install()

    def configured(self, folder: Path, socket: Path) -> postfix.Postfix:
        server = postfix.Postfix(self.install(), folder)
        server.configure(
            {BOUNCES: f"lmtp:unix:{socket}"},
            default_transport="smtp",
            maximal_queue_lifetime=f"{LIFETIME}s",
            delay_warning_time=f"{WARNING}s",
            smtp_connect_timeout="2s",
            smtp_rcpt_timeout="2s",
        )
        return server
