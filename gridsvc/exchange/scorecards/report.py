"""What a grid scorecard says, and its form for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.scorecard import Ranks, Score
from gridsvc.teams.scorecard_rules import ScorecardRules
from gridsvc.teams.trend import Trend

__all__ = ["HIDDEN", "About", "Card", "Tiers", "number", "ranks_of"]

Floats = NDArray[np.float64]

HIDDEN = -1
"""In place of a count which is kept back."""


def number(value: float | None) -> float | int | None:
    """A number to six decimals, whole ones as int; None for nan."""
    if value is None or not np.isfinite(value):
        return None
    rounded = round(float(value), 6)
    return int(rounded) if rounded == int(rounded) else rounded


@dataclass(frozen=True, slots=True)
class About:
    """What a report is about.

    Attributes
    ----------
    customers_word : str
        What the territory calls its customers.
    made_at, at : datetime
        When it was made, and of what time it speaks; in the territory's time zone.
    publication : int or None
        Its number where it is about a publication.
    plan, name, revision, status
        Of a draft.
    roster : int or None
    """

    territory: str
    territory_name: str
    simulated: bool
    customers_word: str
    line: str
    made_at: datetime
    at: datetime
    plan: str
    publication: int | None = None
    name: str = ""
    revision: int | None = None
    status: str | None = None
    effective_at: datetime | None = None
    roster: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same JSON-ready."""
        return {
            "territory": self.territory,
            "territory_name": self.territory_name,
            "simulated": self.simulated,
            "line": self.line,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "at": self.at.isoformat(timespec="seconds"),
            "publication": self.publication,
            "plan": self.plan,
            "name": self.name,
            "revision": self.revision,
            "status": self.status,
            "effective_at": None if self.effective_at is None else self.effective_at.isoformat(),
            "roster": self.roster,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Tiers:
    """Customers by tier.

    Attributes
    ----------
    names : tuple of str, t
        The empty name is for customers without a tier.
    counts : int64 array, shape (k + 1, t)
        The last row is all grids together; `HIDDEN` where a count is kept back.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Card:
    """The scorecard of the grids of a publication or draft.

    Attributes
    ----------
    codes, names : sequence of k str
    teams : sequence of k (id, name), or None where a grid has no team
    carved : bool array, shape (k,)
        Carve-outs have figures but no rank.
    cells, area_km2 : float64 arrays, shape (k,)
    parts : mapping of part to str
        Which measures play it.
    measured : mapping of measure to datetime
        Of what time each is.
    absent : mapping of figure to tuple of str
        What it would need: parts without measures, ``bases`` or ``outlets``.
    figures : mapping of figure to float64 array, shape (k,)
    whole : mapping of figure to float
        Of all grids together.
    ranks : mapping of figure to Ranks
    deviation : mapping of measure to float64 array, shape (k,)
        From the grid's target; nan where it has none.
    hidden : bool array, shape (k,)
        Grids whose number of customers, and what follows of it, is kept back.
    least : int or None
        Counts below this are kept back; None where the caller may see all.
    """

    about: About
    rules: ScorecardRules
    codes: Sequence[str]
    names: Sequence[str]
    teams: Sequence[tuple[str, str] | None]
    carved: NDArray[np.bool_]
    cells: Floats
    area_km2: Floats
    parts: Mapping[str, str]
    measured: Mapping[str, datetime]
    absent: Mapping[str, tuple[str, ...]]
    figures: Mapping[str, Floats]
    whole: Mapping[str, float]
    ranks: Mapping[str, Ranks]
    score: Score | None
    deviation: Mapping[str, Floats]
    hidden: NDArray[np.bool_]
    tiers: Tiers | None = None
    trend: Trend | None = None
    least: int | None = None

    def order(self) -> NDArray[np.int64]:
        """The grids by their score, the best first; those without one behind, in their own order."""
        total = np.full(len(self.codes), np.nan) if self.score is None else self.score.total
        return np.argsort(-np.nan_to_num(total, nan=-1.0), kind="stable")

    def document(self) -> dict[str, Any]:
        """The scorecard JSON-ready."""
        trend = self.trend
        return {
            **self.about.as_dict(),
            "rules": self.rules.as_dict(),
            "parts": dict(self.parts),
            "measured_at": {name: at.isoformat() for name, at in self.measured.items()},
            "absent": [{"figure": name, "needs": list(needs)} for name, needs in self.absent.items()],
            "kept_back_below": self.least,
            "whole": {
                "grids": len(self.codes),
                "figures": {name: number(value) for name, value in self.whole.items()},
                "tiers": self._tiers(len(self.codes)),
            },
            "moments": []
            if trend is None
            else [{"at": m.at.isoformat(), "publication": m.publication} for m in trend.moments],
            "lost": {} if trend is None else {n: [number(v) for v in row] for n, row in trend.lost.items()},
            "grids": [self._grid(g) for g in range(len(self.codes))],
        }

    def _grid(self, g: int) -> dict[str, Any]:
        team = self.teams[g]
        return {
            "code": self.codes[g],
            "name": self.names[g],
            "team": None if team is None else {"id": team[0], "name": team[1]},
            "carve_out": bool(self.carved[g]),
            "cells": number(self.cells[g]),
            "area_km2": number(self.area_km2[g]),
            "kept_back": bool(self.hidden[g]),
            "figures": {
                name: {"value": number(values[g]), **ranks_of(self.ranks[name], g)}
                for name, values in self.figures.items()
            },
            "score": self._score(g),
            "deviation": {name: number(values[g]) for name, values in self.deviation.items()},
            "tiers": self._tiers(g),
            "trend": {}
            if self.trend is None
            else {name: [number(v) for v in values[:, g]] for name, values in self.trend.values.items()},
        }

    def _score(self, g: int) -> dict[str, Any] | None:
        if self.score is None or not np.isfinite(self.score.total[g]):
            return None
        points = {name: number(values[g]) for name, values in self.score.points.items()}
        return {"value": number(self.score.total[g]), **ranks_of(self.score.ranks, g), "points": points}

    def _tiers(self, g: int) -> dict[str, int | None] | None:
        if self.tiers is None:
            return None
        counts = self.tiers.counts[g].tolist()
        return {n: None if c == HIDDEN else c for n, c in zip(self.tiers.names, counts, strict=True)}


def ranks_of(ranks: Ranks, g: int) -> dict[str, Any]:
    """Where one grid stands, JSON-ready."""
    there = bool(ranks.rank[g])
    return {
        "rank": int(ranks.rank[g]) if there else None,
        "tied": bool(ranks.tied[g]),
        "percentile": number(ranks.percentile[g]),
    }
