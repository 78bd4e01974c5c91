"""Real return paths for the doors under attack: two formats, two wikis, a clock that stands still.

Knows all addresses that were signed, so that whoever lets in another one is found out.
"""

from datetime import UTC, datetime, timedelta

from sidecar.domain.address import routed
from sidecar.domain.verp import BounceHandlerFormat, Keyring, SidecarFormat, Verp
from sidecar.services.return_path import ReturnPaths

__all__ = ["DOMAIN", "GOOD", "NOW", "return_paths", "was_signed"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DOMAIN = "b.example"
_FORMATS = (
    SidecarFormat("wiki", DOMAIN, Keyring((b"an attacked key, long enough to be one",))),
    BounceHandlerFormat("wiki", "old.example", b"another that is attacked, 0123456789"),
)
_VERP = Verp(_FORMATS, ["enwiki", "zh-min-nan"], accept=timedelta(days=10))

#: Return paths that are good now, in both formats.
GOOD = tuple(
    form.issue(wiki, user, "somebody@example.org", NOW)
    for form in _VERP.in_each_format()
    for wiki, user in (("enwiki", 1), ("zh-min-nan", 2**40))
)
_SIGNED = frozenset(routed(path) for path in GOOD)


def return_paths() -> ReturnPaths:
    """As the daemon makes them."""
    return ReturnPaths(_VERP, lambda: NOW)


def was_signed(address: str) -> bool:
    """Whether *address* is a spelling of one of GOOD."""
    return routed(address) in _SIGNED
