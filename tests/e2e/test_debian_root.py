"""The private Debian that other tests stand on: complete inside, without a trace outside."""

import os
import smtplib
import subprocess
from pathlib import Path

import pytest

from tests.support.debian_host import CommandFailed, DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.remote_mx import RemoteMx
from tests.support.waiting import until

pytestmark = pytest.mark.servers


def test_the_package_is_installed_inside_and_not_here(postfix_host: DebianHost) -> None:
    here = Path("/var/lib/dpkg/status").read_text()
    status = postfix_host.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "postfix")
    assert status == "installed"
    assert postfix_host.path("/var/lib/dpkg/status").read_text() != here
    assert "smtpd" in postfix_host.path("/etc/postfix/master.cf").read_text()


def test_answers_are_heeded_also_where_this_machine_has_the_package(systemd_root: DebianRoot) -> None:
    with systemd_root.running() as host:
        assert not host.path("/var/lib/man-db/auto-update").exists(), "no manual is indexed"


def test_every_host_begins_the_same_and_leaves_nothing(postfix_root: DebianRoot) -> None:
    with postfix_root.running() as host:
        host.run("sh", "-c", "echo changed > /etc/mailname; touch /debian-root-was-here")
    with postfix_root.running() as host:
        assert host.path("/etc/mailname").read_text() == "wiki.example.org\n"
        assert not host.path("/debian-root-was-here").exists()
    assert not Path("/debian-root-was-here").exists()


def test_what_runs_inside_ends_with_it_even_a_daemon(postfix_root: DebianRoot) -> None:
    daemon = f"1000.{os.getpid()}"  # as the test runs once in this process, nobody else sleeps so long
    with postfix_root.running() as host:
        host.run("sh", "-c", f"setsid sleep {daemon} > /dev/null 2>&1 &")
        until(lambda: sleeping(daemon), "a daemon")
    until(lambda: not sleeping(daemon), "the daemon's end")


def sleeping(seconds: str) -> bool:
    found = subprocess.run(["pgrep", "-f", f"^sleep {seconds}$"], capture_output=True, check=False)
    return found.returncode == 0


def test_port_25_is_free_inside_and_a_server_of_the_test_listens_there(postfix_host: DebianHost) -> None:
    with postfix_host.network():
        remote = RemoteMx(port=25)
        remote.start()
        with smtplib.SMTP("127.0.0.1", 25) as server:
            assert server.sendmail("a@wiki.example.org", ["somebody@remote.example"], "Hello.") == {}
    assert remote.wait("somebody@remote.example").sender == "a@wiki.example.org"
    remote.stop()


def test_a_failing_command_says_what_it_said(postfix_host: DebianHost) -> None:
    with pytest.raises(CommandFailed, match="exit 3\nhere\nthere"):
        postfix_host.run("sh", "-c", "echo here; echo there >&2; exit 3")


def test_the_interpreter_of_the_tests_runs_inside_as_any_account(postfix_host: DebianHost) -> None:
    words = postfix_host.python("-c", "import os, sidecar; print(os.getuid() > 0)", user="postfix")
    assert words == "True\n"


def test_an_absolute_link_does_not_lead_out(postfix_host: DebianHost) -> None:
    with pytest.raises(ValueError, match="is a link to /run"):
        postfix_host.path("/var/run/anything")
