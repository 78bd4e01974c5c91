"""Who may see the dashboard, and where people find it.

Knows what was settled of it. Does not know how anybody is recognised.
"""

from dataclasses import dataclass, field
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

    @property
    def encrypted(self) -> bool:
        """Whether the browser speaks https."""
        return self.public_url.startswith("https:")
