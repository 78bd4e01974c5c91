"""Who may see the dashboard, and where people find it.

Knows what was settled of it. Does not know how anybody is recognised.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["Admission"]


@dataclass(frozen=True)
class Admission:
    """Bearers of the token, and whom a proxy names."""

    token: str = field(repr=False)  #: "" if there is none: then only who comes by a proxy comes in
    session_key: bytes = field(repr=False, compare=False)  #: it follows from the token and the first key
    proxies: tuple[str, ...] = ()  #: networks, of which the header is believed
    user_header: str = ""
    actions: bool = False  #: the pages may act
    public_url: str = ""  #: no slash at its end; "" if no web server is in front

    @property
    def base(self) -> str:
        """The path below which all pages are."""
        return urlsplit(self.public_url).path

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers say it; "" if none is known."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc.lower()}" if self.public_url else ""

    def is_called(self, host: str) -> bool:
        """Whether *host*, as a request names it, can be ours: an address, no dot, or the public one.

        Any other may be a stranger's name for this address, with which a stranger's page in an operator's
        browser comes here and says what it likes (DNS rebinding).
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return _is_address(name) or "." not in name or name == urlsplit(self.public_url).hostname

    @property
    def encrypted(self) -> bool:
        """Whether the browser speaks https."""
        return self.public_url.startswith("https:")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
