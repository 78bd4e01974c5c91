"""What a PHP expression is worth, as far as that stands in the file.

Knows literals, arrays, and the arithmetic and the joining of known values, as PHP 8 does them (its manual,
"Operator Precedence", "Integers", "Arrays"). Whatever needs a function, a class, a constant or a variable
that is not known is not known. Never runs anything.
"""

import re
from collections.abc import Callable, Sequence

from .php_numbers import LARGEST, CannotKnow, Value, calculated, number
from .php_tokens import DEEPEST, Kind, Token, Unreadable, Variable

__all__ = ["CannotKnow", "Value", "append", "copied", "evaluate", "is_small", "put"]

MOST_OCTETS = 65_536  # of a string: no setting is longer, and joining doubles them
MOST_ELEMENTS = 1_000  # of an array, with what is in it

_DECIMAL = re.compile(rb"-?[1-9][0-9]*|0")
_CONSTANTS: dict[bytes, Value] = {b"true": True, b"false": False, b"null": None}


def evaluate(found: Sequence[Token], start: int, end: int, look_up: Callable[[bytes], Value]) -> Value:
    """The value of the tokens from *start* up to *end*. Raises CannotKnow; so may *look_up*."""
    reader = _Reader(found, start, end, look_up)
    value = reader.expression(0)
    if reader.at != end:
        raise CannotKnow("an expression")
    return _checked(value)


def is_small(value: Value) -> bool:
    """Whether an array is one that is worth knowing; arrays in arrays could grow without end."""
    waiting, seen = [value], 0
    while waiting:
        seen += 1
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        if seen + len(waiting) > MOST_ELEMENTS:
            return False
    return True


def copied(value: Value) -> Value:
    """PHP's arrays are values: changing one changes no other."""
    return {key: copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def put(array: dict[int | bytes, Value], key: Value, value: Value) -> None:
    """`$array[key] = value`. Raises CannotKnow."""
    array[_key(key)] = value


def append(array: dict[int | bytes, Value], value: Value) -> None:
    """`$array[] = value`. Raises CannotKnow."""
    numbers = [key for key in array if isinstance(key, int)]
    if numbers and min(numbers) < 0:
        raise CannotKnow("an array with negative keys, which PHP's versions continue differently")
    if numbers and max(numbers) == LARGEST:
        raise CannotKnow("an array that is full")
    array[max(numbers, default=-1) + 1] = value


def _key(key: Value) -> int | bytes:
    if isinstance(key, bytes):
        whole = _DECIMAL.fullmatch(key) and len(key) < 20 and -LARGEST - 1 <= int(key) <= LARGEST
        return int(key) if whole else key
    if isinstance(key, int):
        return int(key)
    if key is None:
        return b""
    raise CannotKnow("an array's key that is no whole number and no string")


def _checked(value: Value) -> Value:
    if isinstance(value, bytes) and len(value) > MOST_OCTETS:
        raise CannotKnow("a string longer than any setting")
    if not is_small(value):
        raise CannotKnow("an array larger than any setting")
    return value


class _Reader:
    """Recursive descent over the operators whose result is known."""

    def __init__(
        self, found: Sequence[Token], start: int, end: int, look_up: Callable[[bytes], Value]
    ) -> None:
        self._found, self.at, self._end, self._look_up = found, start, end, look_up

    def expression(self, depth: int) -> Value:
        """Strings joined with `.`, which since PHP 8 binds less than + and -, and before as much."""
        if depth > DEEPEST:
            raise CannotKnow("brackets in brackets, too deep")
        start = self.at
        value = self._sum(depth)
        mixed = self._has_sum(start)
        pieces = [value]
        while self._take(b"."):
            start = self.at
            pieces.append(self._sum(depth))
            mixed = mixed or self._has_sum(start)
        if len(pieces) == 1:
            return value
        if mixed:
            raise CannotKnow("+ beside ., which PHP's versions read differently")
        return _checked(b"".join(map(_as_string, pieces)))

    def _has_sum(self, start: int) -> bool:
        """Whether a sum stands there that no bracket holds together."""
        index = start
        while index < self.at:
            token = self._found[index]
            if token.kind is Kind.SIGN and token.text in (b"+", b"-") and index > start:
                return True
            index = token.match + 1 if token.match > index else index + 1
        return False

    def _sum(self, depth: int) -> Value:
        value = self._product(depth)
        while sign := self._take(b"+", b"-"):
            value = calculated(sign, value, self._product(depth))
        return value

    def _product(self, depth: int) -> Value:
        value = self._signed(depth)
        while sign := self._take(b"*", b"/", b"%"):
            value = calculated(sign, value, self._signed(depth))
        return value

    def _signed(self, depth: int) -> Value:
        signs = []
        while sign := self._take(b"-", b"+", b"!"):
            signs.append(sign)
        value = self._power(depth)
        for sign in reversed(signs):
            value = _negated(value) if sign == b"!" else calculated(sign, 0, value)
        return value

    def _power(self, depth: int) -> Value:
        base = self._operand(depth)
        if not self._take(b"**"):
            return base
        if depth > DEEPEST:
            raise CannotKnow("powers of powers")
        negative = self._take(b"-")
        exponent = self._power(depth + 1)
        return calculated(b"**", base, calculated(b"-", 0, exponent) if negative else exponent)

    def _operand(self, depth: int) -> Value:
        if self.at >= self._end:
            raise CannotKnow("nothing")
        token = self._found[self.at]
        if token.kind is Kind.SIGN and token.text in (b"(", b"["):
            self.at += 1
            value = self._array(token.match, depth) if token.text == b"[" else self.expression(depth + 1)
            self._must_be_at(token.match)
            self.at += 1
            return value
        if token.kind is Kind.NAME and token.text == b"array" and self._is(self.at + 1, b"("):
            close = self._found[self.at + 1].match
            self.at += 2
            value = self._array(close, depth)
            self._must_be_at(close)
            self.at += 1
            return value
        self.at += 1
        value = self._single(token)
        if self._is(self.at, b"[", b"(", b"->", b"::", b"?->", b"{"):
            raise CannotKnow("a function" if token.kind is Kind.NAME else "a part of a value")
        return value

    def _single(self, token: Token) -> Value:
        if token.kind is Kind.NUMBER:
            return number(token.text)
        if token.kind is Kind.STRING:
            return b"".join(map(self._part, token.parts))
        if token.kind is Kind.VARIABLE:
            return copied(self._look_up(token.text))
        if token.kind is Kind.NAME and token.text in _CONSTANTS:
            return _CONSTANTS[token.text]
        if token.kind is Kind.NAME:
            what = "a function" if self._is(self.at, b"(") else "a constant"
            raise CannotKnow(f"{what} ({token.text.decode('utf-8', 'replace')})")
        raise CannotKnow("an expression")

    def _part(self, part: bytes | Variable | Unreadable) -> bytes:
        if isinstance(part, Unreadable):
            raise CannotKnow("an expression in a string")
        return part if isinstance(part, bytes) else _as_string(self._look_up(part.name))

    def _array(self, close: int, depth: int) -> Value:
        if depth > DEEPEST:
            raise CannotKnow("arrays in arrays, too deep")
        array: dict[int | bytes, Value] = {}
        while self.at < close:
            value = self.expression(depth + 1)
            if self._take(b"=>"):
                put(array, value, self.expression(depth + 1))
            else:
                append(array, value)
            if len(array) > MOST_ELEMENTS:
                raise CannotKnow("an array larger than any setting")
            if not self._take(b","):
                break
        return _checked(array)

    def _must_be_at(self, close: int) -> None:
        if self.at != close:
            raise CannotKnow("an expression")

    def _is(self, index: int, *signs: bytes) -> bool:
        return index < self._end and self._found[index].kind is Kind.SIGN and self._found[index].text in signs

    def _take(self, *signs: bytes) -> bytes:
        """The sign that stands here, if it is one of these; b"" if not."""
        if not self._is(self.at, *signs):
            return b""
        self.at += 1
        return self._found[self.at - 1].text


def _negated(value: Value) -> Value:
    if value is None or isinstance(value, bool | int):
        return not value
    raise CannotKnow("a negation of what is no truth")


def _as_string(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    if value is None or value is False:
        return b""
    if value is True:
        return b"1"
    if isinstance(value, int):
        return str(value).encode()
    raise CannotKnow("a fraction or an array as a string")
