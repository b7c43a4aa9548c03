"""Scorecards for callers who may not see customers: small counts, and what would tell them, kept back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.exchange.scorecards.report import HIDDEN, Card, Tiers
from gridsvc.teams.scorecard import Ranks
from gridsvc.teams.suppression import hidden_parts, hidden_table

__all__ = ["with_small_counts_kept_back"]

Bools = NDArray[np.bool_]
_SAFE = frozenset({"base_km", "outlet_km", "competition"})
"""Figures from which the number of customers does not follow."""


def with_small_counts_kept_back(card: Card, least: int, kept: Bools) -> Card:
    """The card without counts of customers from 1 to below `least`, nor what differences would tell of them.

    A grid whose number of customers is kept back has no figure left from which it would follow, and so no
    score.

    Parameters
    ----------
    kept : bool array, shape (n_grids,)
        Grids which are kept back anyway.
    """
    tiers, forced = card.tiers, kept
    whole_hidden = False
    if tiers is not None:
        marks = hidden_table(tiers.counts[:-1], least)
        forced, whole_hidden = forced | marks[:-1, -1], bool(marks[-1, -1])
        tiers = Tiers(tiers.names, np.where(marks[:, :-1], HIDDEN, tiers.counts))
    hidden = forced
    if "customers" in card.figures:
        counts = np.nan_to_num(np.ceil(card.figures["customers"])).astype(np.int64)
        hidden = forced | hidden_parts(counts, least, forced)
        whole_hidden = whole_hidden or 0 < counts.sum() < least
    if tiers is not None and hidden.any():  # one who knows the sum of a row's tiers knows the row
        known = (tiers.counts[:-1] != HIDDEN).all(axis=1) & hidden
        tiers.counts[:-1][known] = HIDDEN
    blank = _Blank(hidden)
    score = card.score
    if score is not None:
        points = {name: blank.floats(values) for name, values in score.points.items()}
        score = replace(score, total=blank.floats(score.total), points=points, ranks=blank.ranks(score.ranks))
    trend = card.trend
    if trend is not None:
        values = {name: _small_gone(blank.columns(v), name, least) for name, v in trend.values.items()}
        trend = replace(trend, values=values)
    return replace(
        card,
        figures={name: v if name in _SAFE else blank.floats(v) for name, v in card.figures.items()},
        ranks={name: v if name in _SAFE else blank.ranks(v) for name, v in card.ranks.items()},
        whole=_unsafe_gone(card.whole) if whole_hidden else card.whole,
        deviation={name: blank.floats(values) for name, values in card.deviation.items()},
        score=score,
        trend=trend,
        tiers=tiers,
        hidden=hidden,
        least=least,
    )


class _Blank:
    """Takes the marked grids out of arrays."""

    def __init__(self, hidden: Bools) -> None:
        self._hidden = hidden

    def floats(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(self._hidden, np.nan, values)

    def columns(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(self._hidden[None, :], np.nan, values)

    def ranks(self, ranks: Ranks) -> Ranks:
        return Ranks(
            np.where(self._hidden, 0, ranks.rank), ranks.tied & ~self._hidden, self.floats(ranks.percentile)
        )


def _unsafe_gone(whole: Mapping[str, float]) -> dict[str, float]:
    return {name: value if name in _SAFE else float("nan") for name, value in whole.items()}


def _small_gone(values: NDArray[np.float64], name: str, least: int) -> NDArray[np.float64]:
    """Earlier numbers of customers without the small ones."""
    if name != "customers":
        return values
    small = (np.nan_to_num(values) > 0) & (np.nan_to_num(values) < least)
    return np.where(small, np.nan, values)
