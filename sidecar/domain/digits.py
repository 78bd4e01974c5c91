"""Numbers and octets as they are spelled in a return path: base 36 and base 32, in lower case.

Knows digits; two at a time, because each mail of the wiki waits for some forty. Does not know what they mean.
"""

__all__ = ["base32", "base36"]

_TO_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_TO_32 = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 section 6
_PAIRS_36, _PAIRS_32 = ([one + other for one in digits for other in digits] for digits in (_TO_36, _TO_32))


def base36(number: int) -> str:
    """A number that is not negative."""
    digits = ""
    while number >= 36**2:
        number, pair = divmod(number, 36**2)
        digits = _PAIRS_36[pair] + digits
    return (_PAIRS_36[number] if number >= 36 else _TO_36[number]) + digits


def base32(octets: bytes) -> str:
    """As base64.b32encode, for 5, 10, 15, .. octets, which need no padding."""
    number, bits = int.from_bytes(octets, "big"), len(octets) * 8
    return "".join([_PAIRS_32[number >> shift & 1023] for shift in range(bits - 10, -1, -10)])
