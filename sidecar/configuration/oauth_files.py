"""The files in which an owner-only OAuth consumer's secrets lie.

Knows how they are written. Does not open them, and repeats nothing of what is in them.
"""

import re

from sidecar.domain.access import OAuth1, OAuth2

__all__ = ["consumer_in", "may_be_secret", "token_in"]

NAMES = ("consumer_token", "consumer_secret", "access_token", "access_secret")
LEAST = 16  # characters of each; MediaWiki's have 32 and more
VALUE = re.compile(r"[\x21-\x7e]+")  # Special:OAuthConsumerRegistration shows hexadecimal digits
JWT = re.compile(r"ey[\w-]+\.ey[\w-]+\.[\w-]+", re.ASCII)  # RFC 7519: two JSON objects, a signature


def may_be_secret(text: str) -> bool:
    """Whether this looks like what should be in such a file, and not like its name."""
    return JWT.fullmatch(text.strip()) is not None or re.search(r"=|[0-9a-f]{32}", text) is not None


def consumer_in(text: str) -> OAuth1:
    """OAuth 1: four lines, ``name = value``, in any order. Raises ValueError with the operator's words."""
    lines = [line.strip() for line in text.splitlines()]
    found: dict[str, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        name, _, value = (part.strip() for part in line.partition("="))
        if name not in NAMES or name in found or not VALUE.fullmatch(value) or len(value) < LEAST:
            raise ValueError(f"want four lines, each {', '.join(NAMES[:-1])} or {NAMES[-1]}, = and its value")
        found[name] = value
    if missing := [name for name in NAMES if name not in found]:
        raise ValueError(
            f"has no {' and no '.join(missing)}; Special:OAuthConsumerRegistration showed all four"
        )
    return OAuth1(**found)


def token_in(text: str) -> OAuth2:
    """OAuth 2: the access token alone. Raises ValueError with the operator's words."""
    if not JWT.fullmatch(text.strip()):
        raise ValueError(
            "not an access token of MediaWiki's OAuth 2 (three parts of letters, digits, - and _, with dots "
            "between); Special:OAuthConsumerRegistration showed it"
        )
    return OAuth2(text.strip())
