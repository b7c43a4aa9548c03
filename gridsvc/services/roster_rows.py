"""Changes of a roster as rows, in which what the caller may not see is masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridsvc.teams.difference import RosterChange
from gridsvc.teams.masking import MASK, masked_entry

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


def roster_row(change: RosterChange, scopes: frozenset[str]) -> tuple[Any, ...]:
    """A change as the values of `ROSTER_COLUMNS`, with what the scopes do not show masked."""
    named: dict[str, Any] = dict(zip(_KEYS[change.what], change.key, strict=False))  # a member's has a time
    if change.what == "named" and "customers:read" not in scopes:
        named["customer"] = MASK
    sides = (change.before, change.after)
    parts = [None if part is None else masked_entry(change.what, part, scopes) for part in sides]
    return (change.what, _event(change), *(named.get(name) for name in _NAMES), *parts)


def _event(change: RosterChange) -> str:
    if change.before is not None and change.after is not None:
        return "changed"
    came, went = ("joined", "left") if change.what == "member" else ("added", "removed")
    return came if change.before is None else went
