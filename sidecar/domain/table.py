"""Rule files, read: TOML to rules and vetoes in their order.

Knows the form of a file and where a mistake stands. Does not know which rule wins (see classify).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from . import toml_text
from .pattern import compile_phrase
from .rule import MakePhrase, Rule, RuleError, Veto, read_rule, read_veto

__all__ = ["Table", "read_tables"]

Entry = TypeVar("Entry", Rule, Veto)


@dataclass
class Table:
    """What some files hold, the earlier file and the earlier rule first, and what is wrong with them."""

    phrase: MakePhrase  #: as for read_rule
    rules: list[Rule] = field(default_factory=list)
    vetoes: list[Veto] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)  #: id of a rule or veto -> name of its file
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, text: str) -> None:
        """Take in one file; whatever cannot be used becomes a problem, and the rest is taken."""
        try:
            document = toml_text.parse(text)
        except toml_text.NotToml as error:
            self.problems.append(f"{name} is not TOML: {error}")
            return
        for key in document:
            if key not in ("rule", "veto"):
                self.problems.append(f"{name}: unknown table or key {key!r}; known are [[rule]] and [[veto]]")
        self.rules.extend(self._entries(name, document, "rule", read_rule))
        self.vetoes.extend(self._entries(name, document, "veto", read_veto))

    def _entries(
        self,
        name: str,
        document: Mapping[str, object],
        kind: str,
        read: Callable[[Mapping[str, object], str, MakePhrase], Entry],
    ) -> Iterator[Entry]:
        entries = document.get(kind, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.problems.append(f"{name}: {kind}s are written [[{kind}]]")
            return
        for place, entry in enumerate(entries, start=1):
            try:
                made = read(entry, f"{kind} {place}", self.phrase)
                if made.id in self.files:
                    raise RuleError(f"{kind} {made.id}: the id is taken, in {self.files[made.id]}")
            except RuleError as error:
                self.problems.append(f"{name}: {error}")
                continue
            self.files[made.id] = name
            yield made


def read_tables(files: tuple[tuple[str, str], ...], phrase: MakePhrase = compile_phrase) -> Table:
    """Read *files*, each its name and its text, the one that shall win first. *phrase*: as for read_rule."""
    table = Table(phrase)
    for name, text in files:
        table.add(name, text)
    return table
