"""Archives as somebody may have left them: links in a circle, and what is no file at all."""

import os
from pathlib import Path

import pytest

from sidecar.edges.archive import NotAnArchive, find

MAIL = b"Subject: x\r\n\r\nx\r\n"


def loaded(path: Path) -> dict[str, bytes]:
    return {str(Path(mail.name).relative_to(path)): mail.load() for mail in find(path)}


def test_a_folder_that_links_lead_back_to_is_walked_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.eml").write_bytes(MAIL)
    for name in ("again", "more"):
        (tmp_path / "a" / name).symlink_to(tmp_path)
    assert loaded(tmp_path) == {"a/one.eml": MAIL}


@pytest.mark.parametrize("layout", ["", "cur/"])
def test_what_is_no_file_is_left_out_and_waits_for_nobody(tmp_path: Path, layout: str) -> None:
    for folder in ("cur", "new") if layout else ():
        (tmp_path / folder).mkdir()
    (tmp_path / f"{layout}device.eml").symlink_to("/dev/null")
    for mail in find(tmp_path):
        with pytest.raises(OSError, match="not a file"):
            mail.load()
    os.mkfifo(tmp_path / f"{layout}pipe.eml")
    (tmp_path / f"{layout}nowhere.eml").symlink_to(tmp_path / "nothing")
    names = []
    for mail in find(tmp_path):
        names.append(Path(mail.name).name)
        with pytest.raises(OSError):
            mail.load()
    assert names == ["device.eml", "nowhere.eml", "pipe.eml"]


def test_what_is_named_itself_and_no_file_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("pipe", "not a file"), ("nothing", "No such file")):
        with pytest.raises(NotAnArchive, match=why):
            list(find(tmp_path / name))
