"""An instance of the public benchmark -> what the engine is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gridsvc.balance.problem import Problem

__all__ = ["MOVED", "demand", "problem"]

# Share of the demand that may change grids where a plan is in force.
MOVED = 0.10


def problem(
    inst: Any, k: int, *, compactness: float = 50.0, home: NDArray[np.int32] | None = None
) -> Problem:
    """The problem `gridsvc balance` would set up from the same cells and edges.

    Parameters
    ----------
    home : int32 array, shape (n,), optional
        Plan in force, of which no more than `MOVED` may change grids.
    """
    from gridsvc.balance.problem import Past, Problem
    from gridsvc.balance.targets import even_targets
    from gridsvc.tiling.tiling import Adjacency

    passable = inst.open
    graph = Adjacency.from_pairs(inst.n, inst.u[passable], inst.v[passable], inst.length[passable])
    past = None
    if home is not None:
        past = Past(home.astype(np.int32), demand(inst), np.ones(inst.n), most=MOVED)
    return Problem(
        indptr=graph.indptr,
        indices=graph.indices,
        border=graph.length,
        x=inst.xy[:, 0].copy(),
        y=inst.xy[:, 1].copy(),
        area=inst.area,
        perimeter=inst.perimeter,
        weights=inst.w,
        measures=tuple(inst.attrs),
        k=k,
        targets=even_targets(inst.w, k),
        tolerance=np.full(len(inst.attrs), inst.tol),
        compactness=compactness,
        past=past,
    )


def demand(inst: Any) -> NDArray[np.float64]:
    """Share of the whole demand in each cell, mean of the measures: float64 array, shape (n,), sum 1."""
    share: NDArray[np.float64] = (inst.w / inst.w.sum(axis=0)).mean(axis=1)
    return share
