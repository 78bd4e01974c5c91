"""A private Debian in which systemd is process 1: units are started, confined, restarted as on any machine.

Knows what systemd wants around it: processes, cgroups and mounts of its own. Does not know any unit.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.debian_host import DebianHost, NoNamespaces, Started
from tests.support.debian_root import DebianRoot
from tests.support.waiting import until

__all__ = ["booted"]

CGROUPS = "/run/cgroups"

#: $1 the name of a cgroup, from which on systemd believes that the tree begins. The kernel's settings are
#: this machine's, too, so it may read them only.
BOOT = f"""
set -e
mkdir {CGROUPS}; mount -t cgroup2 cgroup2 {CGROUPS}
mkdir "{CGROUPS}/$1"; echo $$ > "{CGROUPS}/$1/cgroup.procs"
rm -f /dev/log /usr/sbin/policy-rc.d
exec unshare --cgroup --pid --mount --fork --kill-child --propagation=private sh -ec '
umount {CGROUPS}; umount -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t proc proc /proc; mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro /sys; touch /dev/console
exec env -i container=tests /lib/systemd/systemd --system --unit=basic.target --log-target=journal'
"""
#: Ends whatever is left in it, from the leaves to the root.
SWEEP = f"""
[ -d "{CGROUPS}/$1" ] || exit 0
echo 1 > "{CGROUPS}/$1/cgroup.kill" || true
for try in 1 2 3 4 5 6 7 8 9; do
    find "{CGROUPS}/$1" -depth -type d -exec rmdir {{}} + 2> /dev/null && exit
    sleep 0.1
done
"""


@contextmanager
def booted(root: DebianRoot) -> Iterator[DebianHost]:
    """Started up to basic.target; services are not forbidden to start. Raises NoNamespaces."""
    name = f"bounce-sidecar-tests-{os.getpid()}"
    with root.running() as host:
        process = host.start("sh", "-c", BOOT, "boot", name)
        inside = None
        try:
            inside = DebianHost(_systemd(process), host.syslog)
            until(lambda: _up(inside), "systemd to have started")
            yield inside
        finally:
            if inside is not None:
                inside.end()
            process.end(signal.SIGKILL)
            host.run("sh", "-c", SWEEP, "sweep", name)


def _systemd(process: Started) -> int:
    def look() -> int | None:
        if not process.running:
            raise NoNamespaces(process.log())
        return next((one for one in process.processes() if _name(one) == "systemd"), None)

    found = until(look, "systemd")
    assert found is not None
    return found


def _name(process: int) -> str:
    try:
        with open(f"/proc/{process}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def _up(host: DebianHost) -> bool:
    return host.run("sh", "-c", "systemctl is-system-running 2> /dev/null || true").strip() == "running"
