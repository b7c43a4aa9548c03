"""Codes and names of grids, and the plan made of an engine's labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Grid, Plan

if TYPE_CHECKING:
    from gridsvc.plans.numbering import Numbering

__all__ = ["build_plan", "number_grids", "reading_order"]


def number_grids(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    labels: NDArray[np.int32],
    n_grids: int,
    n_balanced: int | None = None,
) -> list[str]:
    """Code of each grid in label order: ``01``, ``02``, ... and ``C01``, ... for carve-outs.

    Numbers run as one reads: the grids' mean points are cut from north to south into bands of equal number,
    as many as make the cells of such a table square (sqrt(number of grids * height / width)), and within a
    band numbers rise from west to east. Carve-outs are numbered apart in the same way. Codes have as many
    digits as the largest needs, at least two.

    Parameters
    ----------
    x, y : float64 array, shape (n_cells,), metres, x to the east and y to the north
    labels : int32 array, shape (n_cells,)
        Grid of each cell; -1 where a cell has none.
    n_grids : int
        Number of grids, carve-outs included.
    n_balanced : int, optional
        Grids from this one on are carve-outs; all are balanced where it is left out.

    Raises
    ------
    InvalidInput
        A grid has no cell.
    """
    placed = labels >= 0
    size = np.bincount(labels[placed], minlength=n_grids)
    if len(size) > n_grids or (size == 0).any():
        raise InvalidInput(
            f"{n_grids} grids were announced but {np.count_nonzero(size)} have cells",
            field="grids",
            cure="give each grid at least one cell",
        )
    cx = np.bincount(labels[placed], x[placed], n_grids) / size
    cy = np.bincount(labels[placed], y[placed], n_grids) / size
    end = n_grids if n_balanced is None else n_balanced
    return _codes(cx[:end], cy[:end], "") + _codes(cx[end:], cy[end:], "C")


def _codes(cx: NDArray[np.float64], cy: NDArray[np.float64], prefix: str) -> list[str]:
    if not len(cx):
        return []
    number = np.empty(len(cx), np.int64)
    number[reading_order(cx, cy)] = np.arange(1, len(cx) + 1)
    digits = max(2, len(str(len(cx))))
    return [f"{prefix}{n:0{digits}d}" for n in number.tolist()]


def reading_order(cx: NDArray[np.float64], cy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions of points as one reads them on a map: int64 array, shape (n,); see `number_grids`.

    Parameters
    ----------
    cx, cy : float64 arrays, shape (n,), metres, at least one
    """
    southward = np.argsort(-cy, kind="stable")
    bands = np.array_split(southward, _band_count(len(cx), float(np.ptp(cy)), float(np.ptp(cx))))
    return np.concatenate([band[np.argsort(cx[band], kind="stable")] for band in bands])


def _band_count(n: int, height: float, width: float) -> int:
    return n if width <= height / n else min(n, max(1, round(sqrt(n * height / width))))


def build_plan(
    labels: NDArray[np.int32],
    n_balanced: int,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    parents: NDArray[np.int32] | None = None,
    parent_names: Sequence[str] | None = None,
    word: str = "Grid",
    known: Sequence[Grid | None] = (),
    numbering: Numbering | None = None,
) -> Plan:
    """Make a plan of labels, its grids in the order of their codes, carve-outs last.

    Parameters
    ----------
    labels : int32 array, shape (n_cells,)
        Grids 0..n_balanced-1 are balanced, further ones are carve-outs; -1 where a cell has no grid.
    x, y : float64 array, shape (n_cells,), metres
    parents : int32 array, shape (n_cells,), optional
        Parent of each cell, as a position in `parent_names`.
    word : str
        What a grid's name begins with: "Grid 01", "网格 01".
    known : sequence of Grid or None
        Grids which have a code already, in label order; they keep code, team and (unless empty) name,
        and the others get
        numbers that are free. Shorter than there are grids where the last ones are new.
    numbering : Numbering or None
        Gives new grids their codes; plain numbers where it is left out.

    Raises
    ------
    InvalidInput
        A grid has no cell.
    """
    n_grids = max(int(labels.max(initial=-1)) + 1, n_balanced)
    kept = [*known, *[None] * (n_grids - len(known))]
    if numbering is not None:
        codes = numbering.codes(labels, n_grids, kept)
    else:
        codes = number_grids(x, y, labels, n_grids, n_balanced)
        codes = _around(kept, codes) if any(kept) else codes
    order = sorted(range(n_grids), key=lambda g: (g >= n_balanced, codes[g]))
    position = np.empty(n_grids, np.int32)
    position[order] = np.arange(n_grids, dtype=np.int32)
    parent = _parent_of(labels, n_grids, parents, parent_names)
    grids = tuple(_grid(kept[g], codes[g], word, parent[g], carve_out=g >= n_balanced) for g in order)
    return Plan(np.where(labels >= 0, position[labels], -1).astype(np.int32), grids)


def _around(known: Sequence[Grid | None], codes: list[str]) -> list[str]:
    """Codes as numbered, but those of known grids kept, and the others in their order numbered round them."""
    out = [grid.code if grid else "" for grid in known]
    taken = set(out)
    for prefix in ("", "C"):
        new = [g for g, code in enumerate(codes) if not out[g] and code.startswith("C") == bool(prefix)]
        digits = max(2, len(str(len(codes))))
        free = (code for n in count(1) if (code := f"{prefix}{n:0{digits}d}") not in taken)
        for g in sorted(new, key=codes.__getitem__):
            out[g] = next(free)
    return out


def _grid(known: Grid | None, code: str, word: str, parent: str | None, *, carve_out: bool) -> Grid:
    if known is None:
        return Grid(code, f"{word} {code}", None, carve_out, parent)
    return Grid(known.code, known.name or f"{word} {known.code}", known.team, carve_out, parent)


def _parent_of(
    labels: NDArray[np.int32],
    n_grids: int,
    parents: NDArray[np.int32] | None,
    names: Sequence[str] | None,
) -> list[str | None]:
    if parents is None or names is None:
        return [None] * n_grids
    found, first = np.unique(labels, return_index=True)
    cells = first[found >= 0].tolist()
    return [names[parents[cell]] for cell in cells]
