"""Figures of many measurements. Imports nothing, for programs which start in no time."""

from __future__ import annotations

__all__ = ["percentile"]


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
