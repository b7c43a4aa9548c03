"""What the engine is asked and what it answers: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput

__all__ = ["Problem", "Solution"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Cells, their graph and what a good plan is.

    Attributes
    ----------
    indptr : int64 array, shape (n + 1,)
    indices : int32 array, shape (2 * n_pairs,)
    border : float64 array, shape (2 * n_pairs,), metres
        Adjacency in compressed sparse row form, barriers removed, with shared border lengths.
    x, y : float64 array, shape (n,), metres
    area : float64 array, shape (n,), square metres
    perimeter : float64 array, shape (n,), metres
    weights : float64 array, shape (n, m), non-negative, the measures' own units
    measures : tuple of m str
    k : int
        Number of grids.
    targets : float64 array, shape (k, m)
        Wanted total of each grid and measure.
    tolerance : float64 array, shape (m,)
        Allowed relative deviation from the target (0.05 is 5 %).
    parent : int32 array, shape (n,), optional
        Grids never cross parents (nesting).
    islands : {"keep", "attach"}
        A part of the graph without connection gets grids of its own, or is linked to the nearest part.
    seed : int
    compactness : float
        0 (balance only) to 100 (shape first); 50 treats a deviation of a few per cent beyond the tolerance
        as dearer than any shape.
    objective : {"balanced", "inertia", "cut"}
        What makes shapes good: area inertia, outline and demand inertia together, demand inertia alone, or
        the number of adjacent pairs cut apart.
    sweeps : int, optional
        Budget: how often each border cell is looked at in an annealing. None suits it to the size.
    start : int32 array, shape (n,), optional
        A valid plan to start from, in place of the engine's own.
    fixed : bool array, shape (n,), optional
        Cells which keep their grid of `start`.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    border: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    weights: NDArray[np.float64]
    measures: tuple[str, ...]
    k: int
    targets: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    parent: NDArray[np.int32] | None = None
    islands: Literal["keep", "attach"] = "keep"
    seed: int = 1
    compactness: float = 50.0
    objective: Literal["balanced", "inertia", "cut"] = "balanced"
    sweeps: int | None = None
    start: NDArray[np.int32] | None = None
    fixed: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidInput(f"{self.k} grids asked for", field="grids", cure="ask for at least 1")
        if self.k > self.n:
            raise InvalidInput(
                f"{self.k} grids asked for but there are only {self.n} cells",
                field="grids",
                cure="ask for fewer grids or use a finer tiling",
            )

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Solution:
    """A plan as labels, and how it was reached.

    Attributes
    ----------
    labels : int32 array, shape (n,)
        Grid 0..k-1 of each cell; every grid has cells and is connected.
    report : dict
        JSON-ready: seed, engine version, seconds per phase, per-grid totals and deviations,
        links between islands.
    """

    labels: NDArray[np.int32]
    report: dict[str, Any] = field(default_factory=dict)
