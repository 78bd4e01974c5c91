"""Courier.

Knows its folder of settings. Does not know the cases.
"""

from tests.capture.debian import DebianServer
from tests.capture.outgoing import HOST, Outgoing
from tests.capture.world import LIFETIME, WARNING

__all__ = ["Courier"]

SETTINGS = {
    "me": HOST,
    "defaultdomain": HOST,
    "dsnfrom": f"mailer-daemon@{HOST}",
    "locals": HOST,
    "queuetime": f"{LIFETIME}s",
    "warntime": f"{WARNING}s",
    "retryalpha": "1s",
    "retrybeta": "1",
    "retrygamma": "1s",
    "retrymaxdelta": "1",
    "esmtptimeout": "2s",
    "esmtptimeoutconnect": "2s",
    "esmtptimeouthelo": "2s",
    "esmtptimeoutquit": "1s",
    "esmtpdelay": "0",
}


class Courier(DebianServer):
    packages = ("courier-mta",)

    def start(self) -> None:
        for name, value in SETTINGS.items():
            self.write(f"/etc/courier/{name}", value + "\n")
        self.host.run("/etc/init.d/courier", "start")

    def send(self, mail: Outgoing) -> None:
        notify = ["-N", mail.notify.lower()] if mail.notify else []
        self.host.run("sendmail", "-f", mail.sender, *notify, mail.recipient, stdin=mail.text)
