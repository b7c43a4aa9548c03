"""Targets, tolerances and the number of grids, from what a planner writes."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, inf, isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput

__all__ = [
    "A_LITTLE_ABOVE",
    "DEFAULT_TOLERANCE",
    "even_targets",
    "nested_k",
    "parse_amount",
    "parse_limit",
    "parse_measure_tolerance",
    "parse_share",
    "parse_tolerance",
    "suggest_k",
]

DEFAULT_TOLERANCE = 0.10

A_LITTLE_ABOVE = 1.25  # of the number of districts


def even_targets(weights: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The k-th part of each measure's total for every grid: float64 array, shape (k, m)."""
    return np.tile(weights.sum(axis=0) / k, (k, 1))


def parse_tolerance(text: str) -> float:
    """Read a tolerance written as ``5%`` or ``0.05``.

    Raises
    ------
    InvalidInput
        Not a number, negative, or a bare number of 1 or more (5 could mean 5 % or 500 %).
    """
    return parse_share(text, "tolerance")


def parse_share(text: str, what: str) -> float:
    """Read a share written as ``5%`` or ``0.05``; `what` says in errors what it is a share for."""
    bare = text.strip()
    percent = bare.endswith(("%", "％"))
    try:
        value = float(bare[:-1] if percent else bare)
    except ValueError:
        raise _bad_share(f"{text!r} is not a {what}", what) from None
    if not isfinite(value) or value < 0:
        raise _bad_share(f"{text!r} is not a {what} of 0 or more", what)
    if not percent and value >= 1:
        raise InvalidInput(
            f"{text!r} may mean a percentage or a share",
            field=what,
            cure=f"write {value:g}% or {value / 100:g}",
        )
    return value / 100 if percent else value


def _bad_share(message: str, what: str) -> InvalidInput:
    return InvalidInput(message, field=what, cure="write 5% or 0.05")


def parse_measure_tolerance(text: str) -> tuple[str, float]:
    """Read ``customers:5%`` as (name, tolerance); without a tolerance it is 10 %."""
    name, colon, tolerance = text.rpartition(":")
    if not colon:
        name, tolerance = text, ""
    if not name.strip():
        raise InvalidInput(
            f"{text!r} names no measure",
            field="measure",
            cure="write a column, or a column and a tolerance as in customers:5%",
        )
    return name.strip(), parse_tolerance(tolerance) if colon else DEFAULT_TOLERANCE


def parse_amount(text: str, what: str) -> tuple[str, float]:
    """Read ``customers=2`` as (name, number above 0); `what` is what it is for, in errors.

    Raises
    ------
    InvalidInput
        It does not have that form.
    """
    name, equals, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = nan
    if not equals or not name.strip() or not isfinite(value) or value <= 0:
        raise InvalidInput(
            f"{text!r} is no {what}", field=what, cure="write NAME=NUMBER, as in customers=2; above 0"
        )
    return name.strip(), value


def parse_limit(text: str) -> tuple[str, float | None, float | None]:
    """Read ``customers=800..1200`` as (name, least, most); either side may be left empty.

    Raises
    ------
    InvalidInput
        It does not have that form, both sides are empty, or least is above most.
    """
    name, equals, span = text.rpartition("=")
    low, dots, high = span.partition("..")
    try:
        least, most = (float(side) if side.strip() else None for side in (low, high))
    except ValueError:
        least = most = None
    sides = [side for side in (least, most) if side is not None]
    if not equals or not name.strip() or not dots or not sides or not all(0 <= s < inf for s in sides):
        raise InvalidInput(
            f"{text!r} is no limit", field="limit", cure="write NAME=800..1200, NAME=800.. or NAME=..1200"
        )
    if sides != sorted(sides):
        raise InvalidInput(f"{text!r} has its least above its most", field="limit", cure="exchange them")
    return name.strip(), least, most


def suggest_k(
    totals: Mapping[str, float], capacity: Mapping[str, float] | None, districts: int | None
) -> tuple[int, dict[str, Any]]:
    """Number of grids from what one team can carry, beside the number of districts.

    Each measure asks for its total divided by what one team carries, rounded up; the largest counts. The
    rule of thumb of the field, equal to or a little above the number of districts, is told beside it, and
    is the answer where no capacity is known.

    Parameters
    ----------
    totals : mapping of measure to its total
    capacity : mapping of measure to what one grid's team can carry, optional
    districts : int, optional
        Number of administrative districts.

    Returns
    -------
    k : int
    arithmetic : dict
        ``by_capacity`` (per measure total, capacity, grids), ``districts``, ``binding`` (the measure that
        decides, or None) and ``near_districts`` (whether k is at most a quarter above, and not below).

    Raises
    ------
    InvalidInput
        Neither capacity nor districts; a capacity of an unknown measure or not above 0.
    """
    by_capacity = {name: _grids_by_capacity(name, totals, c) for name, c in (capacity or {}).items()}
    if not by_capacity and not districts:
        raise InvalidInput(
            "the number of grids cannot be worked out",
            field="grids",
            cure="give a number, a capacity, or a column of districts to nest in",
        )
    binding = max(by_capacity, key=lambda name: by_capacity[name]["grids"], default=None)
    k = districts or 1 if binding is None else by_capacity[binding]["grids"]
    near = None if not districts else districts <= k <= A_LITTLE_ABOVE * districts
    return k, {"by_capacity": by_capacity, "binding": binding, "districts": districts, "near_districts": near}


def nested_k(totals: NDArray[np.float64], capacity: NDArray[np.float64]) -> int:
    """Number of grids it takes where none may cross districts: each district's own, rounded up, in sum.

    Parameters
    ----------
    totals : float64 array, shape (districts, m)
    capacity : float64 array, shape (m,)
        What one grid's team can carry; infinite where it does not matter.
    """
    each = np.ceil(totals / capacity - 1e-9).max(axis=1, initial=1.0)
    return int(np.maximum(each, 1.0).sum())


def _grids_by_capacity(name: str, totals: Mapping[str, float], capacity: float) -> dict[str, Any]:
    if name not in totals:
        raise InvalidInput(
            f"no measure {name!r}", field="capacity", cure=f"the measures are {', '.join(totals)}"
        )
    if not isfinite(capacity) or capacity <= 0:
        raise InvalidInput(
            f"{capacity} of {name} is no capacity", field="capacity", cure="give a number above 0"
        )
    grids = max(1, ceil(totals[name] / capacity - 1e-9))  # float noise must not cost a grid
    return {"total": float(totals[name]), "capacity": float(capacity), "grids": grids}
