"""The global variables that a PHP file sets, as far as it says so itself.

Knows which statements are carried out whatever happens, and which may be. What is set under a condition, in a
function, by reference or by something that is not in the file is not known, and it is said why and where.
Never runs anything. tree-sitter parses; it is imported when a file is read, and may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .php_changes import Doubt, called, changes, line_of, variable
from .php_values import DEEPEST, HEREDOC, CannotKnow, Value, Values, checked, joined, parts, with_element

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Doubt", "Known", "PhpError", "PhpFile", "Unknown", "read"]

MOST_OCTETS = 4_000_000  # of a file: the largest known, of Wikimedia's wikis, has a million

#: For PHP each octet beyond ASCII is a letter; for the parser some are blanks. And a lone CR ends a line.
_LETTERS = bytes(one if 32 <= one < 127 or one in b"\t\n\r" else ord("_") for one in range(256))
#: Closes a comment that is never closed: the parser would look for its end again at each further one.
_END = b"\n/**/"
NO_PHP = "what begins here is no PHP; perhaps it is never closed"
_OPENS = re.compile(rb"<\?(?:php(?=[ \t\r\n]|\Z)|=)", re.IGNORECASE)
_CONDITIONS = (
    "if_statement", "while_statement", "for_statement", "foreach_statement", "switch_statement",
    "do_statement", "try_statement", "declare_statement",
)  # fmt: skip
_ASSIGNS = ("assignment_expression", "augmented_assignment_expression")
_ENDS = (b"die", b"exit", b"__halt_compiler")
LATER = "set in a function, which may be called later"
BOUND = "set by reference: what changes another one changes it"


class PhpError(Exception):
    """The file is no PHP that could be run either; the message names the line."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")


@dataclass(frozen=True)
class Known:
    """A value that stands in the file."""

    value: Value = field(repr=False)
    line: int


@dataclass(frozen=True)
class Unknown:
    """It is set, and to what does not stand in the file."""

    line: int
    why: str


@dataclass
class PhpFile:
    """What was read."""

    variables: dict[bytes, Known | Unknown] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    def get(self, name: str) -> Known | Unknown | None:
        """What `$name` is in the end; None if the file does not set it."""
        return self.variables.get(name.encode())


def read(source: bytes) -> PhpFile:
    """All of *source*. Raises PhpError if it could not be run either, and ImportError without tree-sitter."""
    reader = _Reader(source)
    for statement in _statements(source):
        if not reader.carry_out(statement):
            break
    reader.settle()
    return reader.file


def _statements(source: bytes) -> Iterator[Node]:
    """Those that are carried out whatever happens, also in braces. Raises PhpError."""
    waiting = list(reversed(_parsed(source)))
    while waiting:
        node = waiting.pop()
        if node.type in ("compound_statement", "namespace_definition"):
            waiting += reversed(node.children)
        elif node.type not in ("{", "}"):
            yield node


def _parsed(source: bytes) -> list[Node]:
    """The file's statements, to where PHP stops reading."""
    import tree_sitter as ts  # 5 MB that only this command needs
    import tree_sitter_php

    if len(source) > MOST_OCTETS:
        raise PhpError(1, f"more than {MOST_OCTETS:,} octets are no settings")
    language = ts.Language(tree_sitter_php.language_php())
    letters = re.sub(rb"\r(?!\n)", b"\n", source).translate(_LETTERS)
    root = ts.Parser(language).parse(letters + _END).root_node
    found: list[Node] = []
    for node in [root] if root.is_error else root.children:
        if node.has_error or node.is_missing:
            raise PhpError(_error_line(node), NO_PHP)
        found.append(node)
        if any(called(source, inner) == b"__halt_compiler" for inner in node.children):
            break
    last = root.descendant_for_byte_range(len(source), len(letters + _END))
    if last is not None and last.type == "comment" and last.start_byte < len(source):
        raise PhpError(line_of(last), NO_PHP)
    marks = ts.QueryCursor(ts.Query(language, "(php_tag) @tag (heredoc) @text (nowdoc) @text")).captures(root)
    if not marks.get("tag"):
        raise PhpError(1, "there is no <?php")
    for tag in marks["tag"]:
        if not _OPENS.match(source, tag.start_byte):
            raise PhpError(line_of(tag), "<? without php, which is code or not as PHP is set up")
    for text in marks.get("text", ()):
        match = HEREDOC.match(source, text.start_byte)
        if match is None or match.end() != text.end_byte:
            raise PhpError(line_of(text), "a <<< text whose end is in doubt")
    return found


def _error_line(node: Node) -> int:
    while not (node.is_error or node.is_missing):
        node = next(child for child in node.children if child.has_error or child.is_missing)
    return line_of(node)


@dataclass(frozen=True)
class _Target:
    """Where an assignment puts its value."""

    name: bytes
    path: list[Node | None]  #: subscripts; None is []
    sign: str


class _Reader:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._values = Values(source, self._look_up)
        self.file = PhpFile()
        self._often: dict[bytes, Unknown] = {}  #: may be changed at any time after
        self._may_have_ended = 0  #: the line that may end the file before what follows

    def carry_out(self, statement: Node) -> bool:
        """False if nothing is carried out behind it."""
        inner = parts(statement)[0] if statement.type == "expression_statement" else statement
        if inner.type in ("return_statement", "exit_statement") or called(self._source, inner) in _ENDS:
            return False
        if not self._assignment(inner):
            condition = statement.type in _CONDITIONS
            self._note(statement, "set under a condition" if condition else "set in passing")
        return True

    def settle(self) -> None:
        """What a function or a reference sets may be set at any time, whatever the file says."""
        self.file.variables |= self._often

    def _note(self, node: Node, why: str) -> None:
        """Nobody can follow this code: what it may change is not known."""
        found = changes(self._source, node)
        touched = found.touched | found.later
        self.file.variables |= {name: Unknown(line, why) for name, line in touched.items()}
        bound = {name: Unknown(line, BOUND) for name, line in found.bound.items()}
        later = {name: Unknown(line, LATER) for name, line in found.later.items()}
        self._often = bound | later | self._often
        self.file.doubts += found.doubts
        self._may_have_ended = self._may_have_ended or found.may_end

    def _assignment(self, whole: Node) -> bool:
        """`$a = $b = value`, `$a['b'][] = value` and the like; False if it is none."""
        targets: list[_Target] = []
        value = whole
        while value.type in _ASSIGNS:
            left, sign, value = parts(value)
            target = self._target(left, sign.type)
            if target is None or (targets and (targets[-1].path or target.path)):
                return False
            targets.append(target)
        if not targets:
            return False
        line, why = line_of(whole), ""
        try:
            if self._may_have_ended:
                why = f"set only if line {self._may_have_ended} does not end the file before"
            else:
                self._set(targets, self._values.of(value), line)
        except CannotKnow as error:
            why = f"set by {error}"
        if why:
            self._note(whole, "set in passing")
            self.file.variables |= {target.name: Unknown(line, why) for target in targets}
        return True

    def _target(self, left: Node, sign: str) -> _Target | None:
        path: list[Node | None] = []
        while (name := variable(self._source, left)) is None and left.type == "subscript_expression":
            left, _, *key = parts(left)
            path.append(key[0] if len(key) == 2 else None)
        return None if name is None else _Target(name, path[::-1], sign)

    def _set(self, targets: list[_Target], value: Value, line: int) -> None:
        for target in reversed(targets):
            value = self._computed(target, value)
            self.file.variables[target.name] = Known(checked(value), line)

    def _computed(self, target: _Target, value: Value) -> Value:
        """What the variable is then."""
        if target.path:
            if target.sign != "=" or len(target.path) > DEEPEST:
                raise CannotKnow("arithmetic within an array")
            keys = [() if key is None else (self._values.of(key),) for key in target.path]
            return with_element(self._before(target.name), keys, value)
        if target.sign == "=":
            return value
        if target.sign == "??=":
            before = self._before(target.name)
            return value if before is None else before
        return joined(target.sign[:-1], self._look_up(target.name), value)

    def _before(self, name: bytes) -> Value:
        """As PHP takes it where it need not be set: null, but for MediaWiki's own, which have defaults."""
        fresh = name not in self.file.variables and not name.startswith(b"wg")
        return None if fresh else self._look_up(name)

    def _look_up(self, name: bytes) -> Value:
        found = self.file.variables.get(name)
        if isinstance(found, Known):
            return found.value
        told = name.decode("utf-8", "replace")
        raise CannotKnow(f"${told}, which is {'not known' if found else 'not set in this file'}")
