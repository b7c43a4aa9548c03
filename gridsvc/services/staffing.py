"""Staffing: people for the teams of an assigned plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.plans.plan import Plan
from gridsvc.services.assignments import grid_loads
from gridsvc.teams.model import Roster
from gridsvc.teams.staffing import Ground, Post, propose
from gridsvc.tiling.tiling import Tiling

__all__ = ["staff_plan"]


def staff_plan(
    plan: Plan,
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    roster: Roster,
    posts: Sequence[Post],
    source: str = "posts",
) -> tuple[Roster, dict[str, Any]]:
    """Propose people for the teams which own the grids of a plan; gives a roster to be put, and the report.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)
    source : str
        What messages call the list of posts.
    """
    found = propose(roster, posts, _ground(plan, tiling, measures, roster), source=source)
    return replace(roster, members=found.members), found.report


def _ground(
    plan: Plan, tiling: Tiling, measures: Mapping[str, NDArray[np.float64]], roster: Roster
) -> Ground:
    loads = grid_loads(plan, tiling, measures)
    places, carried = {}, {}
    for team in roster.teams:
        mine = np.array([grid.team == team.id for grid in plan.grids])
        if mine.any():
            places[team.id] = (float(loads.x[mine].mean()), float(loads.y[mine].mean()))
        total = loads.totals[mine].sum(axis=0)
        carried[team.id] = dict(zip(loads.measures, total.tolist(), strict=True))
    known = [p for p in roster.people if p.lon is not None and p.lat is not None]
    lon, lat = np.array([p.lon for p in known], float), np.array([p.lat for p in known], float)
    x, y = LocalPlane(*tiling.origin).project(lon, lat)
    bases = {p.id: (float(a), float(b)) for p, a, b in zip(known, x, y, strict=True)}
    return Ground(places, bases, carried)
