"""Which variables may be changed by code that nobody can follow: conditions, functions, other files.

Knows the ways in which PHP changes a variable. In doubt one is changed. Does not know values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .php_values import CannotKnow, Value, Values, parts

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Changes", "Doubt", "called", "changes", "line_of", "variable"]

#: What changes each variable that it names; of an assignment only what stands before the sign.
_CHANGES = (
    "assignment_expression", "augmented_assignment_expression", "reference_assignment_expression",
    "update_expression", "list_literal", "foreach_statement", "pair", "by_ref", "argument", "catch_clause",
    "unset_statement", "global_declaration", "static_variable_declaration",
)  # fmt: skip
_ASSIGNS = ("assignment_expression", "augmented_assignment_expression")
_BINDS = ("reference_assignment_expression", "by_ref")
#: What is a part of a variable, or the variable itself.
_AROUND = ("subscript_expression", "member_access_expression", "nullsafe_member_access_expression",
           "parenthesized_expression", "variadic_unpacking", "by_ref")  # fmt: skip
_FUNCTIONS = ("function_definition", "method_declaration", "anonymous_function", "arrow_function")
_INCLUDES = ("include_expression", "include_once_expression", "require_expression", "require_once_expression")
_TEXTS = ("encapsed_string", "heredoc_body")
_ANYTHING = (b"eval", b"extract", b"parse_str")
#: What takes its arguments by value, of all that a LocalSettings.php may call.
_BY_VALUE = (
    b"isset", b"empty", b"exit", b"die", b"define", b"defined", b"in_array", b"array_key_exists", b"count",
    b"strlen", b"getenv", b"sprintf", b"is_array", b"rtrim", b"trim", b"file_exists", b"dirname",
)  # fmt: skip


@dataclass(frozen=True)
class Doubt:
    """Something that may set any variable."""

    line: int
    what: str


@dataclass
class Changes:
    """What a piece of code may do; variables with the line."""

    touched: dict[bytes, int] = field(default_factory=dict)
    later: dict[bytes, int] = field(default_factory=dict)  #: in a function, whenever that is called
    bound: dict[bytes, int] = field(default_factory=dict)  #: changed with another one from now on
    doubts: list[Doubt] = field(default_factory=list)
    may_end: int = 0  #: the line that may end the file there; 0 if none does


def line_of(node: Node) -> int:
    return node.start_point.row + 1


def called(source: bytes, node: Node) -> bytes:
    """The name of the function that is called, in lower case; b"" if none is."""
    if node.type != "function_call_expression":
        return b""
    return _text(source, node.children[0]).removeprefix(b"\\")


def _text(source: bytes, node: Node) -> bytes:
    return source[node.start_byte : node.end_byte].lower()


def variable(source: bytes, node: Node) -> bytes | None:
    """The name in `$name`, `$GLOBALS['name']` or `${'name'}`; None if it is none of these, or not known."""
    name: Value = None
    if node.type == "variable_name":
        name = source[node.start_byte + 1 : node.end_byte]
    elif node.type in ("subscript_expression", "dynamic_variable_name"):
        first, *inside = parts(node)
        if len(inside) == 3 and source[first.start_byte : first.end_byte] in (b"$", b"$GLOBALS"):
            name = _literal(source, inside[1])
    return name if isinstance(name, bytes) and name != b"GLOBALS" else None


def _literal(source: bytes, node: Node) -> Value:
    try:
        return Values(source, _nothing).of(node)
    except CannotKnow:
        return None


def _nothing(name: bytes) -> Value:
    raise CannotKnow("a variable")


def changes(source: bytes, whole: Node) -> Changes:
    """What *whole* may change, whether or not it is carried out."""
    found = Changes()
    mentioned: dict[bytes, int] = {}
    binds = False
    by_value: set[int] = set()
    waiting = [(whole, False, whole)]
    while waiting:
        node, function, around = waiting.pop()
        function = function or node.type in _FUNCTIONS
        binds = binds or node.type in _BINDS
        line, name, children = line_of(node), variable(source, node), node.children
        if called(source, node) in _BY_VALUE:
            by_value.add(children[-1].id)
        if node.type in _CHANGES and around.id not in by_value:
            (found.later if function else found.touched).update(_targets(source, node))
        if name is not None:
            mentioned[name] = line
            children = children[1:] if node.type == "subscript_expression" else []
        if why := _doubt(source, node, around, name):
            found.doubts.append(Doubt(line, why))
        if node.type in ("return_statement", "goto_statement") and not function:
            found.may_end = found.may_end or line
        waiting += [(child, function, node) for child in reversed(children)]
    if binds:
        found.bound = mentioned
    return found


def _targets(source: bytes, node: Node) -> dict[bytes, int]:
    """The variables that *node* itself changes."""
    targets = parts(node)[:1] if node.type in _ASSIGNS else parts(node)
    bases = (_base(source, target) for target in targets)
    return {base: line_of(node) for base in bases if base is not None}


def _base(source: bytes, node: Node) -> bytes | None:
    """The variable that a target is a part of."""
    while (name := variable(source, node)) is None and node.type in _AROUND:
        node = next(part for part in parts(node) if part.is_named)
    return name


def _doubt(source: bytes, node: Node, around: Node, name: bytes | None) -> str:
    """Why *node* may set any variable; "" if it does not."""
    function = called(source, node)
    if node.type in _INCLUDES:
        return "includes another file"
    if function in _ANYTHING:
        return f"calls {function.decode()}(), which may set anything"
    if node.type == "goto_statement":
        return "goes elsewhere"
    means = node.type == "name" and around.type == "function_definition" and _text(source, node) in _BY_VALUE
    if means or (node.type == "function" and around.type == "namespace_use_clause"):
        return "gives a function of PHP another meaning"
    # "${name}" in a string is $name.
    read = around.type in _TEXTS and any(child.type == "name" for child in node.children)
    if name is None and (node.type == "variable_name" or (node.type == "dynamic_variable_name" and not read)):
        return "may set a variable whose name is not known"
    return ""
