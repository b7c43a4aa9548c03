"""Changes of a roster as rows, in which callers who may not see customers do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridsvc.teams.difference import RosterChange

__all__ = ["ROSTER_COLUMNS", "roster_row"]

_NAMES = ("team", "person", "customer", "id")
ROSTER_COLUMNS = ("what", "event", *_NAMES, "before", "after")

_KEYS: Mapping[str, tuple[str, ...]] = {
    "department": ("id",),
    "person": ("person",),
    "team": ("team",),
    "member": ("team", "person"),
    "lead": ("team",),
    "named": ("customer",),
    "fallback": ("team",),
}

_MASK = "***"
"""Instead of the ids of customers, for callers who may not see them."""


def roster_row(change: RosterChange, *, masked: bool) -> tuple[Any, ...]:
    """A change as the values of `ROSTER_COLUMNS`; `masked` hides ids of customers."""
    named: dict[str, Any] = dict(zip(_KEYS[change.what], change.key, strict=False))  # a member's has a time
    parts = [change.before, change.after]
    if masked and change.what == "named":
        named["customer"] = _MASK
        parts = [None if part is None else {**part, "customer": _MASK} for part in parts]
    return (change.what, _event(change), *(named.get(name) for name in _NAMES), *parts)


def _event(change: RosterChange) -> str:
    if change.before is not None and change.after is not None:
        return "changed"
    came, went = ("joined", "left") if change.what == "member" else ("added", "removed")
    return came if change.before is None else went
