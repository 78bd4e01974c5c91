"""The way to a web server, step by step: its name, its port, its certificate.

Knows DNS as the system has it, TCP and TLS (RFC 5280's reasons in OpenSSL's words). Says nothing to the
server, and does not know what it serves. Trusts whom requests trusts.
"""

import os
import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies

__all__ = ["CannotReach", "by_proxy", "look"]

PATIENCE = 5.0  # seconds for connecting and for the handshake, each

#: X509_V_ERR_... of OpenSSL -> what the operator can do.
REMEDIES = {
    9: "set this host's clock, or wait: the certificate is not valid yet",
    10: "renew the wiki's certificate",
    18: "give the wiki a certificate of an authority; or trust this one: REQUESTS_CA_BUNDLE, in the unit",
    62: "name the host in api as its certificate does, or have it certified for this name, too",
}
#: 19, 20 and 21: a chain that leads to nobody we trust.
CHAIN = "the web server must send intermediate certificates; for an authority of your own: REQUESTS_CA_BUNDLE"


class CannotReach(Exception):
    """The step that failed, in words; what to do is its ``remedy``."""

    def __init__(self, words: str, remedy: str) -> None:
        super().__init__(words)
        self.remedy = remedy


def by_proxy(url: str) -> bool:
    """Whether requests goes there by a proxy: then the way from here says nothing."""
    return bool(get_environ_proxies(url))


def look(url: str) -> datetime | None:
    """When the certificate ends; None for http. Blocks for seconds. Raises CannotReach."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotReach(
            f"{host} cannot be looked up: {error.strerror}", f"check api; getent hosts {host}"
        ) from None
    try:
        line = socket.create_connection((host, port), PATIENCE)
    except OSError as error:
        words = f"{host}:{port} takes no connection: {error.strerror or error}"
        raise CannotReach(words, "is the web server up? a firewall between, or the port in api?") from None
    with line:
        return _certified(line, host) if secure else None


def _certified(line: socket.socket, host: str) -> datetime:
    try:
        with _trust().wrap_socket(line, server_hostname=host) as secured:
            found = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        remedy = REMEDIES.get(error.verify_code, CHAIN)
        raise CannotReach(f"the certificate of {host}: {error.verify_message.rstrip('.')}", remedy) from None
    except (OSError, ValueError) as error:
        words = f"no TLS with {host}: {getattr(error, 'reason', None) or error}"
        raise CannotReach(words, "check scheme and port of api") from None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)


def _trust() -> ssl.SSLContext:
    """Those of requests, which heeds these variables."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    context = ssl.create_default_context()
    if os.path.isdir(named):
        context.load_verify_locations(capath=named)
    else:
        context.load_verify_locations(cafile=named)
    return context
