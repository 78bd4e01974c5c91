"""The questions of `mta --check`, put to real sockets, processes and a mail server."""

import os
import socket
from pathlib import Path

import pytest

from sidecar.mta.asking import Account, Answer, Connection, Machine, Reply
from tests.support.places import free_port
from tests.support.remote_mx import RemoteMx

NOBODY = Account(65534, 65534, ())


def test_how_connecting_ends(short_folder: Path) -> None:
    served, stale = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    served.bind(str(short_folder / "served"))
    served.listen()
    stale.bind(str(short_folder / "stale"))
    stale.close()
    (short_folder / "file").touch()
    names = ("served", "stale", "file", "missing")
    assert [Machine().connect(short_folder / name) for name in names] == [
        Connection.ANSWERS,
        Connection.SILENT,
        Connection.NO_SOCKET,
        Connection.MISSING,
    ]
    served.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_another_account_is_tried_in_a_process_of_its_own(short_folder: Path) -> None:
    path = short_folder / "served"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    path.chmod(0o660)
    os.chown(path, 0, 12)
    assert Machine().connect(path, NOBODY) is Connection.FORBIDDEN
    assert Machine().connect(path, Account(65534, 65534, (12,))) is Connection.ANSWERS
    assert Machine().connect(path, Account(65534, 12, ())) is Connection.ANSWERS
    assert os.geteuid() == 0
    short_folder.chmod(0o700)
    assert Machine().connect(path, Account(65534, 12, ())) is Connection.FORBIDDEN
    listener.close()


def test_accounts_and_groups_of_this_host() -> None:
    machine = Machine()
    account = machine.account("root")
    assert account is not None
    assert (account.uid, account.gid, 0 in account.groups) == (0, 0, True)
    assert machine.account("root", "nogroup") == Account(0, 65534, (65534,))
    assert machine.account("no-such-account") is None
    assert machine.account("root", "no-such-group") is None


def test_commands_end_in_an_answer() -> None:
    machine = Machine()
    assert machine.ask("sh", "-c", "echo said; echo complained >&2; exit 3") == Answer(3, "said\n")
    assert machine.ask("no-such-command-anywhere").code == 127


def test_a_mail_server_is_asked_about_recipients_and_gets_no_mail() -> None:
    remote = RemoteMx()
    remote.start()
    server = ("127.0.0.1", remote.port)
    replies = Machine().recipients(server, ["nouser@x.example", "ann@x.example"], origin="127.0.0.5")
    remote.stop()
    assert {address: reply.code for address, reply in replies.items()} == {
        "nouser@x.example": 550,
        "ann@x.example": 250,
    }
    assert isinstance(replies["ann@x.example"], Reply)
    assert remote.received == []


def test_a_mail_server_that_hangs_up_leaves_what_it_said() -> None:
    remote = RemoteMx()
    remote.start()
    replies = Machine().recipients(
        ("127.0.0.1", remote.port), ["ann@x.example", "s421@x.example", "bob@x.example"]
    )
    remote.stop()
    assert replies["ann@x.example"].code == 250
    assert "bob@x.example" not in replies


def test_nobody_answers() -> None:
    assert Machine().recipients(("127.0.0.1", free_port()), ["ann@x.example"]) == {}
    assert Machine().connect_tcp(("127.0.0.1", free_port())) is Connection.SILENT
