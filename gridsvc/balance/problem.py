"""What the engine is asked and what it answers: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput

__all__ = ["Past", "Pins", "Problem", "Solution"]


@dataclass(frozen=True, slots=True)
class Pins:
    """Points grids are built round.

    Attributes
    ----------
    cell : int64 array, shape (k,)
        Cell each grid must hold, -1 for a grid without a seed.
    radius : float64 array, shape (k,), metres
        How far from its seed a grid's cells may lie; infinite where it does not matter.
    pull : float
        How much a grid's centre is drawn to its seed; 1 weighs like the shape.
    """

    cell: NDArray[np.int64]
    radius: NDArray[np.float64]
    pull: float = 0.0


@dataclass(frozen=True, slots=True)
class Past:
    """The plan in force, from which as little as possible should move.

    Attributes
    ----------
    home : int32 array, shape (n,)
        Grid 0..k-1 each cell belongs to now; -1 for a cell without one, which moves free of charge.
    load : float64 array, shape (n,)
        What counts as moved, in a measure's units.
    cost : float64 array, shape (n,)
        How much dearer than usual each cell's move is; 1 is usual.
    most : float
        Largest sum of `load` that may move; never exceeded.
    price : float
        Weight of moved load against shape and balance; at 1, moving a mean grid's load weighs like the
        shape of a round grid, and 0 uses the allowance as it pleases.
    """

    home: NDArray[np.int32]
    load: NDArray[np.float64]
    cost: NDArray[np.float64]
    most: float = np.inf
    price: float = 1.0


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
        0 (balance only) to 100 (shape first). Grids which can be brought inside their tolerances are, at any
        value: inside them 0 makes plans more even and 100 rounder. Above 50, a plan which cannot be brought
        inside is round and lets deviations be.
    objective : {"balanced", "inertia", "cut"}
        What makes shapes good: area inertia, outline and demand inertia together, demand inertia alone, or
        the number of adjacent pairs cut apart.
    sweeps : int, optional
        Budget: how often each border cell is looked at in an annealing. None suits it to the size.
    time_limit : float, optional
        Seconds after which the best plan so far is taken; the report then says `truncated`.
    low, high : float64 arrays, shape (k, m), optional
        Hard limits of each grid's totals, infinite where there is none. None: the target less and plus the
        tolerance.
    importance : float64 array, shape (m,), optional
        How much a measure's deviations weigh beside the others'; None is 1 for each.
    start : int32 array, shape (n,), optional
        A plan to start from, in place of the engine's own.
    anchor : int32 array, shape (n,), optional
        Grid each locked cell must be in, -1 for cells which are free.
    pins : Pins, optional
    past : Past, optional
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
    time_limit: float | None = None
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    importance: NDArray[np.float64] | None = None
    start: NDArray[np.int32] | None = None
    anchor: NDArray[np.int32] | None = None
    pins: Pins | None = None
    past: Past | None = None

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

    def band(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and largest total each grid may have: two float64 arrays, shape (k, m)."""
        low = self.targets * (1 - self.tolerance) if self.low is None else self.low
        high = self.targets * (1 + self.tolerance) if self.high is None else self.high
        return low, high

    def anchors(self) -> NDArray[np.int32]:
        """Grid each cell must be in by a lock or a seed, -1 where it is free: int32 array, shape (n,)."""
        found = np.full(self.n, -1, np.int32) if self.anchor is None else self.anchor.copy()
        if self.pins is not None:
            seeded = np.flatnonzero(self.pins.cell >= 0)
            found[self.pins.cell[seeded]] = seeded
        return found


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
