"""Mail addresses, as far as we look into them.

Knows how to fold and to split. Does not know DNS, and never changes an address that somebody will write to.
"""

__all__ = ["domain_of", "fold"]


def fold(address: str) -> str:
    """The form in which two spellings of one address are compared: without brackets, lower case.

    RFC 5321 section 2.4 lets a host tell local parts apart by case; hardly one does, and MTAs on the
    way fold them.
    """
    return address.strip().removeprefix("<").removesuffix(">").strip().lower()


def domain_of(address: str) -> str:
    """What stands behind the last @, folded; "" if nothing does."""
    return fold(address).rpartition("@")[2] if "@" in address else ""
