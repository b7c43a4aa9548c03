"""The grid scorecard: figures of each grid, how it stands among the others, and one score, explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.scorecard_rules import FIGURES, Part, ScorecardRules

__all__ = ["Ground", "Held", "Ranks", "Score", "figures_of", "part_sums", "ranked", "ratios", "scored"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Held:
    """Which cells are whose.

    Attributes
    ----------
    labels : int32 array, shape (n_cells,)
        Position of each cell's grid; -1 for none.
    grids : int
        k, their number.
    """

    labels: NDArray[np.int32]
    grids: int

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """Which cells have a grid: bool array, shape (n_cells,)."""
        return np.asarray(self.labels >= 0)

    def sums(self, values: Floats) -> Floats:
        """The sum over the cells of each grid: float64 array, shape (k,)."""
        return np.bincount(self.labels[self.held], values[self.held], self.grids).astype(np.float64)

    def mean(self, values: Floats, weight: Floats) -> Floats:
        """The mean over the cells of each grid by `weight`: float64 array, shape (k,); nan without any."""
        return divided(self.sums(values * weight), self.sums(weight))


@dataclass(frozen=True, eq=False)
class Ground(Held):
    """The grids on their cells, and what lies around them.

    Attributes
    ----------
    area : float64 array, shape (n_cells,), square metres
    x, y : float64 array, shape (n_cells,), metres
    base : float64 array, shape (k, 2), metres
        Base of each grid's team in the plane of the cells; nan where there is none.
    outlets : float64 array, shape (m, 2), metres
        The company's outlets; there may be none.
    """

    area: Floats
    x: Floats
    y: Floats
    base: Floats
    outlets: Floats


def divided(a: Floats, b: Floats) -> Floats:
    """``a / b``, nan where `b` is not above 0."""
    return np.where(b > 0, a / np.where(b > 0, b, 1.0), np.nan)


def part_sums(held: Held, parts: Mapping[str, Part], measures: Mapping[str, Floats]) -> dict[str, Floats]:
    """What each part comes to in each grid; parts whose measures are not all there are left out.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)

    Returns
    -------
    dict of part to float64 array, shape (k,)
    """
    found = {}
    for name, part in parts.items():
        if all(measure in measures for measure in (*part.of, *([part.by] if part.by else []))):
            values = np.sum([measures[measure] for measure in part.of], axis=0)
            found[name] = held.sums(values) if part.by is None else held.mean(values, measures[part.by])
    return found


def ratios(sums: Mapping[str, Floats]) -> dict[str, Floats]:
    """The figures which follow from amounts alone: arrays of the same shape, nan where there is nothing.

    ``penetration`` is served / premises, where served is the customers unless it is a part of its own;
    ``white_space`` is potential - sales, which adds up over grids and is below 0 where more is sold than was
    thought possible.
    """
    found = {name: sums[name] for name in ("customers", "potential") if name in sums}
    served = sums.get("served", sums.get("customers"))
    if served is not None and "premises" in sums:
        found["penetration"] = divided(served, sums["premises"])
    if "potential" in sums and "sales" in sums:
        found["white_space"] = sums["potential"] - sums["sales"]
    return found


def figures_of(ground: Ground, sums: Mapping[str, Floats], heads: Floats | None) -> dict[str, Floats]:
    """Figures of each grid, in the order of `FIGURES`; what cannot be told is not there.

    Parameters
    ----------
    sums : mapping of part to float64 array, shape (k,)
        From `part_sums`.
    heads : float64 array, shape (n_cells,), or None
        Customers in each cell, by whom distances are weighed; by area where they are not known or none.

    Returns
    -------
    dict of figure to float64 array, shape (k,)
        nan where a grid has no such figure. ``density`` is customers a square kilometre, ``base_km`` and
        ``outlet_km`` the mean distance of customers to the team's base and to the nearest outlet.
    """
    found = ratios(sums)
    if "competition" in sums:
        found["competition"] = sums["competition"]
    if "customers" in sums:
        found["density"] = divided(sums["customers"], ground.sums(ground.area) / 1e6)
    if np.isfinite(ground.base).any():
        to = ground.base[np.where(ground.held, ground.labels, 0)]
        found["base_km"] = _mean_km(ground, np.hypot(ground.x - to[:, 0], ground.y - to[:, 1]), heads)
    if len(ground.outlets):
        found["outlet_km"] = _mean_km(ground, _nearest(ground), heads)
    return {name: found[name] for name in FIGURES if name in found}


def _mean_km(ground: Ground, metres: Floats, heads: Floats | None) -> Floats:
    by_area = ground.mean(metres, ground.area)
    by_heads = by_area if heads is None else ground.mean(metres, heads)
    return np.where(np.isfinite(by_heads), by_heads, by_area) / 1000


def _nearest(ground: Ground) -> Floats:
    from scipy.spatial import KDTree  # which no server should load at its start

    points = np.column_stack([ground.x, ground.y])
    return np.asarray(KDTree(ground.outlets).query(points)[0], np.float64)


# --- standing among the others


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """How grids stand among each other by one figure.

    Attributes
    ----------
    rank : int64 array, shape (k,)
        1 is best, equals share the better rank (1, 2, 2, 4); 0 for a grid without.
    tied : bool array, shape (k,)
        Another grid has the same rank.
    percentile : float64 array, shape (k,)
        100 is best of all, 0 worst: the share of the other grids it is better than, equals by half; nan where
        there is no other.
    """

    rank: Ints
    tied: NDArray[np.bool_]
    percentile: Floats


def ranked(values: Floats, good: str, counted: NDArray[np.bool_]) -> Ranks:
    """Ranks by `values`, shape (k,); `good` is the end which is better, ``high`` or ``low``.

    Parameters
    ----------
    counted : bool array, shape (k,)
        Which grids take part: carve-outs do not.
    """
    k = len(values)
    rank, tied, percentile = np.zeros(k, np.int64), np.zeros(k, bool), np.full(k, np.nan)
    who = np.flatnonzero(counted & np.isfinite(values))
    n = len(who)
    # Sums of floats differ in their last bits by the order of cells: such grids are equal.
    worth = _rounded(values[who] if good == "high" else -values[who])
    ascending = np.sort(worth)
    below = np.searchsorted(ascending, worth, "left")
    above = n - np.searchsorted(ascending, worth, "right")
    rank[who], tied[who] = above + 1, below + above < n - 1
    if n > 1:
        percentile[who] = 100 * (below + (n - 1 - below - above) / 2) / (n - 1)
    return Ranks(rank, tied, percentile)


def _rounded(values: Floats) -> Floats:
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return values
    return np.asarray(np.round(values, int(np.clip(9 - np.floor(np.log10(largest)), -300, 300))))


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One number a grid, and what it is made of.

    Attributes
    ----------
    total : float64 array, shape (k,)
        0 to 100: the percentiles by their weights; nan for a grid without any.
    points : mapping of figure to float64 array, shape (k,)
        What each figure brings; they add to `total`. nan where a grid has no such figure.
    ranks : Ranks
        Of the totals.
    """

    total: Floats
    points: Mapping[str, Floats]
    ranks: Ranks


def scored(ranks: Mapping[str, Ranks], rules: ScorecardRules) -> Score | None:
    """The score by the weights of the rules; None where no weighed figure is there.

    A figure which a grid lacks counts neither for nor against it: the weights of the others are what is left.
    """
    weights = {name: rules.weights.get(name, 0.0) for name in ranks}
    used = {name: weight for name, weight in weights.items() if weight > 0}
    if not used:
        return None
    there = {name: np.isfinite(ranks[name].percentile) for name in used}
    whole = np.sum([weight * there[name] for name, weight in used.items()], axis=0)
    points = {name: divided(weight * ranks[name].percentile, whole) for name, weight in used.items()}
    total = np.sum([np.where(there[name], points[name], 0.0) for name in used], axis=0)
    total = np.where(whole > 0, total, np.nan)
    return Score(total, points, ranked(total, "high", np.isfinite(total)))
