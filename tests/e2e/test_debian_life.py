"""The life of the Debian package on a host with systemd and Postfix: installed, upgraded, removed, purged.

Everything is what an operator says; systemd, its confinement and its sockets are real. Only the wiki is none:
the sidecar stays in shadow mode and owes it nothing.
"""

import re
from collections.abc import Iterator

import pytest

from tests.support.debian_host import CommandFailed, DebianHost
from tests.support.debian_package import DebianPackage, package
from tests.support.debian_root import DebianRoot
from tests.support.systemd_host import booted
from tests.support.waiting import said, until

pytestmark = pytest.mark.servers

EXAMPLE = "/usr/share/doc/bounce-sidecar/examples/config.toml"
FOLDER, HISTORY = "/etc/bounce-sidecar", "/var/lib/bounce-sidecar/history.db"
SOCKETS = {
    "/run/bounce-sidecar/verp.sock": "www-data",
    "/var/spool/postfix/bounce-sidecar/lmtp.sock": "postfix",
    "/var/spool/postfix/bounce-sidecar/policy.sock": "postfix",
}
CONFIGURE = f"""
cp {EXAMPLE} {FOLDER}/config.toml
for secret in verp.keys bot.password; do
    install -o root -g bounce-sidecar -m 0640 /dev/null {FOLDER}/$secret
    tr -dc 0-9a-v < /dev/urandom | head -c 48 > {FOLDER}/$secret
done
bounce-sidecar check-config
systemctl daemon-reload
systemctl start bounce-sidecar
"""
PYTHON = "/usr/lib/bounce-sidecar/bin/python3"
EVERYTHING = (
    "import cryptography.hazmat.bindings._rust, psycopg, pymysql, mwclient, tree_sitter_php, aiohttp;"
    "from sidecar.edges.kernel_clock import synchronised; assert synchronised() is not None"
)

#: Where apt-get, dpkg, systemd and the accounts' tools keep what happened, whatever it was.
KEPT = re.compile(
    r"/(tmp|run|var/(log|cache|tmp)|var/lib/(dpkg|apt|systemd)|etc/((passwd|group|g?shadow)-|\.pwd\.lock))(/|$)"
)


@pytest.fixture(scope="module")
def built() -> DebianPackage:
    return package()


@pytest.fixture
def host(systemd_root: DebianRoot, built: DebianPackage) -> Iterator[DebianHost]:
    with booted(systemd_root) as host:
        built.bring(host)
        yield host


def install(host: DebianHost, which: str, program: str = "dpkg") -> str:
    """What the installing *program* says."""
    apt = "apt-get -qy -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 install"
    command = {"dpkg": "dpkg --force-unsafe-io --install", "apt-get": apt}[program]
    return host.run("sh", "-c", f"{command} /tmp/{which}.deb 2>&1", DEBIAN_FRONTEND="noninteractive")


def state(host: DebianHost, unit: str = "bounce-sidecar") -> str:
    return host.run("sh", "-c", f"systemctl is-active {unit} || true").strip()


def shown(host: DebianHost, what: str, unit: str = "bounce-sidecar") -> str:
    return host.run("systemctl", "show", "--value", "--property", what, unit).strip()


def left(host: DebianHost, before: set[str]) -> set[str]:
    """What is there now and was not before."""
    return {path for path in host.changed() - before if not KEPT.match(path)}


def bounced(host: DebianHost, user: int) -> None:
    """A mail to *user* comes back by Postfix, and is booked."""
    path = host.run("bounce-sidecar", "verp", "issue", "mywiki", str(user), "dead@remote.example").strip()
    report = f"""\
From: MAILER-DAEMON@remote.example
To: {path}
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; remote.example

Final-Recipient: rfc822; dead@remote.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user

--b--
"""
    host.run("sendmail", "-f", "<>", path, stdin=report)
    until(lambda: known(host, user), f"the bounce of {user} to be booked")


def known(host: DebianHost, user: int) -> bool:
    try:
        return "user-unknown" in host.run("bounce-sidecar", "history", str(user))
    except CommandFailed:
        return False


def test_from_its_installation_to_its_end(host: DebianHost) -> None:
    before = host.changed()
    install(host, "new", "apt-get")
    assert state(host) == "inactive", "without a configuration"
    assert "0 loaded units" in host.run("systemctl", "--failed")
    stat = host.run("stat", "-c", "%U:%G %a", FOLDER, "/var/lib/bounce-sidecar")
    assert stat.splitlines() == ["root:bounce-sidecar 750", "bounce-sidecar:bounce-sidecar 750"]
    demo = host.run("bounce-sidecar", "demo", user="nobody", HOME="/nonexistent")
    assert "3 dead addresses un-confirmed, 9 living ones untouched." in demo
    completes(host)

    host.run("sh", "-euc", CONFIGURE)
    host.run("apt-get", "-qy", "remove", "bounce-sidecar")
    assert host.path(HISTORY).is_file()
    assert host.path(f"{FOLDER}/verp.keys").is_file()
    assert not [path for path in SOCKETS if host.path(path).exists()]

    install(host, "new")
    assert state(host) == "active", "installed again, it goes on with what it finds"

    host.run("apt-get", "-qy", "purge", "bounce-sidecar")
    host.run("dpkg", "--purge", "bounce-sidecar")  # there is nothing left to do
    assert left(host, before) == set()
    assert host.run("getent", "passwd", "bounce-sidecar").endswith("/usr/sbin/nologin\n")

    install(host, "new")
    assert state(host) == "inactive"


def completes(host: DebianHost) -> None:
    bash = ". /usr/share/bash-completion/completions/bounce-sidecar; complete -p bounce-sidecar"
    assert "_bounce_sidecar_completion" in host.run("bash", "-c", bash)
    asked = {"COMP_WORDS": "bounce-sidecar check", "COMP_CWORD": "1"}
    words = host.run("bounce-sidecar", _BOUNCE_SIDECAR_COMPLETE="bash_complete", **asked)
    assert words == "plain,check-config\n"


def test_it_does_its_job_confined_and_is_upgraded(host: DebianHost) -> None:
    install(host, "old")
    host.run("systemctl", "start", "postfix")
    host.run("sh", "-euc", CONFIGURE)
    for path, group in SOCKETS.items():
        assert host.run("stat", "-c", "%F %U:%G %a", path) == f"socket bounce-sidecar:{group} 660\n"
    host.run("sh", "-euc", "bounce-sidecar mta postfix > /run/setup.sh; sh /run/setup.sh")
    host.run("bounce-sidecar", "mta", "postfix", "--check")
    bounced(host, 7)
    confined(host)
    host.run("systemctl", "reload", "bounce-sidecar")
    # The line takes its own way to the journal, and may come after systemctl has returned.
    said(lambda: host.run("journalctl", "--unit", "bounce-sidecar", "--output", "cat"), 'reloaded"')

    host.run("bounce-sidecar", "db", "downgrade", "0005", "--yes", user="bounce-sidecar")
    before, kept = shown(host, "MainPID"), (sockets(host), secrets(host))
    install(host, "new")
    assert state(host) == "active"
    assert shown(host, "MainPID") != before
    assert (sockets(host), secrets(host)) == kept
    assert known(host, 7)
    host.run("bounce-sidecar", "db", "status")  # exit code 1 if the tables were left behind
    bounced(host, 8)

    host.run("systemctl", "stop", "bounce-sidecar*")
    install(host, "old")
    assert state(host) == "inactive", "what an operator stopped stays so"

    host.run("systemctl", "start", "bounce-sidecar")
    before = shown(host, "MainPID")
    host.path(f"{FOLDER}/config.toml").write_text("[verp\n")
    assert "NOT restarted, the version before goes on" in install(host, "new")
    assert (state(host), shown(host, "MainPID")) == ("active", before)


def confined(host: DebianHost) -> None:
    """And in its confinement every library works, and the kernel tells of its clock."""
    drop_in = host.path("/etc/systemd/system/bounce-sidecar.service.d")
    drop_in.mkdir()
    (drop_in / "all.conf").write_text(f"[Service]\nExecStartPre={PYTHON} -I -c '{EVERYTHING}'\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "bounce-sidecar")
    status = host.path(f"/proc/{shown(host, 'MainPID')}/status").read_text()
    assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
    assert re.search(r"^Groups:\s+\d+ ?$", status, re.MULTILINE), "no group beside its own"
    said = host.run("systemd-analyze", "security", "--no-pager", "bounce-sidecar.service")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= 2.0


def sockets(host: DebianHost) -> list[int]:
    return [host.path(path).stat().st_ino for path in SOCKETS]


def secrets(host: DebianHost) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(host.path(FOLDER).iterdir())}
