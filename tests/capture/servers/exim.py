"""Exim, which also answers for somebody who is away.

Knows the settings that make it give up in seconds. Does not know the cases.
"""

from pathlib import Path

from tests.capture.unpacked import UnpackedServer
from tests.capture.world import BOUNCES, LIFETIME, WARNING
from tests.support import exim

__all__ = ["Exim"]

AWAY = r"""
away:
  driver = redirect
  domains = people.example
  allow_filter
  user = mail
  reply_transport = autoreply
  data = #Exim filter\n\
    mail to \$sender_address from \$local_part@\$domain\n\
    subject "Out of office: \$h_subject:"\n\
    text "I am away until Monday and read your mail then."
"""


class Exim(UnpackedServer):
    name = "exim"

    @classmethod
    def install(cls) -> Path:
        return exim.install()

    def configured(self, folder: Path, socket: Path) -> exim.Exim:
        server = exim.Exim(self.install(), folder)
        server.configure(
            BOUNCES,
            socket,
            main=f"delay_warning = {WARNING}s\ndsn_advertise_hosts = *\ndns_retrans = 1s\ndns_retry = 1",
            routers=AWAY,
            transports="autoreply:\n  driver = autoreply\n",
            retry=f"*  *  F,{LIFETIME}s,1s",
        )
        return server
