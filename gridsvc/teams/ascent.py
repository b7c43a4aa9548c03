"""Prices of grids raised where too few teams want them and lowered where too many do.

The volume algorithm (Barahona and Anbil, 2000): each step goes the way of an average of all looks so far, the
latest counting most. The average of the sets met, weighed alike, comes near the answer of the linear program
over all sets, without solving it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.pricing import Key, Look, Pricing
from gridsvc.teams.watch import Watch

__all__ = ["Shares", "ascended"]

_MIX = 0.1  # what the latest look counts, at most
_AIM = 0.05  # share of the bound by which is aimed higher
_NEAR = 0.02  # share of the aim from which it is set anew
_USUAL = 0.1  # cost of a grid, where the bound is none to go by
_PATIENCE = 20  # steps without a better bound
_FASTER, _SLOWER = 1.1, 0.66
_MOST, _LEAST = 2.0, 1e-3  # pace
_GAIN = 1e-5
_NOISE = 1e-9


@dataclass(slots=True)
class Shares:
    """What part of an answer each set is, near the optimum of the linear program over all sets."""

    weight: dict[Key, float] = field(default_factory=dict)
    scale: float = 1.0

    def mix(self, sets: list[Key], share: float) -> None:
        """Let the latest sets count `share`, and what there is the rest."""
        self.scale *= 1 - share
        for key in sets:
            self.weight[key] = self.weight.get(key, 0.0) + share / self.scale

    def falling(self) -> list[tuple[float, Key]]:
        """Sets with what they count, most first."""
        return sorted(((w * self.scale, key) for key, w in self.weight.items()), key=lambda e: (-e[0], e[1]))


@dataclass(slots=True)
class _Stand:
    """The best prices, what is wanted there on average, and the pace."""

    prices: NDArray[np.float64]
    bound: float
    lack: NDArray[np.float64]
    pace: float
    stalled: int = 0

    def ahead(self, target: float) -> NDArray[np.float64]:
        """The next prices to look at."""
        way = np.where((self.prices <= 0) & (self.lack < 0), 0.0, self.lack)
        length = self.pace * (target - self.bound) / max(float(way @ way), _NOISE)
        return np.maximum(self.prices + length * way, 0.0)

    def take(self, u: NDArray[np.float64], look: Look) -> float:
        """Take what a look at `u` has shown; gives how much it counts."""
        lack = 1 - look.held
        self._pace(u, look.bound, float(self.lack @ lack))
        change = lack - self.lack
        share = -float(self.lack @ change) / max(float(change @ change), _NOISE)
        share = min(max(share, _MIX / 10), _MIX)
        self.lack = share * lack + (1 - share) * self.lack
        return share

    def _pace(self, u: NDArray[np.float64], bound: float, agreed: float) -> None:
        if bound <= self.bound:
            self.stalled += 1
        elif bound > self.bound + _GAIN * abs(self.bound):
            self.pace, self.stalled = min(self.pace * (_FASTER if agreed >= 0 else 1), _MOST), 0
        if self.stalled >= _PATIENCE:
            self.pace, self.stalled = self.pace * _SLOWER, 0
        if bound > self.bound:
            self.prices, self.bound = u, bound


def ascended(
    pricing: Pricing, price: float, steps: int, pace: float, watch: Watch, near: float = 0.0
) -> Shares:
    """Better prices, kept in `pricing`, and what part of an answer each set is.

    Parameters
    ----------
    price : float
        Of the best answer known; prices need not prove more.
    steps : int
    pace : float
        Share of the way to the aim which a step takes at first.
    near : float
        Share of `price` which its bound may be away.
    """
    look, shares = pricing.look(pricing.prices), Shares()
    shares.weight = dict.fromkeys(look.sets, 1.0)
    stand, aim = _Stand(pricing.prices, look.bound, 1 - look.held, pace), look.bound
    for turn in range(steps):
        if watch.over(turn / steps, "pricing sets of grids") or stand.pace < _LEAST:
            break
        if stand.lack @ stand.lack <= _NOISE or price - pricing.bound <= near * abs(price):
            break
        if stand.bound >= aim - _NEAR * abs(aim):
            aim = stand.bound + _AIM * max(abs(stand.bound), _USUAL * len(look.held))
        u = stand.ahead(min(aim, price))
        look = pricing.look(u)
        shares.mix(look.sets, stand.take(u, look))
    return shares
