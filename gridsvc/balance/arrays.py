"""The arrays the compiled kernels work on: what stays while cells move, and what follows from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AREA",
    "DEMAND",
    "FIXED",
    "HIGH",
    "LOW",
    "MEASURES",
    "OUTLINE",
    "PULL",
    "RINGED",
    "STEEP",
    "TARGET",
    "State",
    "World",
]

# Columns of `World.cells` and `State.tally`; each of the first two is followed by its moments.
AREA, DEMAND, OUTLINE, MEASURES = 0, 4, 8, 9
# Columns of `World.band`.
TARGET, PULL, LOW, HIGH, STEEP = 0, 1, 2, 3, 4
# Bits of `World.flags`.
FIXED, RINGED = 1, 2


class World(NamedTuple):
    """What does not change while cells move, for n cells, k grids and m measures.

    Attributes
    ----------
    indptr, indices : int64, shape (n + 1,) and int32, shape (n_links,)
        Pairs of cells which may share a grid, each standing twice.
    masks : int64, shape (n_links,)
        As `neighbour_masks` gives them.
    flags : uint8, shape (n,)
        FIXED: the cell keeps its grid; RINGED: its neighbours stand round it in a closed ring.
    border : float64, shape (n_links,)
        Shared border lengths.
    cells : float64, shape (n, 9 + m)
        What a cell adds to its grid: area, area * x, area * y, area inertia about the origin, demand,
        demand * x, demand * y, demand inertia about the origin, perimeter, then the measures.
    band : float64, shape (k, m, 5)
        Wanted total and what turns a difference from it into tolerances; least and largest total, and what
        turns an excess beyond them into tolerances.
    weight : float64, shape (7,)
        Of area inertia, outline as a shape, demand inertia, outline as a length, squared deviation and
        excess; then the width in tolerances of the rim inside the limits where prices are steep already.
    special : bool
        Whether the following three matter.
    home : int32, shape (n,)
        Grid each cell came from, or -1.
    own : float64, shape (n, 4)
        x, y, price of leaving home, load that has moved when it has left.
    pins : float64, shape (k, 5)
        x, y of the seed, how much cells are drawn to it, its squared radius, the allowance of moved load.
    reach : int
        Cells a search may look at before a move is taken to break its grid.
    thorough : bool
        Whether cells within a closed ring of neighbours are worth a search too.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    masks: NDArray[np.int64]
    flags: NDArray[np.uint8]
    border: NDArray[np.float64]
    cells: NDArray[np.float64]
    band: NDArray[np.float64]
    weight: NDArray[np.float64]
    special: bool
    home: NDArray[np.int32]
    own: NDArray[np.float64]
    pins: NDArray[np.float64]
    reach: int
    thorough: bool


class State(NamedTuple):
    """Labels, the sums that follow from them, and room to work in.

    Attributes
    ----------
    labels : int32, shape (n,)
    tally : float64, shape (k, 9 + m)
        `World.cells` summed over each grid; in the column of perimeters its outline.
    size : int64, shape (k,)
        Cells of each grid.
    price : float64, shape (k, 3)
        Present cost of each grid, compactness and balance, and how much dearer than usual its deviations are.
    foreign : int32, shape (n,)
        Neighbours in other grids.
    gone : float64, shape (2,)
        Load which is not at home; price paid for it, and for cells beyond a radius.
    rng : uint64, shape (1,)
        Never 0.
    scratch : float64, shape (2, 9 + m)
    search : int64, shape (2, n)
        When each cell was last seen by a search, and the cells to look at next.
    notes : int64, shape (9,)
        The searches' clock, then the cells of a chain and the grids they came from.
    """

    labels: NDArray[np.int32]
    tally: NDArray[np.float64]
    size: NDArray[np.int64]
    price: NDArray[np.float64]
    foreign: NDArray[np.int32]
    gone: NDArray[np.float64]
    rng: NDArray[np.uint64]
    scratch: NDArray[np.float64]
    search: NDArray[np.int64]
    notes: NDArray[np.int64]
