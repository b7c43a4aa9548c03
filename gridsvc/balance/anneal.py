"""Annealing: from a first plan to balanced and compact grids."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.arrays import AREA, DEMAND, FIXED, HIGH, LOW, MEASURES, STEEP, TARGET, State, World
from gridsvc.balance.kernels import recount, sweep
from gridsvc.balance.trees import recombine
from gridsvc.progress import Progress, silent, span

__all__ = [
    "Standing",
    "anneal",
    "go_home",
    "rescue",
    "settle",
    "standing",
    "sweep_borders",
    "sweeps_for",
    "temperatures",
]

_CHUNKS = 60  # times the sums are made afresh and the pressure is looked at
_PROPOSALS = 5e6  # for a border of `_BORDER` cells; about 1.5 s
_BORDER = 8000
_PORTION = 2_000_000  # cells looked at
_SWEEPS = (150, 8000)
_HOT, _COLD = 1.2, 0.05  # of an ordinary step; both were read off curves of random planar graphs and cities
_FROZEN = 1e-12
_ROUNDING = 1e-12
_DEARER = 10.0
_FAR = 0.1  # what a tolerance beyond the limits adds to a grid being outside; squared, it is added again
_PRESSED_FROM = 0.6  # share of the cooling after which grids outside their tolerance are pressed
_PRESSURE = 1.2
_TREES_UNTIL = 0.7  # share of the cooling after which pairs of grids are cut anew no more
_ROUNDS = 150
_RINGS = 2
_GROWTH = 0.2  # of the missing load by which a circle's area grows in a round
_DEMAND_SHARE = 0.5  # a circle's centre lies between the centres of area and of demand
_NOTHING, _NO_CIRCLES = np.zeros(0), np.zeros((0, 3))


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """How good labels are; the smaller the better.

    Attributes
    ----------
    badness : float
        Each grid outside its tolerance counts 1 and more the farther it is outside, with the square: where
        many must be outside, one more inside is not worth another twice as far off.
    cost : float
        Of the shapes and of the deviations, under the usual pressure.
    outside : int
        Grids outside their tolerance.
    excess : float
        By how much in all, in tolerances.
    farthest : float
        By how much the farthest of them is, in tolerances.
    """

    badness: float
    cost: float
    outside: int = field(compare=False)
    excess: float = field(compare=False)
    farthest: float = field(compare=False)

    def is_no_worse_than(self, other: Standing) -> bool:
        """Whether no more grids are outside, by no more in all, and none farther."""
        slack = _ROUNDING * (1 + other.excess)
        return (
            self.outside <= other.outside
            and self.excess <= other.excess + slack
            and self.farthest <= other.farthest + slack
        )


def standing(world: World, state: State) -> Standing:
    """Where the labels of `state` stand."""
    over, price = _over(world, state), state.price
    cost = float(price[:, 0].sum() + (price[:, 1] / price[:, 2]).sum() + state.gone[1])
    outside = int((over > 0).any(axis=1).sum())
    badness = outside + _FAR * float((over * (1 + over)).sum())
    return Standing(badness, cost, outside, float(over.sum()), float(over.max(initial=0.0)))


def sweeps_for(border: int) -> int:
    """Sweeps that suit a plan with `border` cells at borders.

    Small problems have more of them, large ones fewer: the time grows with the power 0.75 of the border
    above 8,000 cells and 0.3 below.
    """
    ratio = max(1, border) / _BORDER
    proposals = _PROPOSALS * ratio ** (0.75 if ratio > 1 else 0.3)
    return int(np.clip(proposals / max(1, border), *_SWEEPS))


def settle(world: World, state: State) -> None:
    """Make the grids round and about equal: a balanced centroidal power diagram.

    Each grid has a circle round its centre; cells go to the circle they lie deepest in, and a grid's circle
    grows while it has less load than it should.
    """
    world = world._replace(thorough=True)  # a town's grids may well surround one another here
    wanted = world.band[..., TARGET]
    used = np.isfinite(world.band[..., HIGH]) & (wanted > 0)
    power = np.zeros(len(wanted))
    for _ in range(_ROUNDS):
        sums = state.tally
        area, demand = (np.where(sums[:, c] > 0, sums[:, c], 1.0) for c in (AREA, DEMAND))
        share = np.where(sums[:, DEMAND] > 0, _DEMAND_SHARE, 0.0)
        centre = [
            share * sums[:, DEMAND + c] / demand + (1 - share) * sums[:, AREA + c] / area for c in (1, 2)
        ]
        load = np.where(used, sums[:, MEASURES:] / np.where(used, wanted, 1.0), 1.0).mean(axis=1)
        power += _GROWTH * np.clip(1 - load, -1, 1) * area / np.pi
        if not sweep(world, state, 1.0, 1.0, 2, False, _NOTHING, np.column_stack([*centre, power])):
            break
        recount(world, state)


def sweep_borders(world: World, state: State, heat: float, sweeps: int) -> None:
    """Move borders at one temperature, chains whenever balance refuses a move."""
    sweep(world, state, heat, heat, sweeps, True, _NOTHING, _NO_CIRCLES)


def anneal(
    world: World,
    state: State,
    sweeps: int,
    progress: Progress = silent,
    heat: float = 1.0,
    trees: int = 0,
    shape_first: bool = False,
) -> Standing:
    """Cool from steps of any size being taken to almost none; `state` ends with the best labels found.

    The labels at the start count among those found, so the result is never worse.

    Parameters
    ----------
    heat : float
        Share of the usual temperature to start from; less keeps more of the labels at the start.
    trees : int
        How many pairs of grids are joined and cut anew besides.
    shape_first : bool
        Whether grids outside their tolerance are left there: the best labels are those at the least cost.
    """
    hot, cold = temperatures(world, state)
    return _cool(world, state, max(cold, heat * hot), cold, sweeps, trees, progress, shape_first)


def go_home(world: World, state: State) -> Standing:
    """Undo the moves away from home which nothing needs: no grid may leave its limits for it."""
    before, labels = standing(world, state), state.labels.copy()
    own = world.own.copy()
    own[:, 2] *= _DEARER
    sweep(world._replace(own=own), state, _FROZEN, _FROZEN, 4, False, _NOTHING, _NO_CIRCLES)
    recount(world, state)
    now = standing(world, state)
    if now.badness <= before.badness:
        return now
    state.labels[:] = labels
    recount(world, state)
    return before


def rescue(
    world: World, state: State, sweeps: int, rounds: int, progress: Progress = silent, trees: int = 0
) -> Standing:
    """Press the grids outside their limits harder, heat them and those round them a little, cool again."""
    best = standing(world, state)
    for turn in range(rounds):
        if best.outside == 0:
            break
        bad = _bad(world, state)
        state.price[bad, 2] *= 2
        near = _near(world, state, bad)
        recount(world, state)
        hot, cold = temperatures(near, state)
        part = span(progress, turn / rounds, (turn + 1) / rounds)
        best = _cool(near, state, hot / 4, cold, sweeps, trees, part)
    return best


def _near(world: World, state: State, bad: NDArray[np.bool_]) -> World:
    """The world in which only grids at most `_RINGS` away from a bad one change."""
    tail = np.repeat(state.labels, np.diff(world.indptr))
    head = state.labels[world.indices]
    region = bad.copy()
    for _ in range(_RINGS):
        region[tail[region[head]]] = True
    flags = np.where(region[state.labels], world.flags, world.flags | np.uint8(FIXED))
    return world._replace(flags=flags.astype(np.uint8))


def _cool(
    world: World,
    state: State,
    hot: float,
    cold: float,
    sweeps: int,
    trees: int,
    progress: Progress,
    shape_first: bool = False,
) -> Standing:
    kept, best, said = state.labels.copy(), standing(world, state), _moving(world, state)
    chunks = min(_CHUNKS, sweeps)
    heats = np.geomspace(hot, cold, chunks + 1)
    budget = np.diff(np.linspace(0, sweeps, chunks + 1).round().astype(int))
    try:
        for chunk in range(chunks):
            progress(chunk / chunks, said)
            heat = heats[chunk : chunk + 2]
            if trees and chunk < _TREES_UNTIL * chunks:
                recombine(world, state, heat[0], heat[1], int(trees / (_TREES_UNTIL * chunks)), True, False)
            for part, sweeps_now in enumerate(_portions(state, int(budget[chunk]))):
                if part:
                    progress(chunk / chunks, said)
                sweep(world, state, heat[0], heat[1], sweeps_now, True, _NOTHING, _NO_CIRCLES)
            if chunk >= _PRESSED_FROM * chunks and not shape_first:
                state.price[_bad(world, state), 2] *= _PRESSURE
            recount(world, state)
            now = standing(world, state)
            if now.cost < best.cost if shape_first else now < best:
                kept, best, said = state.labels.copy(), now, _moving(world, state)
    finally:  # also when time is up
        state.labels[:] = kept
        recount(world, state)
    return best


def _moving(world: World, state: State) -> str:
    """What is said while cells move: how far the farthest grid is off its targets."""
    totals, wanted = state.tally[:, MEASURES:], world.band[..., TARGET]
    off = np.abs(totals - wanted)[wanted > 0] / wanted[wanted > 0]
    return f"moving borders, worst deviation {100 * off.max(initial=0.0):.1f} %"


def _portions(state: State, sweeps: int) -> list[int]:
    """Sweeps in portions of half a second or so: only between them is somebody asked whether to go on."""
    border = max(1, int(np.count_nonzero(state.foreign)))
    most = max(1, _PORTION // border)
    return [min(most, sweeps - done) for done in range(0, sweeps, most)]


def temperatures(world: World, state: State) -> tuple[float, float]:
    """Where cooling starts and ends, from the changes of compactness which single moves make now.

    Lumpy plans have steps of very different sizes: the heat must free the large grids' neighbours in town
    and still be quiet enough at the end for the largest.
    """
    steps, labels = np.zeros(len(state.labels)), state.labels.copy()
    sweep(world, state, _FROZEN, _FROZEN, 1, False, steps, _NO_CIRCLES)
    state.labels[:] = labels  # only the sizes of the steps were wanted
    recount(world, state)
    steps = np.abs(steps[steps != 0])
    if not len(steps):
        return 1.0, 0.1
    small, large = np.quantile(steps, [0.25, 0.75])
    return _HOT * float(large), _COLD * float(small)


def _over(world: World, state: State) -> NDArray[np.float64]:
    """Deviation of each grid beyond its limits, in tolerances: shape (k, m)."""
    totals, band = state.tally[:, MEASURES:], world.band
    over = np.maximum(band[..., LOW] - totals, totals - band[..., HIGH]) * band[..., STEEP]
    return np.asarray(np.maximum(over, 0.0), np.float64)


def _bad(world: World, state: State) -> NDArray[np.bool_]:
    """Which grids are outside their limits: shape (k,)."""
    return np.asarray((_over(world, state) > 0).any(axis=1), np.bool_)
