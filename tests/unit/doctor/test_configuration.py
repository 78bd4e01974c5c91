"""The doctor and the configuration, its file and the environment over it."""

import os
from pathlib import Path

import pytest

from sidecar import host
from sidecar.doctor import configuration
from sidecar.doctor.patient import Patient
from sidecar.domain.finding import State
from sidecar.mta.asking import Account, Machine
from tests.support.doctor import bad, examined
from tests.support.practice import configured

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


class Unprivileged(Machine):
    """This host, as somebody who is not root finds it."""

    def is_root(self) -> bool:
        return False


def patient(path: Path, user: str = "nobody", machine: Machine | None = None) -> Patient:
    return Patient(path, machine or Machine(), host.now, ("127.0.0.1", 25), user)


def test_a_good_one_takes_one_line(tmp_path: Path) -> None:
    path = configured(tmp_path)
    reading = configuration.read(patient(path, "root"))
    (line,) = reading.findings
    assert line.what == f"{path} is good: 1 wiki, return paths at bounces.example.org"
    assert [file.name for file in reading.secrets] == ["verp.keys", "bot.password"]


def test_a_wrong_one_has_a_line_for_each_problem_and_nothing_else_is_looked_at(tmp_path: Path) -> None:
    path = configured(tmp_path)
    path.write_text(path.read_text().replace("bounces.example.org", "no domain") + 'colour = "red"\n')
    program, *problems, later = examined(tmp_path)
    assert program.state is State.OK
    assert {one.state for one in problems} == {State.WRONG}
    assert len(problems) == 2
    assert "colour is not a setting" in problems[1].what
    assert (later.state, later.subject) == (State.UNKNOWN, "doctor")


def test_one_that_is_not_there(tmp_path: Path) -> None:
    _, line, _ = examined(tmp_path)
    assert (line.state, "cannot be read: No such file" in line.what) == (State.WRONG, True)
    assert "--config FILE" in line.remedy


def test_one_that_only_others_may_read_is_unknown(tmp_path: Path) -> None:
    line = configuration._problem(
        patient(tmp_path / "c", machine=Unprivileged()), "cannot be read: Permission denied"
    )
    assert (line.state, line.remedy) == (State.UNKNOWN, "run this as root, or as nobody")


def test_a_secret_that_everybody_may_read(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "bot.password").chmod(0o644)
    (line, _) = bad(examined(tmp_path))
    assert (line.state, "chmod o-rwx" in line.what) == (State.WRONG, True)


@pytest.mark.parametrize(("mode", "folder"), [(0o646, 0o755), (0o644, 0o757)])
def test_what_everybody_may_change(tmp_path: Path, mode: int, folder: int) -> None:
    path = configured(tmp_path)
    path.chmod(mode)
    tmp_path.chmod(folder)
    (line,) = configuration.file_findings(patient(path, "no-such-user"))
    assert (line.state, "chmod o-w" in line.remedy) == (State.WRONG, True)


@root_only
def test_one_that_the_daemon_may_not_read(short_folder: Path) -> None:
    short_folder.chmod(0o755)
    path = configured(short_folder)
    path.chmod(0o640)
    (line,) = configuration.file_findings(patient(path))
    assert (line.state, line.what) == (State.WRONG, f"nobody may not read {path}")
    path.chmod(0o644)
    assert list(configuration.file_findings(patient(path))) == []


def test_variables_that_change_nothing() -> None:
    environment = {
        "BOUNCE_SIDECAR_CONFIG": "/etc/x",
        "BOUNCE_SIDECAR_VERP__DOMAIN": "x",
        "bounce_sidecar_log__level": "debug",
        "BOUNCE_SIDECAR_VERB__DOMAIN": "x",
        "PATH": "/bin",
    }
    (line,) = configuration.strange_overrides(environment)
    assert line.state is State.WARN
    assert "did you mean BOUNCE_SIDECAR_VERP__DOMAIN?" in line.what
    assert line.remedy == "unset BOUNCE_SIDECAR_VERB__DOMAIN"


def test_groups_that_are_not_there_and_rules_that_are_wrong(tmp_path: Path) -> None:
    path = configured(tmp_path)
    path.write_text(path.read_text().replace("[sockets]", '[sockets]\nmta_group = "no-such-group"'))
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "rules.d/mine.toml").write_text("no toml")
    group, rule = configuration.read(patient(path, "root")).findings
    assert ("no group no-such-group" in group.what, "mine.toml" in rule.what) == (True, True)


def test_somebody_else_may_is_asked_of_a_child() -> None:
    if os.geteuid() == 0:
        nobody = Account(65534, 65534, ())
        assert Machine().may(nobody, Path("/"), os.R_OK) is True
        assert Machine().may(nobody, Path("/root/.profile"), os.W_OK) is False
    assert Unprivileged().may(Account(os.geteuid() + 1, 1, ()), Path("/"), os.R_OK) is None
