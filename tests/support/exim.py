"""A real Exim on a port of its own, started as root, working as an account that every Debian has.

Knows Debian's packages, Exim's configuration and spool. Does not know what is sent through it.
"""

import os
import pwd
import subprocess
from pathlib import Path

from tests.support.debs import unpacked
from tests.support.mail_server import MailServer

__all__ = ["Exim", "install"]

HOST = "wiki.example.org"
OWNER = "mail"  # an account of every Debian; Debian-exim would have to be created first
PATIENCE = 30.0  # seconds for one of Exim's commands

CONFIGURATION = """
exim_path = {program}
primary_hostname = {host}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/spool/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
# Without a set-uid bit, everything after the daemon runs as Exim's own user.
deliver_drop_privilege
never_users = root
keep_environment =
acl_smtp_rcpt = rcpt
{main}
begin acl
rcpt:
{acl}
begin routers
{routers}
bounces:
  driver = accept
  domains = {bounces}
  caseful_local_part
  transport = bounces
remote:
{remote}
  transport = remote
begin transports
{transports}
bounces:
  driver = lmtp
  socket = {lmtp_socket}
remote:
  driver = smtp
  port = {remote_port}
  allow_localhost
  connect_timeout = 2s
  command_timeout = 2s
begin retry
{retry}
"""

#: How mail for others finds its way: everything to one port of this host, or by the DNS.
TO_ONE_PORT = "  driver = manualroute\n  route_list = * 127.0.0.1\n  self = send"
BY_DNS = "  driver = dnslookup\n  domains = *\n  no_more"


def install() -> Path:
    """The program, in a folder of its own. Seconds the first time; raises DownloadFailed."""
    prefix = unpacked("exim", ["exim4-daemon-light"], ["usr/sbin/exim4"])
    return _working_as(OWNER, prefix / "usr/sbin/exim4")


def _working_as(user: str, program: Path) -> Path:
    """A copy that looks for *user* instead of Debian-exim: the name is one string in the program."""
    copy = program.with_name(f"{program.name}-as-{user}")
    if not copy.exists():
        built_in = b"Debian-exim\0"
        draft = program.with_name(f"{copy.name}.{os.getpid()}")
        draft.write_bytes(program.read_bytes().replace(built_in, user.encode().ljust(len(built_in), b"\0")))
        draft.chmod(0o755)  # Debian's is set-uid
        draft.replace(copy)
    return copy


class Exim(MailServer):
    """Configure, start, stop, and again."""

    def __init__(self, program: Path, folder: Path) -> None:
        super().__init__(folder)
        self._program, self._file = program, folder / "exim.conf"

    def configure(
        self,
        bounces: str,
        lmtp_socket: Path,
        remote_port: int | None = None,
        *,
        main: str = "",
        acl: str = "  accept",
        routers: str = "",
        transports: str = "",
        retry: str = "*  *  F,1h,1s",
    ) -> None:
        """Mail for the domain *bounces* goes to the socket, all other to *remote_port* or, without, by DNS.

        *main*, *routers* and *transports* are put before what is made here; *acl* (asked at RCPT) and *retry*
        are whole.
        """
        owner = pwd.getpwnam(OWNER)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o755)
        for folder in (self._folder / "spool", self._folder / "log"):
            folder.mkdir(exist_ok=True)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            folder.chmod(0o750)
        text = CONFIGURATION.format(
            program=self._program,
            host=HOST,
            folder=self._folder,
            port=self.port,
            main=main,
            acl=acl,
            routers=routers,
            bounces=bounces,
            remote=BY_DNS if remote_port is None else TO_ONE_PORT,
            transports=transports,
            lmtp_socket=lmtp_socket,
            remote_port=remote_port or 25,
            retry=retry,
        )
        self._file.write_text(text)
        self._file.chmod(0o644)  # Exim refuses a file that others may write

    def start(self) -> None:
        self._run([str(self._program), "-C", str(self._file), "-bdf", "-q1s"], {})

    def log(self) -> str:
        """The main log and, if there is one, the panic log."""
        return "".join(file.read_text(errors="replace") for file in (self._folder / "log").glob("*log"))

    def version(self) -> str:
        done = subprocess.run(
            [str(self._program), "-C", str(self._file), "-bV"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout.split()[2]
