"""Trends: what the ground of each grid came to at earlier times, under whatever codes it lay then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.lineage import Flow, exact_shares

__all__ = ["Link", "Moment", "Trend", "carried", "link_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """How one set of grids became the next: parts of former grids.

    Attributes
    ----------
    source, target : int64 arrays, shape (n,)
        Position of the former and of the next grid; -1 for ground which has no grid any more.
    share : float64 array, shape (n,)
        The part of the former grid's customers (of its cells where nobody lives); those of a grid add to 1.
    grids : int
        Number of the next grids.
    """

    source: Ints
    target: Ints
    share: Floats
    grids: int

    def carry(self, values: Floats) -> tuple[Floats, float]:
        """What the next grids have of amounts of the former ones, and what none has."""
        parts = values[self.source] * self.share
        kept = self.target >= 0
        carried = np.bincount(self.target[kept], parts[kept], self.grids).astype(np.float64)
        return carried, float(parts[~kept].sum())


def link_of(former: Sequence[str], then: Sequence[str], flows: Mapping[str, Sequence[Flow]]) -> Link:
    """The link between the codes of two sets of grids.

    Parameters
    ----------
    flows : mapping of former code to where its ground went
        A code without keeps its ground under the same code, as before lineage was kept, if it is still there.
    """
    place = {code: at for at, code in enumerate(then)}
    source, target, share = [], [], []
    for at, code in enumerate(former):
        onward = flows.get(code, ())
        parts = [(f.code, float(s)) for f, s in zip(onward, exact_shares(onward), strict=True) if s]
        for heir, part in parts or [(code, 1.0)]:
            source.append(at)
            target.append(place.get(heir or "", -1))
            share.append(part)
    return Link(np.array(source, np.int64), np.array(target, np.int64), np.array(share), len(then))


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a trend: a time, and the publication in force then (None: the draft itself)."""

    at: datetime
    publication: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Amounts of the present grids at earlier times.

    Attributes
    ----------
    moments : sequence of Moment, the oldest first
    values : mapping of figure to float64 array, shape (n_moments, k)
        nan where a figure was not known then.
    lost : mapping of figure to float64 array, shape (n_moments,)
        What lay then on ground which has no grid now.
    """

    moments: Sequence[Moment]
    values: Mapping[str, Floats]
    lost: Mapping[str, Floats]


def carried(values: Floats, links: Sequence[Link]) -> tuple[Floats, float]:
    """Amounts of former grids as those of the last ones, by way of all between; and what none has."""
    lost = 0.0
    for link in links:
        values, gone = link.carry(values)
        lost += gone
    return values, lost
