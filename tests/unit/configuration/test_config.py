"""The configuration: what is wrong is refused, all of it at once and in the operator's words.

fixtures/configs/bad shows each mistake with the words it must get.
"""

import traceback
from pathlib import Path

import pytest

from sidecar.configuration.config import parse
from sidecar.configuration.configured import ConfigError
from sidecar.host import load_config
from tests.unit.configuration.configs import CONFIGS, SECRET_FILES, minimal, private, problems

BAD = sorted(folder for folder in (CONFIGS / "bad").iterdir() if folder.is_dir())


@pytest.mark.parametrize("case", BAD, ids=lambda folder: folder.name)
def test_a_mistake_gets_these_words(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private(case, tmp_path)
    environment = case / "environment"
    for line in environment.read_text().splitlines() if environment.exists() else []:
        monkeypatch.setenv(*line.split("=", 1))
    assert problems(tmp_path) == (case / "expected.txt").read_text().splitlines()


@pytest.mark.parametrize("odd", ["\\u202e", "\\u0007", "\\u001b[2J", "\\n", "\\ufeff", "\\u00a0", "\\ue000"])
@pytest.mark.parametrize(
    "text",
    [
        '[sockets]\n"a{odd}b" = 1\n',
        '[sockets]\nverp = "/{odd}' + "x" * 120 + '"\n',
        '[[wikis]]\nid = "a{odd}b"\n',
        '"{odd}" = 1\n',
    ],
)
def test_a_mistake_is_one_line_whatever_is_written(text: str, odd: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text.replace("{odd}", odd), lambda name: b"")
    assert [problem for problem in refused.value.problems if not problem.isprintable()] == []
    assert str(refused.value).split("\n") == refused.value.problems


def test_no_words_about_a_mistake_hold_a_secret() -> None:
    for case in BAD:
        words = (case / "expected.txt").read_text()
        files = [file for file in case.iterdir() if file.suffix in SECRET_FILES]
        lines = {line for file in files for line in file.read_text().split("\n") if line and line[0] != "#"}
        secrets = {line.rpartition("= ")[2] for line in lines}
        for secret in secrets | {"hunter2", "0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p", "eyJ"}:
            assert secret not in words, case.name


def test_a_file_that_many_wikis_name_is_read_once_and_complained_about_once(folder: Path) -> None:
    text = '[verp]\ndomain = "bounces.example.org"\n'
    for number in range(1000):
        text += f'[[wikis]]\nid = "w{number}"\napi = "https://w.example.org/w/api.php"\n'
        text += f'account = "B@s"\npassword_file = "{number % 2}.password"\n'
    secrets = {"verp.keys": b"k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo", "0.password": b"0a1b2c3d" * 4}
    read: list[str] = []

    def secret(name: str) -> bytes:
        read.append(name)
        return secrets.get(name, b"too short")

    with pytest.raises(ConfigError) as caught:
        parse(text, secret)
    assert read == ["verp.keys", "0.password", "1.password"]
    [problem] = caught.value.problems
    assert problem.startswith("[[wikis]] w1 password_file = '1.password': not a bot password")


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(folder: Path) -> None:
    assert problems(folder) == ["cannot be read: No such file or directory"]
    (folder / "config.toml").write_bytes(b"\xff\xfe")
    assert problems(folder) == ["cannot be read: not UTF-8"]


def test_neither_the_configuration_nor_a_traceback_shows_a_secret(folder: Path) -> None:
    shown = repr(load_config(folder / "bouncehandler.toml")) + repr(load_config(folder / "farm.toml"))
    try:
        minimal(folder, '[policy]\nmode = "on"')
    except ConfigError as error:
        shown += "".join(traceback.format_exception(error))
    assert "mode" in shown
    for file in ("verp.keys", "enwiki.password", "dewiki.password", "php.secret"):
        for line in (folder / file).read_text().splitlines():
            assert line.startswith("#") or line not in shown
