"""A private Debian that lives as long as a `with`: this machine's files below, a layer of its own above.

Knows mount, network, process and host name namespaces, and how to reach into them from outside. Nothing done
inside is seen on this machine, and nothing is left. Does not know what is installed (debian_root.py does).
"""

import ctypes
import fcntl
import os
import shlex
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from tests.support.places import CACHE
from tests.support.syslog import Syslog
from tests.support.waiting import until

__all__ = ["NAME", "CommandFailed", "DebianHost", "NoNamespaces", "started"]

NAME = "wiki.example.org"
ROOT = Path(__file__).parents[2]

#: Where each host's files are mounted, in a namespace of its own: any number of hosts share the folder.
PLACE = CACHE / "debian-place"

PATIENCE = 300.0  # seconds for one command; a slow mirror needs minutes
GRACE = 10.0  # seconds for an orderly end
CLONE_NEWNET = 0x40000000  # linux/sched.h
SIOCSIFFLAGS, IFF_UP = 0x8914, 1  # linux/sockios.h, linux/if.h

#: What a command inside sees of our environment: enough for apt-get and pip to find their packages.
PASSED_ON = ("PIP_", "SSL_", "REQUESTS_", "http_", "https_", "no_", "HTTP_", "HTTPS_", "NO_")

#: $1 an empty folder, $2 a layer to begin with or nothing, $3 the host name, $4... what must be seen inside
#: although it lies on a file system of its own. What is written stays in memory: no overlay can keep it on
#: one, which the root of a container often is. /run and /dev are made as they are when a machine starts.
STAGE = r"""
set -e
read -r outside _ < /proc/self/stat
place=$1 layer=$2 name=$3; shift 3
mount -t tmpfs -o mode=755 tmpfs "$place"; cd "$place"; mkdir -m 755 upper work root
[ -z "$layer" ] || tar --xattrs --xattrs-include='*' --numeric-owner -xpf "$layer" -C upper
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" root
for seen; do mkdir -p "root$seen"; mount --bind "$seen" "root$seen"; done
cd root; mkdir -p proc sys dev run tmp
mount -t proc proc proc; mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs run; mkdir -m 1777 run/lock
mount -t tmpfs -o mode=755 tmpfs dev; mkdir dev/pts; mkdir -m 1777 dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts; ln -s pts/ptmx dev/ptmx
for one in null zero full random urandom tty; do touch "dev/$one"; mount --bind "/dev/$one" "dev/$one"; done
ln -s /proc/self/fd dev/fd
for one in 0,stdin 1,stdout 2,stderr; do ln -s "/proc/self/fd/${one%,*}" "dev/${one#*,}"; done
hostname "$name"
printf '127.0.0.1 localhost\n127.0.1.1 %s %s\n' "$name" "${name%%.*}" > etc/hosts
rm -f etc/resolv.conf  # often a link into /run
[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf > etc/resolv.conf
exec chroot . /bin/bash -c 'echo "$0"; read -r _' "$outside"
"""


class NoNamespaces(Exception):
    """This kernel, or this container, does not let us mount: root in a container without privileges, say."""


class CommandFailed(Exception):
    """A command inside ended with an error; the text is what it said."""


class Started:
    """A command that runs inside. What it says goes to `log()`."""

    def __init__(self, command: list[str], environment: Mapping[str, str], output: Path) -> None:
        self._output = output
        with output.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        return self._output.read_text(errors="replace")

    def processes(self) -> list[int]:
        """The command, as the tests' own process sees it, and who was started by whom from there on."""
        found = self._commands()
        for one in found:
            found += _children(one)
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Returns when the command and its children have ended. Repeatable; SIGKILL is kill -9."""
        until(lambda: not self.running or self._commands(), "a command")
        if self.running:
            for command in self._commands():
                with suppress(ProcessLookupError):
                    os.kill(command, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _commands(self) -> list[int]:
        # nsenter itself is left alone: it waits, and without it nobody in reach would bury the dead.
        return _children(self._process.pid)


class DebianHost:
    """What a test sees of it. Commands run as root, as *user* where one is named, with *groups* besides."""

    def __init__(self, holder: int, syslog: Syslog | None = None) -> None:
        self.syslog = syslog or Syslog(Path(f"/proc/{holder}/root/dev/log"))
        self._holder, self._started = holder, list[Started]()

    def run(
        self, *command: str, stdin: str = "", user: str = "", groups: Sequence[str] = (), **environment: str
    ) -> str:
        """What *command* prints; raises CommandFailed with all that it said."""
        done = subprocess.run(
            [*self._enter(user, groups), *command],
            env=_environment(environment),
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            words = f"{shlex.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            raise CommandFailed(words)
        return done.stdout

    def start(self, *command: str, user: str = "", groups: Sequence[str] = (), **environment: str) -> Started:
        """Begin *command*, which stays; ended when the host is."""
        self.path("/run/tests").mkdir(exist_ok=True)
        output = self.path(f"/run/tests/{len(self._started)}.log")
        self._started.append(
            Started([*self._enter(user, groups), *command], _environment(environment), output)
        )
        return self._started[-1]

    def python(self, *arguments: str, user: str = "", groups: Sequence[str] = (), **environment: str) -> str:
        """Run the interpreter of the tests inside, its working directory this repository."""
        return self.run(*self.interpreter(), *arguments, user=user, groups=groups, **environment)

    def interpreter(self) -> tuple[str, ...]:
        """The command that python() runs, for start(): accounts of all kinds may."""
        places = (Path(sys.executable), Path(sys.executable).resolve(), ROOT / "tests")
        folders = {str(folder) for place in places for folder in place.parents}
        self.run("chmod", "o+x", *sorted(folders))  # a home is often closed; outside it stays so
        return ("env", "-C", str(ROOT), f"PYTHONPATH={ROOT}", sys.executable)

    def path(self, inside: str) -> Path:
        """How the tests' own process reads and writes what is called *inside* there.

        Raises ValueError where an absolute link on the way would lead back to this machine's own files.
        """
        path = Path(f"/proc/{self._holder}/root")
        for part in PurePosixPath(inside).relative_to("/").parts:
            path /= part
            if path.is_symlink() and path.readlink().is_absolute():
                raise ValueError(f"{path} is a link to {path.readlink()}")
        return path

    @contextmanager
    def network(self) -> Iterator[None]:
        """This thread, and threads that it starts meanwhile, connect and listen in the host's network.

        A socket stays in the network that it was made in, so servers may be used and ended afterwards.
        """
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self._holder}/ns/net") as theirs:
            _enter_network(theirs.fileno())
            try:
                yield
            finally:
                _enter_network(ours.fileno())

    def keep(self, layer: Path) -> None:
        """Write what was changed inside to the file *layer*, with which another host can begin."""
        tar = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C", f"{PLACE}/upper", "-c", "."]
        with layer.open("wb") as file:
            subprocess.run([*self._outside(), *tar], stdout=file, timeout=PATIENCE, check=True)

    def changed(self) -> set[str]:
        """The files and folders that were made or changed inside, but not those that were removed."""
        find = ["find", f"{PLACE}/upper", "!", "-type", "c", "-printf", "/%P\\n"]
        found = subprocess.run(
            [*self._outside(), *find], capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        return set(found.stdout.splitlines())

    def _outside(self) -> list[str]:
        return ["nsenter", f"--target={self._holder}", "-m", "--"]

    def end(self) -> None:
        for one in reversed(self._started):
            one.end()
        self.syslog.close()

    def _enter(self, user: str, groups: Sequence[str]) -> list[str]:
        enter = ["nsenter", f"--target={self._holder}", "-m", "-n", "-u", "-i", "-p", "--root", "--wd", "--"]
        if not user:
            return enter
        accounts = (line.split(":") for line in self.path("/etc/passwd").read_text().splitlines())
        uid, gid = next((one[2], one[3]) for one in accounts if one[0] == user)
        others = f"--groups={','.join(groups)}" if groups else "--init-groups"
        return [*enter, "setpriv", f"--reuid={uid}", f"--regid={gid}", others, "--"]


@contextmanager
def started(layer: Path | None = None, *, network: bool = False) -> Iterator[DebianHost]:
    """A host whose own layer begins as *layer*, kept by kept(); with *network* it shares this machine's.

    Everything in it dies at the end, and also if this process dies. Raises NoNamespaces.
    """
    apart = ["--mount", "--uts", "--ipc", "--pid", *([] if network else ["--net"])]
    PLACE.mkdir(parents=True, exist_ok=True)
    command = ["unshare", *apart, "--fork", "--kill-child", "--propagation=private", "bash", "-c", STAGE]
    with ExitStack() as stack:
        # While standard input is open, the holder waits; it is process 1 of the host, so all end with it.
        holder = stack.enter_context(
            subprocess.Popen(
                [*command, "stage", str(PLACE), str(layer or ""), NAME, *_elsewhere()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(holder.terminate)
        assert holder.stdout is not None
        assert holder.stderr is not None
        if not (outside := holder.stdout.readline().strip()):
            raise NoNamespaces(holder.stderr.read().strip())
        host = DebianHost(int(outside))
        stack.callback(host.end)
        if not network:
            with host.network():
                _loopback_up()
        yield host


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _elsewhere() -> list[str]:
    """Folders that the tests need and that are not on the root's file system."""
    root = os.stat("/").st_dev
    wanted = {ROOT, Path(sys.prefix), Path(sys.base_prefix), Path("/usr")}
    return sorted(str(one) for one in wanted if one.stat().st_dev != root)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LANG": "C.UTF-8", "HOME": "/root", **ours, **more}


def _enter_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns comes with Python 3.12
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _loopback_up() -> None:
    flags = struct.pack("16sh14x", b"lo", IFF_UP)  # struct ifreq; `ip` is not on every Debian
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, flags)
