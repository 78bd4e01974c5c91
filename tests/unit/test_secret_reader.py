"""A secret is read from a regular file that others may not read, whatever its name leads to, or refused."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.config_files import secret_reader
from sidecar.configuration.configured import SecretError
from tests.support.endless import interrupted

SECRET = b"what nobody shall read"


def file(path: Path, mode: int = 0o600) -> Path:
    path.write_bytes(SECRET)
    path.chmod(mode)
    return path


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


GOOD: dict[str, Callable[[Path], object]] = {
    "a file": file,
    "a file for its group": lambda path: file(path, 0o640),
    "a link": lambda path: path.symlink_to(file(path.with_name("elsewhere"))),
    "a link to a link": lambda path: path.symlink_to(_link(path)),
    "another name of a file": lambda path: path.hardlink_to(file(path.with_name("elsewhere"))),
}
OTHERS = "others may read or write this file; chmod o-rwx it"
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "others may read": (lambda path: file(path, 0o604), OTHERS),
    "others may write": (lambda path: file(path, 0o602), OTHERS),
    "a link to what others may read": (
        lambda path: path.symlink_to(file(path.with_name("elsewhere"), 0o644)),
        OTHERS,
    ),
    "another name of what others may read": (
        lambda path: path.hardlink_to(file(path.with_name("elsewhere"), 0o644)),
        OTHERS,
    ),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a link to a pipe": (lambda path: path.symlink_to(_pipe(path)), "not a regular file"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a folder": (Path.mkdir, "not a regular file"),
    "a socket": (_socket, "No such device or address"),
    "nothing": (lambda path: None, "No such file or directory"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
    "a link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "a link into a file": (
        lambda path: path.symlink_to(file(path.with_name("elsewhere")) / "more"),
        "Not a directory",
    ),
}


def _link(path: Path) -> Path:
    between = path.with_name("between")
    between.symlink_to(file(path.with_name("elsewhere")))
    return between


def _pipe(path: Path) -> Path:
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    return pipe


@pytest.mark.parametrize("made", GOOD.values(), ids=GOOD)
def test_links_are_followed(tmp_path: Path, made: Callable[[Path], object]) -> None:
    made(tmp_path / "verp.keys")
    assert secret_reader(tmp_path, None)("verp.keys") == SECRET


@pytest.mark.parametrize(("made", "why"), REFUSED.values(), ids=REFUSED)
def test_whatever_else_it_is_is_refused_at_once(
    tmp_path: Path, made: Callable[[Path], object], why: str
) -> None:
    made(tmp_path / "verp.keys")
    with interrupted(5), pytest.raises(SecretError) as refusal:
        secret_reader(tmp_path, None)("verp.keys")
    assert str(refusal.value) == why


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "x/" * 3000, "\udc80\udcff", "nowhere/../verp.keys"])
def test_a_name_that_is_none_is_refused_in_words(tmp_path: Path, name: str) -> None:
    file(tmp_path / "verp.keys")
    with pytest.raises(SecretError) as refusal:
        secret_reader(tmp_path, None)(name)
    assert str(refusal.value).isprintable()
    assert name not in str(refusal.value)


def test_what_was_judged_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody puts another file in its place between the two."""
    path, other = file(tmp_path / "verp.keys"), tmp_path / "other"
    other.write_bytes(b"another's")

    def looked(look: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def and_then(*what: Any, **how: Any) -> os.stat_result:
            seen = look(*what, **how)
            if os.path.lexists(other):
                other.replace(path)
            return seen

        return and_then

    for name in ("stat", "fstat"):
        monkeypatch.setattr(os, name, looked(getattr(os, name)))
    assert secret_reader(tmp_path, None)("verp.keys") == SECRET
