"""A file of secrets is replaced whole, with its owner and mode; nobody else sees it at any instant."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from sidecar.edges.secret_file import Busy, CannotReplace, changing, replace

ROOT = Path(__file__).parents[3]
OLD, NEW = b"old " * 20_000, b"new " * 30_000

#: Replaces a file, and dies where the operating system is asked to *die_at*.
DYING = """
import os, signal, sys
from pathlib import Path
from sidecar.edges.secret_file import changing, replace
setattr(os, sys.argv[2], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
Path.rename = lambda self, target: os.rename(self, target)
with changing(Path(sys.argv[1])) as real:
    replace(real, b"new " * 30_000)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "verp.keys"
    path.touch(0o600)
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def swap(path: Path, content: bytes = NEW) -> None:
    with changing(path) as real:
        replace(real, content)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_whole_file_is_another_with_the_same_mode(file: Path) -> None:
    before = file.stat()
    swap(file)
    after = file.stat()
    assert file.read_bytes() == NEW
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert names(file.parent) == ["verp.keys"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_owner_and_group_stay(file: Path) -> None:
    os.chown(file, 12345, 23456)
    swap(file)
    assert (file.stat().st_uid, file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == (
        12345,
        23456,
        0o640,
    )


def test_what_is_attached_to_the_file_stays(file: Path) -> None:
    os.setxattr(file, "user.who", b"puppet")
    swap(file)
    assert os.getxattr(file, "user.who") == b"puppet"


def test_a_reader_sees_the_old_file_or_the_new_one_and_others_never_may(file: Path) -> None:
    wrong: list[object] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            content = file.read_bytes()
            if content not in (OLD, NEW):
                wrong.append(len(content))
            for path in file.parent.iterdir():
                try:
                    mode = path.stat().st_mode
                except FileNotFoundError:
                    continue
                if mode & 0o137:
                    wrong.append((path.name, oct(mode)))

    old_mask = os.umask(0)
    reader = threading.Thread(target=look)
    reader.start()
    try:
        for turn in range(50):
            swap(file, OLD if turn % 2 else NEW)
    finally:
        done.set()
        reader.join()
        os.umask(old_mask)
    assert wrong == []


@pytest.mark.parametrize("die_at", ["fchmod", "fsync", "rename"])
def test_killed_on_the_way_the_old_file_stands_and_the_next_one_tidies_up(file: Path, die_at: str) -> None:
    killed = subprocess.run([sys.executable, "-c", DYING, str(file), die_at], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert file.read_bytes() == OLD
    assert names(file.parent) == [".verp.keys.new", "verp.keys"]
    assert (file.parent / ".verp.keys.new").stat().st_mode & 0o137 == 0
    swap(file)  # the lock went with the process
    assert file.read_bytes() == NEW
    assert names(file.parent) == ["verp.keys"]


def test_a_link_is_followed_and_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.keys"
    link.parent.mkdir()
    link.symlink_to("../verp.keys")
    swap(link)
    assert link.is_symlink()
    assert file.read_bytes() == NEW
    assert names(tmp_path) == ["elsewhere", "verp.keys"]


def test_what_is_planted_beside_it_is_not_written_through(file: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".verp.keys.new").symlink_to(victim)
    swap(file)
    assert victim.read_text() == "mine"
    assert file.read_bytes() == NEW


def test_two_at_once_the_second_is_sent_away(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.keys"
    link.symlink_to(file)
    with changing(file), pytest.raises(Busy, match="try again"), changing(link):
        pass
    swap(file)


def test_trouble_is_told_and_changes_nothing(file: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotReplace, match="No such file"):
        swap(tmp_path / "absent")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(CannotReplace):
        swap(loop)
    os.link(file, tmp_path / "second")
    with pytest.raises(CannotReplace, match="a hard link"):
        swap(file)
    assert file.read_bytes() == OLD
    assert names(tmp_path) == ["loop", "second", "verp.keys"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_whoever_may_read_the_file_and_not_write_its_folder_is_told_so() -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # a folder that others may enter
        file = Path(name) / "verp.keys"
        file.write_bytes(OLD)
        file.chmod(0o640)
        os.chown(file, 0, nobody)
        Path(name).chmod(0o755)
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(nobody)
            os.setuid(nobody)
            try:
                swap(file)
            except CannotReplace as error:
                os._exit(0 if str(error) == "Permission denied; run this as root" else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert file.read_bytes() == OLD
        assert names(Path(name)) == ["verp.keys"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    full = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from pathlib import Path
from sidecar.edges.secret_file import CannotReplace, changing, replace
try:
    with changing(Path({str(file)!r})) as real:
        replace(real, b"new " * 30_000)
except CannotReplace as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", full], cwd=ROOT, check=True, capture_output=True, text=True)
    assert said.stdout == "File too large\n"
    assert file.read_bytes() == OLD
    assert names(file.parent) == ["verp.keys"]
