"""Configurations that nobody means, as check-config reads them.

What must be: a Config, or ConfigError with problems in an operator's words: printable, a line each, and no
word of Python's; whatever a Config promises holds: it signs and recognises.
"""

import re
from pathlib import Path

from sidecar.configuration.config import ConfigError, keys_settings, parse, rules_directory
from sidecar.configuration.secrets import SecretError
from sidecar.domain.verp import TooLong
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.doors.keys import NOW
from tests.attack.doors.toml_words import TOML_WORDS
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign", "check_words"]

_CONFIGS = Path(__file__).parents[3] / "fixtures" / "configs"
_SECRETS = {file.name: file.read_bytes() for file in (_CONFIGS / "good").iterdir() if file.suffix != ".toml"}
_PYTHONS = re.compile(r"Traceback|object at 0x|NoneType|pydantic|\bFile \"")


def _secret(name: str) -> bytes:
    if name not in _SECRETS:
        raise SecretError("No such file or directory")
    return _SECRETS[name]


def check_words(problems: list[str]) -> None:
    """Raises Broken unless these are complaints for people."""
    if not problems:
        raise Broken("refused without a word")
    for problem in problems:
        if not problem.isprintable() or _PYTHONS.search(problem) or not problem.strip():
            raise Broken(f"no words for an operator: {problem[:300]!r}")


def _check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for read in (rules_directory, keys_settings):
        try:
            read(text)
        except ConfigError as error:
            check_words(error.problems)
    try:
        config = parse(text, _secret)
    except ConfigError as error:
        check_words(error.problems)
        return
    for wiki in config.wikis:
        try:
            path = config.verp.issue(wiki.id, 1, "somebody@example.org", NOW)
        except TooLong:
            continue
        if config.verp.recognise(path, NOW).wiki != wiki.id:
            raise Broken(f"{path} is another wiki's")


TARGET = Target(
    __name__,
    _check,
    seeds=[file.read_bytes() for file in sorted(_CONFIGS.rglob("*.toml"))],
    words=TOML_WORDS,
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)
