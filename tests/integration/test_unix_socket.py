"""The file of a Unix socket, with real files and sockets."""

import grp
import os
import socket
import stat

import pytest

from sidecar.edges.unix_socket import CannotListen, UnixSocket


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s"


def connects(path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def killed(path) -> None:
    """What a process leaves that could not clean up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()


def test_only_owner_and_group_may_connect_unless_told_otherwise(path):
    UnixSocket.open(path).listener.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    UnixSocket.open(path, mode=0o600).listener.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_group_can_be_named(path):
    group = grp.getgrgid(os.getgid()).gr_name
    UnixSocket.open(path, group=group).listener.close()
    assert path.stat().st_gid == os.getgid()


def test_what_a_killed_predecessor_left_is_replaced(path):
    killed(path)
    assert not connects(path)
    opened = UnixSocket.open(path)
    assert connects(path)
    opened.listener.close()


def test_a_socket_on_which_somebody_listens_is_left_alone(path):
    first = UnixSocket.open(path)
    with pytest.raises(CannotListen, match="in use"):
        UnixSocket.open(path)
    assert connects(path)
    first.listener.close()


def test_a_socket_whose_owner_is_busy_is_left_alone(path):
    first = UnixSocket.open(path, backlog=0)
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(str(path))
    with pytest.raises(CannotListen, match="in use"):
        UnixSocket.open(path)
    waiting.close()
    first.listener.close()


def test_a_file_that_is_no_socket_is_left_alone(path):
    path.write_text("precious")
    with pytest.raises(CannotListen, match="not a socket"):
        UnixSocket.open(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "words"), [("missing/s", "No such file"), ("s" * 120, "too long")], ids=["folder", "length"]
)
def test_a_path_that_cannot_be_is_named_with_the_reason(tmp_path, name, words):
    with pytest.raises(CannotListen, match=words) as trouble:
        UnixSocket.open(tmp_path / name)
    assert str(tmp_path / name) in str(trouble.value)


def test_an_unknown_group_is_named(path):
    with pytest.raises(CannotListen, match="group 'no-such-group' does not exist"):
        UnixSocket.open(path, group="no-such-group")


def test_only_the_own_file_is_removed(path):
    mine = UnixSocket.open(path)
    path.unlink()
    other = UnixSocket.open(path)
    mine.remove()
    assert connects(path)
    other.remove()
    assert not path.exists()
    other.remove()
    mine.listener.close()
    other.listener.close()


def test_nothing_is_removed_once_the_socket_is_closed(path):
    """Its inode number may be that of the successor's file by then."""
    mine = UnixSocket.open(path)
    mine.listener.close()
    successor = UnixSocket.open(path)
    mine.remove()
    assert connects(path)
    successor.listener.close()
