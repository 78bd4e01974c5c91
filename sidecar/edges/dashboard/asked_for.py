"""What stands in a page's address, as far as it makes sense.

Knows numbers. Does not know any page.
"""

from sidecar.edges.dashboard.visit import Visit

__all__ = ["number"]

MOST = 2**63 - 1  # what a database can number


def number(visit: Visit, name: str) -> int | None:
    """A number from 1 on; None if there is none, or it is none."""
    said = visit.query.get(name, "").strip()
    found = int(said) if said.isascii() and said.isdecimal() and len(said) < 20 else 0
    return found if 0 < found <= MOST else None
