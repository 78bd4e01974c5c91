"""Mail addresses, as far as we look into them.

Knows how to fold and to split. Does not know DNS, and never changes an address that somebody will write to.
"""

import re

__all__ = ["domain_of", "fold"]

_DOMAIN = re.compile(r"[\w.-]{1,255}")  # RFC 1035 section 2.3.4; letters of all alphabets, RFC 6531


def fold(address: str) -> str:
    """The form in which two spellings of one address are compared: without brackets, lower case.

    RFC 5321 section 2.4 lets a host tell local parts apart by case; hardly one does, and MTAs on the
    way fold them.
    """
    return address.strip().removeprefix("<").removesuffix(">").strip().lower()


def domain_of(address: str) -> str:
    """What stands behind the last @, folded; "" if that could not be a domain's name."""
    _, at, domain = fold(address).rpartition("@")
    return domain if at and _DOMAIN.fullmatch(domain) else ""
