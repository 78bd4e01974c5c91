"""Rule files: those that come with the sidecar, and the operator's own, which are tried first.

Knows where they lie and their order, which is that of their names. Does not know what is in a rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from sidecar.domain.classify import HARD_CAPABLE, RuleBook, RuleError, problems
from sidecar.domain.pattern import Phrase
from sidecar.domain.table import read_tables

__all__ = ["Listed", "built_in", "check", "listed", "load", "own"]


@dataclass(frozen=True)
class Listed:
    """A rule and where it stands."""

    id: str
    category: str  #: "" for a veto
    hard: bool  #: may count
    file: str


File = tuple[str, str]  #: name and text


@cache
def built_in() -> RuleBook:
    """The rules that come with the sidecar."""
    return RuleBook.known(*_built_in_files())


def _built_in_files() -> list[File]:
    """Their files, in the order in which they are tried."""
    files = resources.files("sidecar.domain").joinpath("rules").iterdir()
    return [(file.name, file.read_text("utf-8")) for file in sorted(files, key=lambda file: file.name)]


def load(directory: Path) -> RuleBook:
    """The operator's rules in *directory*, which may be absent, before the built-in ones.

    Raises RuleError with all problems, a line each.
    """
    files, unreadable = _files(own(directory))
    wrong = unreadable + problems(*files, then=built_in())
    if wrong:
        raise RuleError("\n".join(wrong))
    return RuleBook.parse(*files, then=built_in())


def own(directory: Path) -> list[Path]:
    """*directory*, unless it is absent. Raises RuleError if we may not even look."""
    try:
        directory.stat()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RuleError(f"{directory}: cannot be read: {error.strerror}") from None
    return [directory]


def check(paths: Iterable[Path]) -> list[str]:
    """All problems of the rule files at *paths*, each with file, rule and reason."""
    files, unreadable = _files(paths)
    return unreadable + problems(*files, then=built_in())


def listed(paths: Iterable[Path]) -> list[Listed]:
    """The rules at *paths* and the built-in ones, in the order in which they are tried; then the vetoes."""
    files, _ = _files(paths)
    tables = [read_tables(tuple(files)), read_tables(tuple(_built_in_files()), Phrase)]
    rules = [
        Listed(rule.id, rule.category, rule.category in HARD_CAPABLE, table.files[rule.id])
        for table in tables
        for rule in table.rules
    ]
    return rules + [
        Listed(veto.id, "", False, table.files[veto.id]) for table in tables for veto in table.vetoes
    ]


def _files(paths: Iterable[Path]) -> tuple[list[File], list[str]]:
    """The rule files at *paths*, files or folders of *.toml, and what cannot be read of them."""
    files, wrong = [], []
    for path in paths:
        try:
            names = sorted(_tables(path)) if path.is_dir() else [path]
        except OSError as error:
            wrong.append(f"{path}: {error.strerror or error}")
            continue
        for name in names:
            if name.exists() and not (name.is_file() or name.is_dir()):
                wrong.append(f"{name}: cannot be read: not a file")  # a pipe or a device: it may never end
                continue
            try:
                files.append((str(name), name.read_text("utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "not UTF-8"
                wrong.append(f"{name}: cannot be read: {why}")
    return files, wrong


def _tables(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if file.suffix == ".toml"]
