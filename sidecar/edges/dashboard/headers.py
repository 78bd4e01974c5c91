"""What every answer of the dashboard says besides.

Knows headers that keep browsers from doing what no page asks for. Does not know pages.
"""

from collections.abc import Mapping

from sidecar.edges.dashboard.visit import Shown
from sidecar.edges.replies import RETRY_AFTER, HttpReply

__all__ = ["ALWAYS", "POLICY", "SVG", "headers_of", "plain"]

#: No script, no frame, nothing from elsewhere, no style but the one file.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
#: Of an image: its style stands in it, as no image may load a file.
SVG = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

ALWAYS = {
    "Server": "bounce-sidecar",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not no-referrer: with that, a browser says "Origin: null" of our own forms (Fetch, section 3.2).
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, Authorization",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def headers_of(shown: Shown) -> Mapping[str, str]:
    """All of them, with the page's own over those of every page."""
    retry = {"Retry-After": str(RETRY_AFTER)} if shown.status == 503 else {}
    return {**ALWAYS, **retry, **shown.headers}


def plain(reply: HttpReply, headers: Mapping[str, str] | None = None) -> Shown:
    """One line, for whom no page can be made."""
    return Shown(reply.status, f"{reply.words}\n".encode(), "text/plain", headers or {})
