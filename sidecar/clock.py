"""The clock. Nobody else reads it."""

from datetime import UTC, datetime

__all__ = ["now"]


def now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)
