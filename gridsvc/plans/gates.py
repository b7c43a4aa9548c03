"""The rules a plan must pass before it is published, each with its offenders, where to look, and the cure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.pieces import strays
from gridsvc.plans.places import Places
from gridsvc.plans.plan import Plan

__all__ = ["WAIVABLE", "Gate", "Judged", "gates"]

WAIVABLE = ("contiguity", "requests")
"""Gates of which a grid (or a request, by its id) can be excused by name, with a reason."""

_LISTED = 1000
_ROUNDING = 1e-9  # a deviation of exactly the tolerance is inside

_NO_CELLS = np.array([], np.int64)

Offenders = list[dict[str, Any]]
Rows = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule and how the plan stands to it.

    Attributes
    ----------
    name : str
        coverage, contiguity, team, placement, locks, nesting, requests, tolerance, levels or
        staffing.
    blocking : bool
        Whether a failure forbids publishing.
    offenders : list of dict
        JSON-ready: what breaks the rule, with ``at`` [lon, lat] and ``bbox`` [west, south, east, north] of
        the cells meant; the first 1,000.
    total : int
        How many offenders there are.
    cure : str
        What to do about it; empty when passed.
    message_zh, cure_zh : str
        The same in Chinese.
    waived : list of dict
        Offenders which were excused, each with ``reason`` and ``actor``.
    """

    name: str
    passed: bool
    blocking: bool
    offenders: Offenders = field(default_factory=list)
    total: int = 0
    message: str = ""
    cure: str = ""
    waived: Offenders = field(default_factory=list)
    message_zh: str = ""
    cure_zh: str = ""


@dataclass(frozen=True)
class Judged:
    """A plan and all it is judged by.

    Attributes
    ----------
    indptr, indices : int64 and int32 arrays
        Adjacency of the tiling, barriers removed.
    cell_names : sequence of str, n_cells
    places : Places
    has_lead : mapping of team id to bool
        Every team of the roster, and whether it has a lead.
    fallback : str, optional
        Team which owns what no grid team does.
    customers_unplaced : int
        Customers whose cell is not known.
    links : sequence of (row, row)
        Cells of different islands which the plan takes as connected.
    overlaps : sequence of (row, row, km2)
        Cells which share ground.
    deviations : mapping of measure to float64 array, shape (n_grids,)
        Relative deviation of each grid from its target, NaN where it has none; carve-outs are not judged.
    tolerance : mapping of measure to float
        Allowed relative deviation.
    locks : mapping of row to (code, reason)
        Grid each locked cell must be in.
    parent : object array of str, shape (n_cells,), optional
        Area each cell lies in, where no grid may cross one.
    waivers : sequence of mapping
        ``gate``, ``grid``, ``reason``, ``actor``.
    requests : sequence of (dict, rows)
        Requests of districts which wait for a decision: ``request`` (the id), ``kind``, ``due_at``, and the
        cells they are about.
    whole : bool
        Whether every cell must have a grid.
    """

    plan: Plan
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    cell_names: Sequence[str]
    places: Places
    has_lead: Mapping[str, bool]
    fallback: str | None = None
    customers_unplaced: int = 0
    links: Sequence[tuple[int, int]] = ()
    overlaps: Sequence[tuple[int, int, float]] = ()
    deviations: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    tolerance: Mapping[str, float] = field(default_factory=dict)
    locks: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    parent: NDArray[np.object_] | None = None
    waivers: Sequence[Mapping[str, Any]] = ()
    requests: Sequence[tuple[Mapping[str, Any], Rows]] = ()
    whole: bool = True

    def code(self, row: int) -> str | None:
        """Grid of a cell."""
        label = int(self.plan.labels[row])
        return self.plan.grids[label].code if label >= 0 else None

    def cells_of(self, grid: int) -> NDArray[np.int64]:
        """Rows of a grid."""
        return np.flatnonzero(self.plan.labels == grid)


def gates(judged: Judged) -> list[Gate]:
    """Judge a plan by every rule.

    Returns
    -------
    list of Gate
        coverage (informs where not every cell must have a grid), contiguity, team, placement, locks, nesting,
        requests (all blocking), tolerance (informs).
    """
    rules = (_coverage, _contiguity, _team, _placement, _locks, _nesting, _requests, _tolerance)
    return [rule(judged) for rule in rules]


Found = tuple[dict[str, Any], Rows]

Words = tuple[str, str]
"""A sentence in English and in Chinese."""


def _gate(
    judged: Judged,
    name: str,
    found: Iterable[Found],
    said: tuple[Words, Words, Words],
    *,
    blocking: bool = True,
) -> Gate:
    """A gate from its offenders with their cells, and what to say: (when passed, when failed, cure)."""
    excused = {w["grid"]: w for w in judged.waivers if w["gate"] == name}
    offenders, waived = Offenders(), Offenders()
    total = 0
    for entry, rows in found:
        waiver = excused.get(entry.get("request", entry.get("grid")))
        total += waiver is None
        if waiver is not None:
            told = {"reason": waiver["reason"], "actor": waiver["actor"]}
            waived.append({**judged.places.of(rows), **entry, **told})
        elif len(offenders) < _LISTED:
            offenders.append({**judged.places.of(rows), **entry})
    if not total:
        message, message_zh = said[0]
        return Gate(name, True, blocking, message=message, waived=waived, message_zh=message_zh)
    (message, message_zh), (cure, cure_zh) = said[1], said[2]
    message, message_zh = message.format(total=total), message_zh.format(total=total)
    return Gate(name, False, blocking, offenders, total, message, cure, waived, message_zh, cure_zh)


def _coverage(judged: Judged) -> Gate:
    labels = judged.plan.labels
    size = np.bincount(labels[labels >= 0], minlength=len(judged.plan.grids))
    bare = np.flatnonzero(labels < 0)
    gaps: list[Found] = [
        ({"kind": "gap", "cell": judged.cell_names[row]}, np.array([row])) for row in bare.tolist()
    ]
    orphans: list[Found] = [
        ({"kind": "orphan", "grid": judged.plan.grids[g].code}, np.array([], np.int64))
        for g in np.flatnonzero(size == 0)
    ]
    double: list[Found] = [
        (
            {"kind": "overlap", "cells": [judged.cell_names[a], judged.cell_names[b]], "km2": km2},
            np.array([a, b]),
        )
        for a, b, km2 in judged.overlaps
        if labels[a] != labels[b]
    ]
    said = (
        _covered(len(labels) - len(bare), len(labels), judged.whole),
        _uncovered(len(bare) if judged.whole else 0, len(labels), len(orphans), len(double)),
        (
            "move the cells into a grid, and a grid without cells out of the plan",
            "将这些单元划入网格，并从方案中去掉没有单元的网格",
        ),
    )
    found = [*(gaps if judged.whole else []), *orphans, *double]
    return _gate(judged, "coverage", found, said, blocking=judged.whole)


def _covered(covered: int, cells: int, whole: bool) -> Words:
    if whole or covered == cells:
        return "every cell has a grid", "每个单元都有网格"
    return f"the grids cover {covered} of {cells} cells", f"网格覆盖 {cells} 个单元中的 {covered} 个"


def _uncovered(bare: int, cells: int, orphans: int, double: int) -> Words:
    parts = [
        (bare, f"{bare} of {cells} cells have no grid", f"{cells} 个单元中有 {bare} 个没有网格"),
        (orphans, f"{orphans} grids have no cells", f"{orphans} 个网格没有单元"),
        (
            double,
            f"{double} pairs of cells of different grids share ground",
            f"{double} 对分属不同网格的单元重叠",
        ),
    ]
    found = [(english, chinese) for n, english, chinese in parts if n]
    return ", ".join(english for english, _ in found), "，".join(chinese for _, chinese in found)


def _contiguity(judged: Judged) -> Gate:
    apart = strays(judged.plan, judged.indptr, judged.indices, judged.links)
    found = [
        ({"grid": judged.plan.grids[g].code, "pieces": pieces, "cells": len(rows)}, rows)
        for g, (pieces, rows) in apart.items()
    ]
    said = (
        ("every grid is one piece", "每个网格都连成一片"),
        ("grids in several pieces: {total}", "分成几片的网格：{total} 个"),
        (
            "move the stray cells to the grid round them, or waive the rule for this grid with a reason",
            "将零散单元划入其周围的网格，或说明理由对该网格豁免此规则",
        ),
    )
    return _gate(judged, "contiguity", found, said)


def _team(judged: Judged) -> Gate:
    found = [
        ({"grid": grid.code, "team": grid.team, "why": why}, judged.cells_of(g))
        for g, grid in enumerate(judged.plan.grids)
        if (why := _team_fault(grid.team, judged.has_lead))
    ] + _carved_without_team(judged)
    said = (
        ("every grid has a team with a lead", "每个网格都有团队和负责人"),
        (
            "grids and carve-outs without a team with a lead: {total}"
            if judged.plan.carve_outs
            else "grids without a team with a lead: {total}",
            "没有团队或团队没有负责人的网格和单列区域：{total} 个"
            if judged.plan.carve_outs
            else "没有团队或团队没有负责人的网格：{total} 个",
        ),
        (
            "assign a team to each grid and name a lead, or an acting one, in each team",
            "为每个网格指定团队，并为每个团队指定负责人或代理负责人",
        ),
    )
    return _gate(judged, "team", found, said)


def _carved_without_team(judged: Judged) -> list[Found]:
    """Carve-outs whose team, or where they name none the fallback, has no lead."""
    found: list[Found] = []
    for carved in judged.plan.carve_outs:
        why = _team_fault(carved.team or judged.fallback, judged.has_lead)
        if why:
            place = Places(np.array([carved.polygon], dtype=object)).of(np.array([0]))
            found.append(({"carve_out": carved.code, "team": carved.team, "why": why, **place}, _NO_CELLS))
    return found


def _team_fault(team: str | None, has_lead: Mapping[str, bool]) -> str | None:
    if team is None:
        return "no team"
    if team not in has_lead:
        return "unknown team"
    return None if has_lead[team] else "no lead"


def _placement(judged: Judged) -> Gate:
    unplaced, fallback = judged.customers_unplaced, judged.fallback
    owned = fallback is not None and judged.has_lead.get(fallback, False)
    found: list[Found] = [({"customers": unplaced}, np.array([], np.int64))] if unplaced and not owned else []
    said = (
        (
            f"the fallback team owns {unplaced} customers without a place",
            f"兜底团队负责 {unplaced} 个位置不明的客户",
        )
        if unplaced
        else ("every customer has a place", "每个客户都有位置"),
        (
            f"{unplaced} customers have no place and no fallback team with a lead owns them",
            f"{unplaced} 个客户位置不明，且没有有负责人的兜底团队",
        ),
        ("name a fallback team with a lead in the roster", "在人员名册中指定有负责人的兜底团队"),
    )
    return _gate(judged, "placement", found, said)


def _locks(judged: Judged) -> Gate:
    found = [
        ({"cell": judged.cell_names[row], "grid": judged.code(row), "lock": code, "reason": reason}, [row])
        for row, (code, reason) in judged.locks.items()
        if judged.code(row) != code
    ]
    said = (
        ("every locked cell is in its grid", "每个锁定的单元都在其网格内"),
        ("locked cells in another grid: {total}", "不在原定网格的锁定单元：{total} 个"),
        ("move them back, or make a plan without these locks", "将其移回，或另做不含这些锁定的方案"),
    )
    return _gate(judged, "locks", [(entry, np.array(rows)) for entry, rows in found], said)


def _nesting(judged: Judged) -> Gate:
    said = (
        ("every grid lies in one area", "每个网格都在一个区域内"),
        (
            "grids which cross a border of the areas they are nested in: {total}",
            "跨越所属区域边界的网格：{total} 个",
        ),
        ("move the cells beyond the border to a grid of their own area", "将越界的单元划入其所在区域的网格"),
    )
    found = [] if judged.parent is None else _crossing(judged, judged.parent)
    return _gate(judged, "nesting", found, said)


def _crossing(judged: Judged, parent: NDArray[np.object_]) -> list[Found]:
    found: list[Found] = []
    for g, grid in enumerate(judged.plan.grids):
        rows = judged.cells_of(g)
        if grid.carve_out or not len(rows):
            continue
        names, counts = np.unique(parent[rows].astype(str), return_counts=True)
        home = grid.parent if grid.parent is not None else str(names[counts.argmax()])
        over = rows[parent[rows] != home]
        if len(over):
            areas = {str(name): int(n) for name, n in zip(names, counts, strict=True)}
            found.append(({"grid": grid.code, "parent": home, "cells": len(over), "areas": areas}, over))
    return found


def _requests(judged: Judged) -> Gate:
    said = (
        ("no request waits for a decision", "没有待决定的申请"),
        ("requests which wait for a decision: {total}", "待决定的申请：{total} 个"),
        (
            "accept or reject them, or waive the rule for a request by its id, with a reason",
            "接受或驳回申请，或说明理由按编号对某个申请豁免此规则",
        ),
    )
    return _gate(judged, "requests", [(dict(entry), rows) for entry, rows in judged.requests], said)


def _tolerance(judged: Judged) -> Gate:
    found = [
        (
            {
                "grid": grid.code,
                "measure": name,
                "deviation": float(values[g]),
                "tolerance": judged.tolerance[name],
            },
            g,
        )
        for name, values in judged.deviations.items()
        for g, grid in enumerate(judged.plan.grids)
        if not grid.carve_out and abs(values[g]) > judged.tolerance[name] + _ROUNDING
    ]
    grids = len({entry["grid"] for entry, _ in found})
    said = (
        ("every grid is within its tolerances", "每个网格都在容差以内"),
        (
            f"{grids} of {len(judged.plan.grids)} grids are outside a tolerance",
            f"{len(judged.plan.grids)} 个网格中有 {grids} 个超出容差",
        ),
        (
            "move cells between neighbours, carve out what is too large, or widen the tolerance",
            "在相邻网格间调整单元，将过大的部分单列，或放宽容差",
        ),
    )
    offenders = ((entry, judged.cells_of(g)) for entry, g in found)
    return _gate(judged, "tolerance", offenders, said, blocking=False)
