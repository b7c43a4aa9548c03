"""Text which any database can hold."""

from __future__ import annotations

__all__ = ["is_text"]


def is_text(value: str) -> bool:
    """Whether it can be stored, and written as UTF-8: it has neither NUL nor halves of characters."""
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
