"""Unix times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc"]

_LAST_SECOND = int(datetime.max.replace(tzinfo=UTC).timestamp())


def utc(seconds: int) -> str:
    """A Unix time to the second; a bare number when no calendar reaches it."""
    if seconds > _LAST_SECOND:
        return f"second {seconds}"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
