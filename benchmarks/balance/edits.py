"""What a planner typically does to a plan by hand, at random places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EDITS", "drafts"]

_FEW, _HOLE = (2, 12), (1, 8)  # cells, from and below


class _Place:
    """A random border between two grids: cell `here` of grid `mine`, beside a cell of grid `theirs`."""

    def __init__(self, inst: Any, labels: NDArray[np.int32], rng: np.random.Generator) -> None:
        u, v = inst.u[inst.open], inst.v[inst.open]
        at = rng.choice(np.flatnonzero(labels[u] != labels[v]))
        here, there = (u[at], v[at]) if rng.random() < 0.5 else (v[at], u[at])
        self.theirs, self.mine = int(labels[there]), np.flatnonzero(labels == labels[here])
        self.xy, self.here, self.rng = inst.xy, inst.xy[here], rng
        self.middle, self.side = inst.xy[self.mine].mean(axis=0), float(np.sqrt(inst.area.mean()))
        border = np.concatenate([u[labels[v] == self.theirs], v[labels[u] == self.theirs]])
        self.border = np.intersect1d(border, self.mine)

    def nearest(self, to: NDArray[np.float64], few: tuple[int, int]) -> NDArray[np.int64]:
        """A random number of the grid's cells, those nearest to a point."""
        order = np.argsort(np.hypot(*(self.xy[self.mine] - to).T), kind="stable")
        return self.mine[order[: self.rng.integers(*few)]]


def _few(place: _Place) -> NDArray[np.int64]:
    return place.nearest(place.here, _FEW)


def _hole(place: _Place) -> NDArray[np.int64]:
    return place.nearest(place.middle, _HOLE)


def _strip(place: _Place) -> NDArray[np.int64]:
    # Two rows of cells, so that both grids are far out of balance.
    far = np.hypot(*(place.xy[place.mine][:, None] - place.xy[place.border]).transpose(2, 0, 1)).min(axis=1)
    return place.mine[far < 1.4 * place.side]


def _cut(place: _Place) -> NDArray[np.int64]:
    along = place.middle - place.here
    aside = (place.xy[place.mine] - place.middle) @ np.array([-along[1], along[0]])
    return place.mine[np.abs(aside) < 0.75 * place.side * np.hypot(*along)]


EDITS: Mapping[str, Callable[[_Place], NDArray[np.int64]]] = {
    "a few cells at a border": _few,
    "a hole": _hole,
    "a strip along a border": _strip,
    "a grid cut in two": _cut,
}


def drafts(
    inst: Any, labels: NDArray[np.int32], edit: Callable[[_Place], NDArray[np.int64]], count: int, seed: int
) -> Iterator[NDArray[np.int32]]:
    """Drafts in each of which cells of one grid have been painted over to another.

    Parameters
    ----------
    labels : int32 array, shape (n,)
    edit : one of `EDITS`
    """
    rng = np.random.default_rng(seed)
    while count:
        place = _Place(inst, labels, rng)
        cells = edit(place)
        if 0 < len(cells) < len(place.mine):
            draft = labels.copy()
            draft[cells] = place.theirs
            count -= 1
            yield draft
