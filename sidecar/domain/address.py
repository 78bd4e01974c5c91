"""Mail addresses, as far as we look into them.

Knows how to fold and to split. Does not know DNS, and never changes an address that somebody will write to.
"""

import re

__all__ = ["domain_of", "fold", "routed", "unquoted"]

_DOMAIN = re.compile(r"[\w.-]{1,255}")  # RFC 1035 section 2.3.4; letters of all alphabets, RFC 6531

_ROUTE = re.compile(r'@[^<>:"\s]+:')  # RFC 5321 appendix C: "@one,@two:"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(@[^"]*)')
_DOT_STRING = re.compile(r"[^\x00-\x20\x7f\"\\()<>,:;@\[\].]+(?:\.[^\x00-\x20\x7f\"\\()<>,:;@\[\].]+)*")


def fold(address: str) -> str:
    """The form in which two spellings of one address are compared: without brackets, lower case.

    RFC 5321 section 2.4 lets a host tell local parts apart by case; hardly one does, and MTAs on the
    way fold them.
    """
    return address.strip().removeprefix("<").removesuffix(">").strip().lower()


def unquoted(address: str) -> str:
    """`"a.b"@c` and `a.b@c` are one mailbox (RFC 5321 section 4.1.2); quotes that are needed stay."""
    match = _QUOTED.fullmatch(address)
    if match is None:
        return address
    local = re.sub(r"\\(.)", r"\1", match[1])
    return local + match[2] if _DOT_STRING.fullmatch(local) else address


def routed(address: str) -> str:
    """*address*, folded, as a mail server rewrites it before it asks whose it is.

    Without a source route, needless quotes and a dot behind the domain; "local%domain" and "domain!local" are
    local@domain (postconf(5), allow_percent_hack and swap_bangpath).
    """
    folded = fold(address)
    route = _ROUTE.match(folded)
    local, at, domain = unquoted(folded[route.end() :] if route else folded).rpartition("@")
    if not at:
        site, bang, rest = domain.partition("!")
        local, at, domain = (rest, "@", site) if bang else domain.rpartition("%")
    return f"{local}{'@' if at else ''}{domain.removesuffix('.')}"


def domain_of(address: str) -> str:
    """What stands behind the last @, folded; "" if that could not be a domain's name."""
    _, at, domain = fold(address).rpartition("@")
    return domain if at and _DOMAIN.fullmatch(domain) else ""
