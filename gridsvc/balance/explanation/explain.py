"""Why a plan is not inside its tolerances: the proof or the best bound, the cause, and what would cure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.binding import beyond_limits, binding
from gridsvc.balance.explanation.bounds import by_size, prove
from gridsvc.balance.explanation.drift import drifts
from gridsvc.balance.explanation.fences import least_moved
from gridsvc.balance.explanation.proof import Proof, measures_of
from gridsvc.balance.explanation.radius import beyond_radius
from gridsvc.balance.explanation.relax import joined, relaxations
from gridsvc.balance.explanation.sentences import (
    RADIUS_CURE,
    cure_of,
    drifted,
    percent,
    relocated,
    sentence_of,
    worded,
)
from gridsvc.balance.graph import Link
from gridsvc.balance.metrics import deviations, totals
from gridsvc.balance.problem import Problem

__all__ = ["binding", "explain", "relocated", "worded"]

Floats = NDArray[np.float64]

_TOLD = 20  # rows and grids listed at most
_NO_ROWS = np.zeros(0, np.int64)
_SPENT = 0.95  # of an allowance of moves, from which it may be what holds the plan back
_FRONT = "choose from plans between compact and balanced (a lower compactness), or widen the tolerance"
_SEARCHED = "nothing proves that the tolerance cannot be met, and no cause was found"
_LONGER = "allow more sweeps, try another seed, or widen the tolerance"


def explain(problem: Problem, labels: NDArray[np.int32], links: Sequence[Link] = ()) -> dict[str, Any]:
    """Say whether a plan is inside its limits, and if not, what is to blame and what would help.

    Parameters
    ----------
    labels : int32 array, shape (n,)
        Grid 0..k-1 of each cell.
    links : sequence of Link
        Connections made up between islands.

    Returns
    -------
    dict
        ``feasible``: every grid is inside its limits and within its seed's radius.
        ``bounds``: per measure ``lower``, which no valid plan's worst deviation is below (proved), and
        ``found``, the plan's.
        ``worst``: the same for the worst deviation over all measures.
        ``drift``: see `gridsvc.balance.explanation.drift.drifts`; empty where feasible.
        ``causes``: the proved ones first; ``kind`` (cell, lock, component, limits, radius, allowance,
        drift, search), ``grids``, ``cells`` (rows, at most 20), ``parents`` (of a part, where grids are
        nested), ``measure``, ``measures``, ``bound`` (proved, over these measures; None without),
        ``proved``, ``message``, ``cure``.
        ``relaxations``: see `gridsvc.balance.explanation.relax.relaxations`.

        Sentences name no rows and no grids, which have other names outside; `worded` puts names to them.
    """
    sums = totals(labels, problem.weights, problem.k)
    beyond = beyond_limits(problem, sums)
    worst = np.abs(deviations(sums, problem.targets)).max(axis=0)
    far = beyond_radius(problem, labels)
    if not (beyond.any() or far.any()):
        proofs = [proof for measure in measures_of(problem) for proof in by_size(measure)]
        told = _bounds(problem, worst, proofs)
        return {"feasible": True, **told, "drift": [], "causes": [], "relaxations": []}
    proofs = prove(problem, *joined(problem, links))
    against = [proof for proof in proofs if proof.excludes]
    drift = drifts(problem)
    causes = _proved(problem, labels, beyond, against)
    causes += _allowance(problem, labels, beyond)
    causes += _far(labels, far, causes)
    causes += _unproved(problem, beyond, drift, causes)
    return {
        "feasible": False,
        **_bounds(problem, worst, proofs),
        "drift": drift,
        "causes": causes,
        "relaxations": relaxations(problem, worst, beyond.max(axis=0), against, float(far.max())),
    }


def _bounds(problem: Problem, worst: Floats, proofs: list[Proof]) -> dict[str, Any]:
    lower, overall = np.zeros(len(worst)), 0.0
    for proof in proofs:
        if proof.bound is None or (proof.kind == "radius" and proof.bound > worst[proof.measures[0]]):
            continue  # a plan which passes a radius is not held by it
        overall = max(overall, proof.bound)
        if len(proof.measures) == 1:
            lower[proof.measures[0]] = max(lower[proof.measures[0]], proof.bound)
    pairs = zip(problem.measures, lower.tolist(), worst.tolist(), strict=True)
    return {
        "bounds": {name: {"lower": low, "found": high} for name, low, high in pairs},
        "worst": {"lower": overall, "found": float(worst.max(initial=0.0))},
    }


def _proved(
    problem: Problem, labels: NDArray[np.int32], beyond: Floats, against: list[Proof]
) -> list[dict[str, Any]]:
    causes, seen = [], set()
    for proof in sorted(against, key=lambda p: -(p.bound or 0.0)):
        blamed = (proof.rule, proof.measures[:1], proof.cells[:1].tobytes())
        if blamed in seen or (proof.rule == "parts" and any(p.rule == "part" for p in against)):
            continue  # the same cell or part again, by another way
        seen.add(blamed)
        outside = np.asarray((beyond[:, list(proof.measures)] > 0).any(axis=1), np.bool_)
        grids = proof.grids
        if len(grids) == 0:
            grids = np.unique(labels[proof.cells]) if len(proof.cells) else np.flatnonzero(outside)
        if proof.kind == "component":
            grids = grids[outside[grids]]
        names = [problem.measures[j] for j in proof.measures]
        said = sentence_of(problem, proof, names), cure_of(problem, proof)
        cause = _cause(proof.kind, grids, names, *said, cells=proof.cells, bound=proof.bound, proved=True)
        if proof.kind == "component" and problem.parent is not None:
            cause["parents"] = np.unique(problem.parent[proof.cells]).tolist()
        causes.append(cause)
    return causes


def _cause(
    kind: str,
    grids: NDArray[Any],
    names: list[str],
    message: str,
    cure: str,
    *,
    cells: NDArray[Any] = _NO_ROWS,
    bound: float | None = None,
    proved: bool = False,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "grids": grids[:_TOLD].tolist(),
        "cells": cells[:_TOLD].tolist(),
        "parents": [],
        "measure": names[0] if names else None,
        "measures": names,
        "bound": bound,
        "proved": proved,
        "message": message,
        "cure": cure,
    }


def _allowance(problem: Problem, labels: NDArray[np.int32], beyond: Floats) -> list[dict[str, Any]]:
    past = problem.past
    if past is None or not np.isfinite(past.most):
        return []
    need = least_moved(problem, past)
    moved = float(past.load[(past.home >= 0) & (labels != past.home)].sum())
    proved = need > past.most * (1 + 1e-9)
    if not proved and moved < _SPENT * past.most:
        return []
    total = max(float(past.load.sum()), 1e-300)
    allowed = f"{percent(past.most / total)} may move"
    if proved:
        text = f"only {allowed}, and at least {percent(need / total)} has to for every grid to come inside"
    else:
        text = f"{allowed} and {percent(moved / total)} does: more might bring more grids inside"
    grids = np.flatnonzero((beyond > 0).any(axis=1))
    return [_cause("allowance", grids, [], text, "allow more to move, or widen the tolerance", proved=proved)]


def _far(labels: NDArray[np.int32], far: Floats, causes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not far.any() or any(cause["kind"] == "radius" for cause in causes):
        return []
    cells = np.argsort(-far, kind="stable")[: np.count_nonzero(far)]
    text = (
        f"{len(cells):,} cells lie beyond the radius of their grid's seed, the farthest {far.max():,.0f} m "
        "from it"
    )
    return [_cause("radius", np.unique(labels[cells]), [], text, RADIUS_CURE, cells=cells)]


def _unproved(
    problem: Problem,
    beyond: Floats,
    drift: list[dict[str, Any]],
    causes: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The likely cause of what no proof accounts for: drift, else the search itself."""
    blamed = {name for cause in causes if cause["proved"] for name in cause["measures"] or problem.measures}
    left = [j for j in np.flatnonzero((beyond > 0).any(axis=0)).tolist() if problem.measures[j] not in blamed]
    apart: dict[int, list[int]] = {}  # place in `drift`, or -1 for none: the measures it accounts for
    for j in left:
        places = [i for i, e in enumerate(drift) if problem.measures[j] in e["measures"] and e["explains"]]
        most = max(places, key=lambda i: float(drift[i]["spread"]), default=-1)
        apart.setdefault(most, []).append(j)
    found = []
    for place, columns in sorted(apart.items(), reverse=True):
        grids = np.flatnonzero((beyond[:, columns] > 0).any(axis=1))
        if place >= 0:
            entry = drift[place]
            found.append(_cause("drift", grids, entry["measures"], drifted(entry), _FRONT))
        else:
            names = [problem.measures[j] for j in columns]
            found.append(_cause("search", grids, names, _SEARCHED, _LONGER))
    return found
