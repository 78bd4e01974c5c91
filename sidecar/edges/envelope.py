"""The arguments of MAIL and RCPT (RFC 5321 section 4.1.2).

Knows paths and parameters. Does not know the order of commands, nor whose an address is: it is lenient,
because only addresses that we signed ourselves come any further.
"""

import re
from collections.abc import Iterator

from sidecar.domain.address import unquoted
from sidecar.edges import replies

__all__ = ["NotUnderstood", "recipient", "sender"]

# A source route (RFC 5321 appendix C: "@one,@two:") is read over. A quoted string may hold anything.
_PATH = re.compile(r'\s*<(?:@[^<>:"\s]+:)?((?:"(?:[^"\\]|\\.)*"|[^"<>\x00-\x20\x7f])*)>(?:\s+(.*))?')
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 section 4
_BODIES = frozenset({"7BIT", "8BITMIME"})  # RFC 6152; BINARYMIME needs BDAT, which we do not offer


class NotUnderstood(Exception):
    """The command is refused with `reply`; the session goes on."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


def sender(argument: str, size_limit: int) -> str:
    """`FROM:<path> [parameters]` -> the sender, "" for the null sender. Raises NotUnderstood."""
    address, parameters = _path(argument, "FROM:", replies.BAD_SENDER)
    for keyword, value in parameters:
        if keyword == "SIZE":
            if not _SIZE.fullmatch(value):
                raise NotUnderstood(replies.BAD_ARGUMENT)
            if int(value) > size_limit:
                raise NotUnderstood(replies.TOO_BIG)
        elif keyword == "BODY":
            if value.upper() not in _BODIES:
                raise NotUnderstood(replies.BAD_ARGUMENT)
        elif keyword == "SMTPUTF8":
            if value:
                raise NotUnderstood(replies.BAD_ARGUMENT)
        else:
            raise NotUnderstood(replies.UNKNOWN_PARAMETER)
    return address


def recipient(argument: str) -> str:
    """`TO:<path>` -> the recipient, without needless quotes. Raises NotUnderstood."""
    address, parameters = _path(argument, "TO:", replies.BAD_RECIPIENT)
    if not address:
        raise NotUnderstood(replies.BAD_RECIPIENT)
    if next(parameters, None):
        raise NotUnderstood(replies.UNKNOWN_PARAMETER)
    return unquoted(address)


def _path(argument: str, keyword: str, trouble: str) -> tuple[str, Iterator[tuple[str, str]]]:
    if argument[: len(keyword)].upper() != keyword:
        raise NotUnderstood(replies.BAD_ARGUMENT)
    match = _PATH.fullmatch(argument, len(keyword))
    if match is None:
        raise NotUnderstood(trouble)
    words = (match[2] or "").split()
    return match[1], ((name.upper(), value) for name, _, value in (word.partition("=") for word in words))
