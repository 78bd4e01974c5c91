"""Who may hand in bounces over HTTP: peers on a list, and bearers of the token (RFC 6750).

Knows addresses and tokens. Does not know endpoints. What a header says of where a request came from is not
believed: anybody may write it.
"""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping

from sidecar.edges import replies
from sidecar.edges.http_talk import Gate
from sidecar.edges.replies import HttpReply

__all__ = ["Doorman", "Network", "is_of"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Written by proxies. Behind one, every peer has the proxy's address.
PROXY_FIELDS = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class Doorman:
    """Looks at peers and tokens. *token* is "" if there is none: then nobody has the right one."""

    def __init__(self, allow: Iterable[str], token: str) -> None:
        self._networks = [ipaddress.ip_network(network) for network in allow]
        self._token = token.encode()

    def refusal(self, gate: Gate, peer: str, headers: Mapping[str, str]) -> HttpReply | None:
        """Why this request does not come in; None if it does. *headers* have names in lower case."""
        if gate.peers and not is_of(peer, self._networks):
            return replies.NOT_ALLOWED
        brought = headers.get("authorization")
        if brought is not None:
            return None if self._is_right(brought) else replies.WRONG_TOKEN
        if gate.token:
            return replies.NO_TOKEN
        if not gate.proxied and any(name in headers for name in PROXY_FIELDS):
            return replies.FORWARDED
        return None

    def _is_right(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        right = hmac.compare_digest(token.strip().encode("utf-8", "surrogateescape"), self._token)
        return right and scheme.lower() == "bearer" and bool(self._token)


def is_of(peer: str, networks: Iterable[Network]) -> bool:
    """Whether a peer's address, as a socket says it, lies in one of *networks*."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])  # fe80::1%eth0
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
