"""Numbers and keys as they stand in addresses and forms, where anybody may write anything."""

from __future__ import annotations

from uuid import UUID

_MOST_DIGITS = 18  # more are no key of any row, and more than the database takes


def as_number(text: str) -> int | None:
    """The key or count that `text` is; None when it is none."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def as_key(text: str) -> UUID | None:
    """The UUID that `text` is; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
