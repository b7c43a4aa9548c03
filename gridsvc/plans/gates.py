"""The rules a plan must pass before it is published, each with its offenders and the cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.metrics import components_of
from gridsvc.plans.plan import Plan

__all__ = ["Gate", "gates"]

_ROUNDING = 1e-9  # a deviation of exactly the tolerance is inside


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule and how the plan stands to it.

    Attributes
    ----------
    name : {"coverage", "contiguity", "team", "placement", "tolerance"}
    blocking : bool
        Whether a failure forbids publishing.
    offenders : list of dict
        JSON-ready: what breaks the rule.
    cure : str
        What to do about it; empty when passed.
    """

    name: str
    passed: bool
    blocking: bool
    offenders: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    cure: str = ""


def gates(
    plan: Plan,
    *,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    cell_names: Sequence[str],
    has_lead: Mapping[str, bool],
    fallback: str | None = None,
    customers_unplaced: int = 0,
    links: Sequence[tuple[int, int]] = (),
    deviations: Mapping[str, NDArray[np.float64]] | None = None,
    tolerance: Mapping[str, float] | None = None,
) -> list[Gate]:
    """Judge a plan by every rule.

    Parameters
    ----------
    indptr, indices : int64 and int32 arrays
        Adjacency of the tiling, barriers removed.
    cell_names : sequence of str, n_cells
    has_lead : mapping of team id to bool
        Every team of the roster, and whether it has a lead.
    fallback : str, optional
        Team which owns what no grid team does.
    customers_unplaced : int
        Customers whose cell is not known.
    links : sequence of (row, row)
        Cells of different islands which the plan takes as connected.
    deviations : mapping of measure to float64 array, shape (n_grids,), optional
        Relative deviation of each grid from its target; carve-outs are not judged.
    tolerance : mapping of measure to float, optional
        Allowed relative deviation.

    Returns
    -------
    list of Gate
        coverage, contiguity, team, placement (all blocking), tolerance (informs).
    """
    return [
        _coverage(plan, cell_names),
        _contiguity(plan, indptr, indices, links),
        _team(plan, has_lead),
        _placement(customers_unplaced, fallback, has_lead),
        _tolerance(plan, deviations or {}, tolerance or {}),
    ]


def _gate(
    name: str, offenders: list[dict[str, Any]], said: tuple[str, str, str], *, blocking: bool = True
) -> Gate:
    """A gate from its offenders and what to say: (when passed, when failed, cure)."""
    passed, failed, cure = said
    if not offenders:
        return Gate(name, True, blocking, [], passed)
    return Gate(name, False, blocking, offenders, failed, cure)


def _coverage(plan: Plan, cell_names: Sequence[str]) -> Gate:
    offenders = [{"cell": cell_names[i]} for i in np.flatnonzero(plan.labels < 0).tolist()]
    said = (
        "every cell has a grid",
        f"{len(offenders)} of {len(plan.labels)} cells have no grid",
        "move the cells into a grid",
    )
    return _gate("coverage", offenders, said)


def _contiguity(
    plan: Plan, indptr: NDArray[np.int64], indices: NDArray[np.int32], links: Sequence[tuple[int, int]]
) -> Gate:
    placed = np.flatnonzero(plan.labels >= 0)
    pieces = _pieces(plan, placed, indptr, indices, links)
    offenders = [
        {"grid": grid.code, "pieces": int(n)} for grid, n in zip(plan.grids, pieces, strict=True) if n != 1
    ]
    said = (
        "every grid is one piece",
        f"{len(offenders)} grids are empty or in several pieces",
        "move the stray cells to the grid round them, or merge the grid with a neighbour",
    )
    return _gate("contiguity", offenders, said)


def _pieces(
    plan: Plan,
    placed: NDArray[np.int64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    links: Sequence[tuple[int, int]],
) -> NDArray[np.int64]:
    # Cells without a grid take part as a grid of their own, which is then left off.
    n = len(plan.labels)
    labels = np.full(n, len(plan.grids), np.int32)
    labels[placed] = plan.labels[placed]
    ends = np.array(links, np.int64).reshape(-1, 2)
    tail = np.concatenate([np.repeat(np.arange(n), np.diff(indptr)), ends[:, 0], ends[:, 1]])
    head = np.concatenate([indices.astype(np.int64), ends[:, 1], ends[:, 0]])
    starts = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=n), out=starts[1:])
    linked = head[np.argsort(tail, kind="stable")].astype(np.int32)
    return components_of(labels, starts, linked, len(plan.grids) + 1)[:-1]


def _team(plan: Plan, has_lead: Mapping[str, bool]) -> Gate:
    offenders = [
        {"grid": grid.code, "team": grid.team, "why": why}
        for grid in plan.grids
        if (why := _team_fault(grid.team, has_lead))
    ]
    said = (
        "every grid has a team with a lead",
        f"{len(offenders)} grids have no team with a lead",
        "assign a team to each grid and name a lead, or an acting one, in each team",
    )
    return _gate("team", offenders, said)


def _team_fault(team: str | None, has_lead: Mapping[str, bool]) -> str | None:
    if team is None:
        return "no team"
    if team not in has_lead:
        return "unknown team"
    return None if has_lead[team] else "no lead"


def _placement(unplaced: int, fallback: str | None, has_lead: Mapping[str, bool]) -> Gate:
    owned = fallback is not None and has_lead.get(fallback, False)
    offenders = [{"customers": unplaced}] if unplaced and not owned else []
    said = (
        f"the fallback team owns {unplaced} customers without a place"
        if unplaced
        else "every customer has a place",
        f"{unplaced} customers have no place and no fallback team with a lead owns them",
        "name a fallback team with a lead in the roster",
    )
    return _gate("placement", offenders, said)


def _tolerance(
    plan: Plan, deviations: Mapping[str, NDArray[np.float64]], tolerance: Mapping[str, float]
) -> Gate:
    offenders = [
        {"grid": grid.code, "measure": name, "deviation": float(values[g]), "tolerance": tolerance[name]}
        for name, values in deviations.items()
        for g, grid in enumerate(plan.grids)
        if not grid.carve_out and abs(values[g]) > tolerance[name] + _ROUNDING
    ]
    grids = len({entry["grid"] for entry in offenders})
    said = (
        "every grid is within its tolerances",
        f"{grids} of {len(plan.grids)} grids are outside a tolerance",
        "move cells between neighbours, carve out what is too large, or widen the tolerance",
    )
    return _gate("tolerance", offenders, said, blocking=False)
