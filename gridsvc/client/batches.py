"""Any number of points as batches which the service takes, all answered by one publication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridsvc.client.answers import Owners
from gridsvc.client.forms import COLUMNS, Part
from gridsvc.errors import Conflict, GridsvcError, InvalidInput
from gridsvc.ownership.points import LIMIT

__all__ = ["Ask", "ask_all", "points"]

Floats = NDArray[np.float64]

_ROUNDS = 5
"""How often what was answered by an older publication is asked again."""

Ask = Callable[[Floats, Floats, int], Part]
"""Asks for the owners of at most `LIMIT` points, by nothing older than a seq."""


def points(lat: ArrayLike, lon: ArrayLike) -> tuple[Floats, Floats]:
    """Coordinates as arrays; None is NaN.

    Raises
    ------
    InvalidInput
    """
    try:
        x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("not all are numbers", field="lat, lon", cure="give degrees") from None
    if x.ndim != 1 or x.shape != y.shape:
        raise InvalidInput(
            f"lat has the shape {y.shape} and lon {x.shape}",
            field="lat, lon",
            cure="give two columns of equal length",
        )
    return y, x


def ask_all(ask: Ask, lat: Floats, lon: Floats) -> Owners:
    """Owners of all points.

    What was answered before the world moved on is asked again, so that no two rows speak of different states.

    Raises
    ------
    Conflict
        The world moved on each time.
    """
    starts = range(0, max(len(lat), 1), LIMIT)
    parts: dict[int, Part] = {}
    stale, newest = list(starts), 0
    for _ in range(_ROUNDS):
        for start in stale:
            parts[start] = _one(ask, lat, lon, start, newest)
        # Of equal ones the last: the clock alone may bring a publication into force.
        latest = sorted((parts[start] for start in stale), key=lambda part: part.seq)[-1]
        newest = max(newest, latest.seq)
        stale = [start for start in starts if parts[start].state != latest.state]
        if not stale:
            return _joined([parts[start] for start in starts])
    raise Conflict(
        "publications followed each other while the batches were answered", cure="ask again, or with as_of"
    )


def _one(ask: Ask, lat: Floats, lon: Floats, start: int, min_seq: int) -> Part:
    part = slice(start, start + LIMIT)
    try:
        return ask(lat[part], lon[part], min_seq)
    except GridsvcError as error:
        if error.row is not None:
            error.row += start  # the caller counts from the first point of all
        raise


def _joined(parts: list[Part]) -> Owners:
    first, seq = parts[0], max(part.seq for part in parts)
    columns: dict[str, Any] = {
        name: np.concatenate([part.columns[name] for part in parts]) for name in COLUMNS
    }
    return Owners(first.territory, first.publication, first.roster, seq, **columns)
