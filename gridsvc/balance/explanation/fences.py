"""Proofs from where cells may not go: parts which do not touch, locks, and the moves allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.proof import ROUNDING, Band, Kind, Measure, Proof, Rule, proof_by, summed
from gridsvc.balance.graph import parts_of
from gridsvc.balance.problem import Past, Problem

__all__ = ["by_locks", "by_parts", "by_parts_together", "counts", "least_moved", "of_grids"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Test = Callable[[Band], NDArray[np.bool_]]


def counts(sums: Floats, sizes: Ints, needed: Ints, band: Band, slack: float) -> tuple[Ints, Ints]:
    """Least and most grids each part can be cut into.

    Parameters
    ----------
    sums, sizes, needed : arrays, shape (p,)
        Each part's total, its number of cells and how many grids must lie in it.
    band : low and high totals of the k grids
        Any grids may go to any part, so the largest highs and the smallest lows are counted.
    """
    fewest = np.searchsorted(np.cumsum(np.sort(band.high)[::-1]), sums - slack) + 1
    most = np.searchsorted(np.cumsum(np.sort(band.low)), sums + slack, side="right")
    return np.maximum(fewest, needed), np.minimum(most, sizes)


def _needed(part: Ints, anchor: Ints) -> Ints:
    held = np.unique(np.column_stack([part, anchor])[anchor >= 0], axis=0)
    return np.maximum(np.bincount(held[:, 0], minlength=int(part.max()) + 1), 1)


def _unfit(fewest: Ints, most: Ints, k: int) -> bool:
    return bool((fewest > most).any() or fewest.sum() > k or most.sum() < k)


def by_parts(measure: Measure, part: Ints, anchor: Ints) -> Iterator[Proof]:
    """Parts whose total no number of grids divides, by themselves or with k grids in all."""
    if part.max() == 0:
        return  # the limits' sums say the same
    k, slack = len(measure.target), measure.slack
    sums = summed(part, measure.cells, int(part.max()) + 1)
    sizes, needed = np.bincount(part), _needed(part, anchor)

    def parts(band: Band) -> bool:
        return _unfit(*counts(sums, sizes, needed, band, slack), k)

    def one(p: int) -> Rule:
        span = slice(p, p + 1)

        def test(band: Band) -> bool:
            fewest, most = counts(sums[span], sizes[span], needed[span], band, slack)
            return bool(fewest[0] > min(most[0], k))

        return test

    fewest, most = counts(sums, sizes, needed, measure.limits, slack)
    for p in np.flatnonzero(fewest > most).tolist():
        proof = proof_by("part", "component", measure, one(p), np.flatnonzero(part == p))
        share = float(sums[p] / measure.target.mean())
        proof.facts.update(part=p, cells=int(sizes[p]), total=float(sums[p]), share=share)
        proof.facts["grids"] = _best(share, int(min(sizes[p], k)))
        yield proof
    yield proof_by("parts", "component", measure, parts, np.zeros(0, np.int64))


def _best(share: float, most: int) -> int:
    """Number of grids whose mean deviates least, for a part of so many targets."""
    few = max(1, min(int(share), most))
    return min(range(few, min(few + 1, most) + 1), key=lambda c: abs(share / c - 1))


def by_parts_together(measures: list[Measure], part: Ints, anchor: Ints) -> Iterator[Proof]:
    """Parts which divide measure by measure, but not into one number of grids for all of them."""
    sizes, needed = np.bincount(part), _needed(part, anchor)
    fewest, most = needed, sizes
    for m in measures:
        least_, most_ = counts(summed(part, m.cells, len(sizes)), sizes, needed, m.limits, m.slack)
        fewest, most = np.maximum(fewest, least_), np.minimum(most, most_)
    if measures and _unfit(fewest, most, len(measures[0].target)):
        torn = np.flatnonzero(fewest > most)
        cells = np.flatnonzero(part == torn[0]) if len(torn) else np.zeros(0, np.int64)
        yield Proof(
            "together",
            "component",
            tuple(m.column for m in measures),
            None,
            True,
            cells,
            facts={"cells": len(cells)},
        )


def by_locks(measure: Measure, pairs: tuple[Ints, Ints], anchor: Ints) -> Iterator[Proof]:
    """Grids which locks and seeds fill, fence in, or leave alone with a pocket of free cells."""
    k, free = len(measure.target), anchor < 0
    if free.all():
        return
    held = summed(anchor[~free], measure.cells[~free], k)
    has = np.bincount(anchor[~free], minlength=k) > 0
    touches, room = _surroundings(measure, pairs, anchor)
    reach = held + summed(touches[:, 0], room[touches[:, 1]], k)
    alone = np.bincount(touches[:, 1], minlength=len(room)) == 1
    forced = alone[touches[:, 1]] & bool(has.all())
    filled = held + summed(touches[forced, 0], room[touches[forced, 1]], k)
    slack = measure.slack

    def above(mass: Floats) -> Test:
        return lambda band: np.asarray(has & (mass > band.high + slack), np.bool_)

    def fenced(band: Band) -> NDArray[np.bool_]:
        return np.asarray(has & (reach < band.low - slack), np.bool_)

    for rule, mass, test in (
        ("locked", held, above(held)),
        ("pocket", filled, above(filled)),
        ("fenced", reach, fenced),
    ):
        yield of_grids(rule, "lock", measure, mass, test, anchor)


def _surroundings(measure: Measure, pairs: tuple[Ints, Ints], anchor: Ints) -> tuple[Ints, Floats]:
    # Which (grid, region of free cells) touch, and what each region holds.
    a, b = pairs
    free = anchor < 0
    both = free[a] & free[b]
    count, region = parts_of(len(anchor), (a[both], b[both]))
    room = summed(region[free], measure.cells[free], count)
    tail, head = np.concatenate([a, b]), np.concatenate([b, a])
    edge = ~free[tail] & free[head]
    return np.unique(np.column_stack([anchor[tail[edge]], region[head[edge]]]), axis=0), room


def of_grids(
    rule: str,
    kind: Kind,
    measure: Measure,
    mass: Floats,
    test: Test,
    anchor: Ints,
) -> Proof:
    """The proof of a test grid by grid; `mass` is what it looks at, shape (k,)."""
    wrong = np.flatnonzero(test(measure.limits))
    cells = np.flatnonzero(np.isin(anchor, wrong))
    cells = cells[np.argsort(-measure.cells[cells], kind="stable")]
    proof = proof_by(rule, kind, measure, lambda band: bool(test(band).any()), cells)
    worst = wrong[np.argsort(-np.abs(mass - measure.target)[wrong] / measure.unit[wrong], kind="stable")]
    if len(worst):
        proof.facts["share"] = float(mass[worst[0]] / measure.unit[worst[0]])
    return replace(proof, grids=worst)


def least_moved(problem: Problem, past: Past) -> float:
    """Least sum of `past.load` any plan inside the limits moves, in the load's units (a lower bound).

    What a grid of the plan in force holds above its limit has to leave it, and what it lacks has to come
    in; each is filled with the cells cheapest to move, a cell being divisible at best.
    """
    low, high = problem.band()
    away, home = np.zeros(problem.k), np.zeros(problem.k)
    for j in range(problem.weights.shape[1]):
        w = problem.weights[:, j]
        settled = past.home >= 0
        sums = summed(past.home[settled].astype(np.int64), w[settled], problem.k)
        cheap = np.flatnonzero(w > 0)
        cheap = cheap[np.argsort(past.load[cheap] / w[cheap], kind="stable")]
        owner, load, unit = past.home[cheap], past.load[cheap], max(float(sums.max()), 1e-300)
        for g in np.flatnonzero(sums > high[:, j] + ROUNDING * unit).tolist():
            own = owner == g
            away[g] = max(away[g], _filled(w[cheap[own]], load[own], sums[g] - high[g, j]))
        for g in np.flatnonzero(sums < low[:, j] - ROUNDING * unit).tolist():
            strange = owner != g
            cost = np.where(owner[strange] < 0, 0.0, load[strange])
            order = np.argsort(cost / w[cheap[strange]], kind="stable")
            home[g] = max(home[g], _filled(w[cheap[strange]][order], cost[order], low[g, j] - sums[g]))
    return float(max(away.sum(), home.sum()))


def _filled(amount: Floats, load: Floats, wanted: float) -> float:
    return float(np.interp(wanted, np.r_[0.0, np.cumsum(amount)], np.r_[0.0, np.cumsum(load)]))
