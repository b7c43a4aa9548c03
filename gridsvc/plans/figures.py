"""What running sums say of a draft's grids: the figures of a report, in its form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.live import Live
from gridsvc.plans.plan import Grid

__all__ = ["Figures", "Wanted"]

Floats = NDArray[np.float64]

_ROUNDING = 1e-9  # share of a target: a total of exactly the limit is inside


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each grid should have.

    Attributes
    ----------
    measures : tuple of m str
    tolerance : float64 array, shape (m,)
    targets : float64 array, shape (k, m)
        NaN for carve-outs, and for grids which came later.
    low, high : float64 arrays, shape (k, m)
        Hard limits, infinite where a side is open; NaN where the tolerance counts.
    limits : two float64 arrays, shape (m,)
        `low` and `high` of a grid which comes later.
    """

    measures: tuple[str, ...]
    tolerance: Floats
    targets: Floats
    low: Floats
    high: Floats
    limits: tuple[Floats, Floats]

    def grown(self, more: int) -> Wanted:
        """The same with `more` grids behind the others."""
        own = np.full((more, len(self.measures)), np.nan)
        low, high = (np.tile(row, (more, 1)) for row in self.limits)
        return replace(
            self,
            targets=np.vstack([self.targets, own]),
            low=np.vstack([self.low, low]),
            high=np.vstack([self.high, high]),
        )

    def shared(self, counted: NDArray[np.bool_]) -> Floats:
        """Targets of the grids which count: float64 array, shape (n_counted, m).

        A grid which came later wants as much as the others do on average; then all are brought to the sum
        which the given ones have, so that a split or a merge leaves the whole as it is.
        """
        given = self.targets[~np.isnan(self.targets[:, :1]).all(axis=1)]
        whole = given.sum(axis=0)
        mean = given.mean(axis=0) if len(given) else np.zeros(len(self.measures))
        own = self.targets[counted]
        targets = np.where(np.isnan(own), mean, own)
        now = targets.sum(axis=0)
        return np.asarray(targets * np.where(now > 0, whole / np.where(now > 0, now, 1.0), 1.0), np.float64)


class Figures:
    """Figures of the grids of a draft.

    Parameters
    ----------
    live : Live
    wanted : Wanted
    shown : bool array, shape (k,)
        Grids which are not left out.
    """

    def __init__(self, live: Live, wanted: Wanted, shown: NDArray[np.bool_]) -> None:
        self._live, self._wanted = live, wanted
        self._counted = shown & live.balanced[:-1]
        self._totals = live.loads[:, 1:]
        self._shape, self._pp = live.shape(), live.polsby_popper()
        self._shown = shown
        self._targets = np.full(self._totals.shape, np.nan)
        self._deviation = np.full(self._totals.shape, np.nan)
        if self._counted.any():
            from gridsvc.balance.metrics import deviations  # brings scipy, which no server should wait for

            self._targets[self._counted] = wanted.shared(self._counted)
            self._deviation[self._counted] = deviations(
                self._totals[self._counted], self._targets[self._counted]
            )

    @cached_property
    def _inside(self) -> NDArray[np.bool_]:
        """Within all limits and the reach of the seed: bool array, shape (k,); False for carve-outs."""
        wanted, targets = self._wanted, self._targets
        low = np.where(np.isnan(wanted.low), targets * (1 - wanted.tolerance), wanted.low)
        high = np.where(np.isnan(wanted.high), targets * (1 + wanted.tolerance), wanted.high)
        counted = self._counted
        mean = targets[counted].mean(axis=0) if counted.any() else 0.0
        unit = np.where(targets > 0, targets, mean)
        over = np.maximum(low - self._totals, self._totals - high) / np.where(unit > 0, unit, 1.0)
        with np.errstate(invalid="ignore"):  # carve-outs have no targets
            near = (over <= _ROUNDING).all(axis=1)
        return np.asarray(counted & near & (self._live.far[:-1] == 0), np.bool_)

    def entry(self, g: int, grid: Grid) -> dict[str, Any]:
        """One grid as in a report: `code`, `cells`, `pieces`, `area_km2`, `shape`, `pp`, `totals`, ...

        Deviations are relative (0.05 is 5 % above target), `shape` 1 is a disc, `pp` Polsby-Popper.
        Carve-outs have neither targets nor deviations.
        """
        live = self._live
        counted = bool(self._counted[g])
        told = {
            "code": grid.code,
            "name": grid.name,
            "carve_out": grid.carve_out,
            "cells": int(live.cells[g]),
            "pieces": int(live.pieces[g]),
            "area_km2": float(live.loads[g, 0] / 1e6),
            "shape": float(self._shape[g]),
            "pp": float(self._pp[g]),
            "totals": self._named(self._totals[g]),
        }
        if not counted:
            return told
        return told | {
            "targets": self._named(self._targets[g]),
            "deviation": self._named(self._deviation[g]),
            "inside": bool(self._inside[g]),
            "cells_beyond_radius": int(live.far[g]),
        }

    def entries(self, grids: Iterable[tuple[int, Grid]]) -> list[dict[str, Any]]:
        """One entry a grid which is not left out."""
        return [self.entry(g, grid) for g, grid in grids if self._shown[g]]

    def overall(self) -> dict[str, Any]:
        """Figures of all balanced grids together, as in a report; how many grids are empty or in pieces."""
        live, counted = self._live, self._counted
        some = bool(counted.any())
        off = np.abs(self._deviation[counted]) if some else np.zeros((1, len(self._wanted.measures)))
        shown_pieces = live.pieces[:-1][self._shown]
        return {
            "worst_deviation": self._named(off.max(axis=0)),
            "mean_deviation": self._named(off.mean(axis=0)),
            "inside_share": float(self._inside[counted].mean()) if some else 1.0,
            "cut_share": live.cut / live.open if live.open else 0.0,
            "shape": float(self._shape[counted].mean()) if some else 1.0,
            "pp": float(self._pp[counted].mean()) if some else 0.0,
            "wmoi": self._demand_inertia(),
            "grids": int(np.count_nonzero(self._shown)),
            "empty": int(np.count_nonzero(shown_pieces == 0)),
            "in_pieces": int(np.count_nonzero(shown_pieces > 1)),
        }

    def _demand_inertia(self) -> float:
        """As `gridsvc.balance.metrics.weighted_inertia`, of the balanced grids."""
        live, counted = self._live, self._counted
        total = self._totals[counted].sum(axis=0)
        cells, area = live.cells[counted].sum(), live.loads[counted, 0].sum()
        known = total > 0
        if not known.any() or area <= 0:
            return 0.0
        share = np.concatenate([[0.0], np.where(known, 1.0 / np.where(known, total, 1.0), 0.0) / known.sum()])
        return float(live.inertia(share)[counted].sum() / (area / cells))

    def _named(self, values: Floats) -> dict[str, float]:
        return {name: float(v) for name, v in zip(self._wanted.measures, values, strict=True)}
