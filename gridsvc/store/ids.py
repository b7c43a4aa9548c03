"""Ids of things the store makes: opaque, and in the order they were made."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import datetime

__all__ = ["id_at", "new_id"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter looks like a digit
_lock = threading.Lock()
_last = 0


def _next() -> int:
    """48 bits of milliseconds and 80 random bits; always above the one before in this process."""
    global _last  # noqa: PLW0603 (ids made in one millisecond must still sort)
    with _lock:
        fresh = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
        _last = max(fresh, _last + 1)
        return _last


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``til_01k9z3y8m4q2...``: `prefix`, then 26 characters which sort by time."""
    return _text(prefix, _next())


def id_at(prefix: str, moment: datetime) -> str:
    """What sorts below each id made after `moment`, and not below those made before."""
    return _text(prefix, max(0, int(moment.timestamp() * 1000)) << 80)


def _text(prefix: str, value: int) -> str:
    return f"{prefix}_" + "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
