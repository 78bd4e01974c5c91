"""A real Postfix on a port of its own, started as root, working as an account that every Debian has.

Knows Debian's packages, main.cf and master.cf, queues and logs. Does not know what is sent through it.
The wiki and the tests submit by SMTP to its port; routes say where mail goes from there.
"""

import grp
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.debs import unpacked
from tests.support.mail_server import MailServer

__all__ = ["COMMANDS", "Postfix", "install"]

HOST = "wiki.example.org"

# Accounts of every Debian that own no process there: Postfix's own would have to be created first.
OWNER, SETGID_GROUP = "uucp", "news"
COMMANDS = "nobody"  # who runs commands: Postfix asks for neither its own account nor root

PATIENCE = 30.0  # seconds for one of Postfix's commands

#: The queue's folders: for Postfix alone, and with the mode of those that the set-gid group may use.
PRIVATE = "active bounce corrupt defer deferred flush hold incoming private saved trace"
SHARED = {"maildrop": 0o730, "public": 0o710}

#: A mail that could not be delivered is tried again after two seconds or three instead of five minutes. After
#: one, the queue manager may find that delivery's lock still held, and then waits for minutes.
HASTE = {
    "in_flow_delay": "0",
    "queue_run_delay": "1s",
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "3s",
    "transport_retry_time": "2s",
}

#: service, type, private, wakeup, process limit, command: Debian's master.cf, nothing in a chroot.
SERVICES = """
pickup     unix        n  60     1  pickup
cleanup    unix        n  -      0  cleanup
qmgr       unix        n  300    1  qmgr
tlsmgr     unix        -  1000?  1  tlsmgr
rewrite    unix        -  -      -  trivial-rewrite
bounce     unix        -  -      0  bounce
defer      unix        -  -      0  bounce
trace      unix        -  -      0  bounce
verify     unix        -  -      1  verify
flush      unix        n  1000?  0  flush
proxymap   unix        -  -      -  proxymap
proxywrite unix        -  -      1  proxymap
smtp       unix        -  -      -  smtp
relay      unix        -  -      -  smtp
showq      unix        n  -      -  showq
error      unix        -  -      -  error
retry      unix        -  -      -  error
discard    unix        -  -      -  discard
lmtp       unix        -  -      -  lmtp
anvil      unix        -  -      1  anvil
scache     unix        -  -      1  scache
postlog    unix-dgram  n  -      1  postlogd
"""


def install() -> Path:
    """The folder that Debian's Postfix is unpacked in. Seconds the first time; raises DownloadFailed."""
    programs = ["usr/lib/postfix/*.so", "usr/lib/postfix/sbin/*", "usr/sbin/*"]
    return unpacked("postfix", ["postfix"], programs)


class Postfix(MailServer):
    """Configure, start, stop, and again. *folder* must be short: Unix socket paths end at 107 bytes."""

    def __init__(self, prefix: Path, folder: Path) -> None:
        super().__init__(folder)
        self._prefix = prefix
        self._etc, self._spool, self._log = folder / "etc", folder / "spool", folder / "mail.log"

    def configure(
        self, routes: Mapping[str, str], *, services: str = "", chroot: bool = False, **settings: str
    ) -> None:
        """Write everything anew; a running Postfix takes it after reload().

        *routes* is the transport table, as {"bounces.example.org": "lmtp:unix:/short/lmtp.sock"}: mail
        for these domains is relayed. *services* are more lines of master.cf. *settings* are lines of main.cf
        and win over those made here. With *chroot*, smtpd and lmtp see nothing but the queue directory, as
        Debian has them.
        """
        self._make_folders()
        shutil.copy(self._prefix / "etc/postfix/postfix-files", self._etc)
        (self._etc / "dynamicmaps.cf").write_text("")
        lines = "".join(f"{domain} {transport}\n" for domain, transport in routes.items())
        (self._etc / "transport").write_text(lines)
        main = self._main() | {"relay_domains": ", ".join(routes)} | settings
        (self._etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in main.items()))
        (self._etc / "master.cf").write_text(self._master(chroot) + services)
        # Postfix waits until a file that it reads has been left alone for two seconds.
        a_while_ago = time.time() - 60
        for file in filter(Path.is_file, self._etc.iterdir()):
            os.utime(file, (a_while_ago, a_while_ago))

    def start(self) -> None:
        master = self._prefix / "usr/lib/postfix/sbin/master"
        self._run([str(master), "-d", "-c", str(self._etc)], {"MAIL_CONFIG": str(self._etc)})

    def kill(self) -> None:
        """All its processes at once, as if the power had failed for it alone; the queue stays."""
        if self._group is not None:
            self._group.send_all(signal.SIGKILL)
            self.stop()

    def reload(self) -> None:
        """Let the running Postfix read its configuration again."""
        if self._group is None:
            raise RuntimeError("Postfix does not run")
        self._group.send(signal.SIGHUP)

    @property
    def running(self) -> bool:
        return self._group is not None and self._group.running

    def flush(self) -> None:
        """Try everything that is deferred now, also for a destination that counts as dead."""
        self._command("postqueue", "-f")

    def queue(self) -> list[dict[str, Any]]:
        """What waits, as `postqueue -j` tells it: queue_name, sender, recipients with delay_reason, ..."""
        return [json.loads(line) for line in self._command("postqueue", "-j").splitlines()]

    @property
    def environment(self) -> dict[str, str]:
        """In which Postfix's own commands are this one's, for whoever asks it by their names."""
        return {"PATH": f"{self._prefix}/usr/sbin:{os.environ['PATH']}", "MAIL_CONFIG": str(self._etc)}

    @property
    def spool(self) -> Path:
        """The queue directory; it is there once configured."""
        return self._spool

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def version(self) -> str:
        return self._command("postconf", "-d", "-h", "mail_version").strip()

    def _command(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._prefix / "usr/sbin" / program), "-c", str(self._etc), *arguments],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": str(self._etc)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout

    def _make_folders(self) -> None:
        uid, gid = pwd.getpwnam(OWNER).pw_uid, grp.getgrnam(SETGID_GROUP).gr_gid
        for folder in (self._folder, self._etc, self._spool, self._spool / "pid"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        for folder in (self._folder / "data", *(self._spool / name for name in PRIVATE.split())):
            folder.mkdir(exist_ok=True)
            os.chown(folder, uid, -1)
            folder.chmod(0o700)
        for name, mode in SHARED.items():
            folder = self._spool / name
            folder.mkdir(exist_ok=True)
            os.chown(folder, uid, gid)
            folder.chmod(mode)

    def _main(self) -> dict[str, str]:
        prefix, folder, etc = self._prefix, self._folder, self._etc
        return {
            "compatibility_level": "3.6",
            "config_directory": str(etc),
            "queue_directory": str(self._spool),
            "data_directory": f"{folder}/data",
            "daemon_directory": f"{prefix}/usr/lib/postfix/sbin",
            "command_directory": f"{prefix}/usr/sbin",
            "shlib_directory": f"{prefix}/usr/lib/postfix",
            "meta_directory": str(etc),
            "sendmail_path": f"{prefix}/usr/sbin/sendmail",
            "mailq_path": f"{prefix}/usr/bin/mailq",
            "newaliases_path": f"{prefix}/usr/bin/newaliases",
            "manpage_directory": f"{prefix}/usr/share/man",
            "html_directory": "no",
            "readme_directory": "no",
            "mail_owner": OWNER,
            "setgid_group": SETGID_GROUP,
            "maillog_file": str(self._log),
            "maillog_file_prefixes": str(folder),
            "myhostname": HOST,
            "mydestination": "",
            "local_recipient_maps": "",
            "alias_maps": "",
            "alias_database": "",
            "default_privs": COMMANDS,
            # Nothing leaves this host by mistake; a route wins.
            "default_transport": "error:5.4.4 this domain has no route",
            "transport_maps": f"texthash:{etc}/transport",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "smtpd_peername_lookup": "no",
            "smtp_tls_security_level": "none",
            "smtpd_tls_security_level": "none",
            **HASTE,
        }

    def _master(self, chroot: bool) -> str:
        jailed = {"smtpd", "lmtp"} if chroot else set()
        lines = [f"127.0.0.1:{self.port} inet n - {'y' if chroot else 'n'} - - smtpd"]
        for line in SERVICES.strip().splitlines():
            service, kind, private, wakeup, limit, command = line.split()
            jail = "y" if command in jailed else "n"
            lines.append(f"{service} {kind} {private} - {jail} {wakeup} {limit} {command}")
        return "\n".join(lines) + "\n"
