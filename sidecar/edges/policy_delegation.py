"""Postfix's policy delegation (SMTPD_POLICY_README) without a socket: attributes in, actions out.

A request is lines `name=value`, ended by an empty line; so is the answer, `action=...`. Knows the framing and
its limits. Does not know what an attribute means.

What is no request is not answered: we hang up, and the mail server does what it was told to do about silence
(Postfix's default_action).
"""

from collections.abc import Callable, Mapping

__all__ = ["Connection", "NotUnderstood"]

REQUEST_LIMIT = 64 * 1024  # octets; Postfix sends some 40 attributes, 1 to 2 KiB in all
LINE_LIMIT = 8 * 1024  # octets; Postfix cuts what a client says at 2048 (line_length_limit)
ATTRIBUTE_LIMIT = 200


class NotUnderstood(Exception):
    """This is no request of ours to answer: hang up. The message says why, without quoting."""


class Connection:
    """The server's side of one connection.

    `decide(attributes)` answers one request with an action; it may raise NotUnderstood, and nothing else.
    """

    def __init__(
        self, decide: Callable[[Mapping[str, str]], str], told: Callable[[str], None] = lambda why: None
    ) -> None:
        self.closed = False  #: the caller sends what it was given and hangs up
        self._decide, self._told = decide, told
        self._input = bytearray()  # never longer than one request
        self._scanned = 0  # octets of _input that hold no end of a request

    def receive(self, data: bytes) -> bytes:
        """The answers to all requests that are complete, in their order."""
        if self.closed:
            return b""
        self._input += data
        out: list[bytes] = []
        try:
            while (end := self._end()) >= 0:
                request = bytes(self._input[:end])
                del self._input[: end + 2]
                self._scanned = 0
                out.append(b"action=%b\n\n" % self._decide(_attributes(request)).encode())
        except NotUnderstood as trouble:
            self.closed = True
            self._input.clear()
            self._told(str(trouble))
        return b"".join(out)

    def _end(self) -> int:
        """Where the first request ends, -1 if more input is needed. Raises NotUnderstood."""
        if self._input.startswith(b"\n"):
            raise NotUnderstood("a request without attributes")
        end = self._input.find(b"\n\n", self._scanned)
        if (len(self._input) if end < 0 else end) > REQUEST_LIMIT:
            raise NotUnderstood("a request is too long")
        self._scanned = max(0, len(self._input) - 1)
        return end


def _attributes(request: bytes) -> dict[str, str]:
    """The attributes of one request. A name that comes twice could mean either: raises NotUnderstood."""
    lines = request.split(b"\n")
    if len(lines) > ATTRIBUTE_LIMIT:
        raise NotUnderstood("too many attributes")
    found: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition(b"=")
        if not name or not equals or b"\0" in line:
            raise NotUnderstood("a line is no attribute")
        if len(line) > LINE_LIMIT:
            raise NotUnderstood("a line is too long")
        key = name.decode("utf-8", "replace")
        if key in found:
            raise NotUnderstood("an attribute comes twice")
        found[key] = value.decode("utf-8", "replace")
    return found
