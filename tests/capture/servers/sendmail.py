"""sendmail.

Knows its macros, from which sendmail.cf is made. Does not know the cases.
"""

from tests.capture.debian import SMTP, DebianServer
from tests.capture.outgoing import HOST
from tests.capture.world import LIFETIME, WARNING
from tests.support.process_group import greets

__all__ = ["Sendmail"]

MACROS = f"""
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
undefine(`ALIAS_FILE')dnl
define(`confDOMAIN_NAME', `{HOST}')dnl
define(`confTO_QUEUERETURN', `{LIFETIME}s')dnl
define(`confTO_QUEUEWARN', `{WARNING}s')dnl
define(`confTO_CONNECT', `2s')dnl
define(`confTO_ICONNECT', `2s')dnl
define(`confTO_RCPT', `2s')dnl
define(`confTO_RESOLVER_RETRANS', `1s')dnl
define(`confTO_RESOLVER_RETRY', `1')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port={SMTP}')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class Sendmail(DebianServer):
    packages = ("sendmail-bin", "sendmail-cf", "m4")

    def start(self) -> None:
        self.write("/etc/mail/capture.mc", MACROS)
        self.host.run("sh", "-euc", "m4 /etc/mail/capture.mc > /etc/mail/sendmail.cf")
        greets(SMTP, self.host.start("/usr/libexec/sendmail/sendmail", "-bD", "-q1s"), "sendmail")
