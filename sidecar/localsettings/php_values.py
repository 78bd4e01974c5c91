"""What a PHP expression is worth, as far as that stands in the file.

Knows literals, arrays, joined strings, and sums and products of whole numbers within 64 bits (PHP's manual,
"Strings", "Integers", "Arrays"). Whatever else there is, is not known. Never runs anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = [
    "DEEPEST",
    "HEREDOC",
    "CannotKnow",
    "Value",
    "Values",
    "checked",
    "joined",
    "parts",
    "with_element",
]

#: null, bool, int, string (octets), array (keys are integers or octets), which nobody changes in its place.
Value = None | bool | int | bytes | dict["int | bytes", "Value"]

DEEPEST = 40  # brackets in brackets, arrays in arrays: nobody writes settings so
LARGEST = 2**63 - 1  # PHP_INT_MAX
MOST_OCTETS = 65_536  # of a string: no setting is longer, and joining doubles them
MOST_ELEMENTS = 1_000  # of an array, with what is in it

_NAME = rb"[a-zA-Z_\x80-\xff][a-zA-Z0-9_\x80-\xff]*+"
#: <<<"NAME", its lines, and the first NAME that begins a line and does not go on.
HEREDOC = re.compile(
    rb"<<<[ \t]*+([\"']?)(" + _NAME + rb")\1\r?\n"
    rb"(.*?)^([ \t]*+)\2(?![a-zA-Z0-9_\x80-\xff])",
    re.DOTALL | re.MULTILINE,
)  # fmt: skip
_PIECE = re.compile(
    rb"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{1,2})|u\{(?P<point>0*[0-9A-Fa-f]{1,6})\})"
    rb"|(?P<unknown>\\u\{|\{\$(?!" + _NAME + rb"\})|\$\{(?!" + _NAME + rb"\})"
    rb"|\$" + _NAME + rb"(?=\[|\??->[a-zA-Z_\x80-\xff]))"
    rb"|\\(?P<letter>.)"
    rb"|\{\$(?P<braced>" + _NAME + rb")\}|\$\{(?P<inside>" + _NAME + rb")\}|\$(?P<bare>" + _NAME + rb")"
    rb"|[^\\${]++|.",
    re.DOTALL,
)
_ESCAPES = {
    b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"e": b"\x1b", b"f": b"\f", b"\\": b"\\", b"$": b"$",
}  # fmt: skip
_DECIMAL = re.compile(rb"-?[1-9][0-9]*|0")
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_CALLED = {"function_call_expression": "a function", "name": "a constant", "qualified_name": "a constant"}


class CannotKnow(Exception):
    """The value is not in the file; the message says what stands in its place."""


def parts(node: Node) -> list[Node]:
    """What a node is made of, without comments."""
    return [child for child in node.children if not child.is_extra]


class Values:
    """The values of a file's expressions; *look_up* knows the variables, and may raise CannotKnow."""

    def __init__(self, source: bytes, look_up: Callable[[bytes], Value]) -> None:
        self._source, self._look_up = source, look_up

    def of(self, node: Node, depth: int = 0) -> Value:
        """Raises CannotKnow."""
        if depth > DEEPEST:
            raise CannotKnow("brackets in brackets, too deep")
        text = self.text(node)
        match node.type:
            case "parenthesized_expression":
                return self.of(parts(node)[1], depth + 1)
            case "string" if text.startswith(b"'"):
                return re.sub(rb"\\([\\'])", rb"\1", text[1:-1])
            case "encapsed_string" if text.startswith(b'"'):
                return self._interpolated(text[1:-1], b'"')
            case "heredoc" | "nowdoc":
                return self._heredoc(text)
            case "integer":
                return _whole(text)
            case "boolean" | "null":
                return {b"true": True, b"false": False}.get(text.lower())
            case "variable_name":
                return self._look_up(text[1:])
            case "unary_op_expression" if text.startswith(b"-"):
                return joined("-", 0, self.of(parts(node)[1], depth + 1))
            case "binary_expression":
                return self._binary(node, depth)
            case "array_creation_expression":
                return self._array(node, depth)
            case "function_call_expression" | "name" | "qualified_name":
                name = self.text(parts(node)[0] if node.type not in ("name", "qualified_name") else node)
                told = name.decode("utf-8", "replace").lower()
                raise CannotKnow(f"{_CALLED[node.type]} ({told})")
        raise CannotKnow("an expression")

    def text(self, node: Node) -> bytes:
        return self._source[node.start_byte : node.end_byte]

    def _binary(self, node: Node, depth: int) -> Value:
        """From the left; one that is as long as the file does not stand as deep."""
        waiting = []
        while node.type == "binary_expression":
            left, sign, right = parts(node)
            waiting.append((sign.type, right))
            node = left
        signs = {sign for sign, _ in waiting}
        if "." in signs and (
            len(signs) > 1 or any(right.type == "binary_expression" for _, right in waiting)
        ):
            raise CannotKnow("+ beside ., which PHP's versions read differently")
        value = self.of(node, depth + 1)
        for operator_, right in reversed(waiting):
            value = joined(operator_, value, self.of(right, depth + 1))
        return value

    def _array(self, node: Node, depth: int) -> Value:
        array: dict[int | bytes, Value] = {}
        following = 0
        for element in parts(node):
            if element.type != "array_element_initializer":
                continue
            *keys, value = (self.of(one, depth + 1) for one in parts(element) if one.type != "=>")
            key = _key(*keys) if keys else following
            array[key] = value
            if isinstance(key, int):
                following = _behind(key, following)
            if len(array) > MOST_ELEMENTS:
                break
        return checked(array)

    def _heredoc(self, text: bytes) -> bytes:
        match = HEREDOC.match(text)
        if match is None:
            raise CannotKnow("an expression")
        quote, _, body, indent = match.groups()
        body = re.sub(rb"\r?\n\Z", b"", body)
        if any(row.strip() and not row.startswith(indent) for row in body.split(b"\n")):
            raise CannotKnow("a text that is not indented evenly")
        body = re.sub(rb"^[ \t]{0,%d}+" % len(indent), b"", body, flags=re.MULTILINE)
        return body if quote == b"'" else self._interpolated(body, b"")

    def _interpolated(self, text: bytes, end: bytes) -> bytes:
        return b"".join(self._piece(piece, end) for piece in _PIECE.finditer(text))

    def _piece(self, piece: re.Match[bytes], end: bytes) -> bytes:
        said = piece.groupdict()
        if said["unknown"]:
            raise CannotKnow("an expression in a string")
        if said["octal"]:
            return bytes([int(said["octal"], 8) & 0xFF])
        if said["hex"]:
            return bytes([int(said["hex"], 16)])
        if said["point"]:
            if (number := int(said["point"], 16)) > 0x10FFFF:
                raise CannotKnow("a character that is none")
            return chr(number).encode("utf-8", "surrogatepass")
        if letter := said["letter"]:
            return letter if letter == end else _ESCAPES.get(letter, piece[0])
        name = said["braced"] or said["inside"] or said["bare"]
        return _as_string(self._look_up(name)) if name else piece[0]


def joined(sign: str, left: Value, right: Value) -> Value:
    """Raises CannotKnow for what is no plain number: PHP's rules for the rest have changed over time."""
    if sign == ".":
        return checked(_as_string(left) + _as_string(right))
    if sign not in _ARITHMETIC:
        raise CannotKnow("an expression")
    if type(left) is not int or type(right) is not int:
        raise CannotKnow("arithmetic with what is no number")
    number = _ARITHMETIC[sign](left, right)
    if not -LARGEST - 1 <= number <= LARGEST:
        raise CannotKnow("a number without end")
    return int(number)


def with_element(array: Value, path: Sequence[tuple[Value, ...]], value: Value) -> Value:
    """`$array[...][...] = value`, as a new array; of `[]` the path says (). Raises CannotKnow."""
    if not path:
        return value
    if array is not None and not isinstance(array, dict):
        raise CannotKnow("a part of what is no array")
    old = array or {}
    if path[0]:
        key = _key(*path[0])
    else:
        key = max((_behind(one, 0) for one in old if isinstance(one, int)), default=0)
    return old | {key: with_element(old.get(key), path[1:], value)}


def checked(value: Value) -> Value:
    """Raises CannotKnow for what is larger than any setting: joined with itself it would have no end."""
    if isinstance(value, bytes) and len(value) > MOST_OCTETS:
        raise CannotKnow("a string longer than any setting")
    waiting, seen = [(value, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        seen += 1
        if isinstance(one, dict):
            waiting += [(inner, depth + 1) for inner in one.values()]
        if seen + len(waiting) > MOST_ELEMENTS or depth > DEEPEST:
            raise CannotKnow("an array larger than any setting")
    return value


def _key(key: Value) -> int | bytes:
    if isinstance(key, bytes):
        whole = _DECIMAL.fullmatch(key) and len(key) < 20 and -LARGEST - 1 <= int(key) <= LARGEST
        return int(key) if whole else key
    if isinstance(key, dict):
        raise CannotKnow("an array's key that is no whole number and no string")
    return b"" if key is None else int(key)


def _behind(key: int, following: int) -> int:
    """What `[]` goes on with behind *key*."""
    if key < 0 or key == LARGEST:
        raise CannotKnow("an array with keys that PHP's versions continue differently")
    return max(key + 1, following)


def _whole(text: bytes) -> int:
    digits = text.replace(b"_", b"")
    try:
        number = int(digits, 8 if digits.isdigit() and digits.startswith(b"0") else 0)
    except ValueError:
        raise CannotKnow("a number that is none") from None
    if number > LARGEST:
        raise CannotKnow("a number without end")
    return number


def _as_string(value: Value) -> bytes:
    if isinstance(value, dict):
        raise CannotKnow("an array as a string")
    if isinstance(value, bytes):
        return value
    return str(int(value)).encode() if value is not None and value is not False else b""
