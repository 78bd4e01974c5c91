"""PHP's numbers: how they are written, and what comes of calculating with them.

Knows integers of 64 bits that go on as fractions where they end (its manual, "Integers", "Integer overflow").
What PHP's versions or machines do differently is not known.
"""

import math
from collections.abc import Callable

__all__ = ["LARGEST", "CannotKnow", "Value", "calculated", "number"]

#: null, bool, int, float, string (octets), array (keys are integers or octets).
Value = None | bool | int | float | bytes | dict["int | bytes", "Value"]

LARGEST = 2**63 - 1  # PHP_INT_MAX


class CannotKnow(Exception):
    """The value is not in the file; the message says what stands in its place."""


def number(text: bytes) -> Value:
    digits = text.replace(b"_", b"").lower()
    for prefix, base in ((b"0x", 16), (b"0b", 2), (b"0o", 8)):
        if digits.startswith(prefix):
            return _whole(digits[2:], base)
    if digits.isdigit():
        octal = len(digits) > 1 and digits.startswith(b"0")
        return _whole(digits, 8 if octal else 10)
    try:
        return _finite(float(digits))
    except ValueError:
        raise CannotKnow("a number that is none") from None


def _whole(digits: bytes, base: int) -> Value:
    if len(digits) > 400:  # longer than any float
        raise CannotKnow("a number without end")
    try:
        number = int(digits, base)
    except ValueError:
        raise CannotKnow("a number that is none") from None
    if number > LARGEST and base != 10:
        raise CannotKnow("a number without end")
    return number if number <= LARGEST else _finite_of(number)


def calculated(sign: bytes, left: Value, right: Value) -> Value:
    """Raises CannotKnow for whatever is no plain number: PHP's rules for the rest have changed over time."""
    if sign == b"+" and isinstance(left, dict) and isinstance(right, dict):
        return left | {key: value for key, value in right.items() if key not in left}
    if not (_is_number(left) and _is_number(right)):
        raise CannotKnow("arithmetic with what is no number")
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    try:
        found = _ARITHMETIC[sign](left, right)
        if isinstance(found, int) and not -LARGEST - 1 <= found <= LARGEST:
            found = _ARITHMETIC[sign](float(left), float(right))  # as PHP goes on when integers end
        return found if isinstance(found, int) else _finite(found)
    except (ZeroDivisionError, OverflowError):
        raise CannotKnow("arithmetic without a result") from None


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _divided(left: int | float, right: int | float) -> int | float:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return float(left) / float(right)


def _remainder(left: int | float, right: int | float) -> int | float:
    if isinstance(left, float) or isinstance(right, float):
        raise CannotKnow("a remainder of fractions")
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _raised(left: int | float, right: int | float) -> int | float:
    if isinstance(left, float) or isinstance(right, float) or right < 0:
        result = float(left) ** right
        if isinstance(result, complex):
            raise CannotKnow("arithmetic without a result")
        return float(result)
    power = int(left**right) if right < 64 or abs(left) < 2 else LARGEST + 1
    if abs(power) > LARGEST:
        raise CannotKnow("a power without end")
    return power


_ARITHMETIC: dict[bytes, Callable[[int | float, int | float], int | float]] = {
    b"+": lambda left, right: left + right,
    b"-": lambda left, right: left - right,
    b"*": lambda left, right: left * right,
    b"/": _divided,
    b"%": _remainder,
    b"**": _raised,
}


def _finite_of(number: int | float) -> float:
    try:
        return _finite(float(number))
    except OverflowError:
        raise CannotKnow("a number without end") from None


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise CannotKnow("a number without end")
    return number
