"""What may lie in the directory of an operator's rules and is no file."""

import os
from pathlib import Path

from sidecar.edges import rule_files


def test_what_is_no_file_is_told_and_waits_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "device.toml").symlink_to("/dev/null")
    assert rule_files.check([tmp_path]) == [f"{tmp_path}/device.toml: cannot be read: not a file"]
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nothing")
    told = [problem.removeprefix(f"{tmp_path}/") for problem in rule_files.check([tmp_path])]
    assert told == [
        "device.toml: cannot be read: not a file",
        "gone.toml: cannot be read: No such file or directory",
        "pipe.toml: cannot be read: not a file",
    ]
