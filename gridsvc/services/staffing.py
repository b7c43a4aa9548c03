"""Staffing: people for the teams of an assigned plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import Conflict
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.asking import whole_roster_at
from gridsvc.services.assignments import grid_loads
from gridsvc.services.plans import draft
from gridsvc.store.database import Database
from gridsvc.teams.model import Roster
from gridsvc.teams.staffing import Ground, Post, propose
from gridsvc.tiling.tiling import Tiling

__all__ = ["staff", "staff_plan"]

_MOST_PAIRS = 20_000
"""Pairs of post and person up to which a request may wait for a proposal."""


def staff(
    db: Database,
    who: Principal,
    plan: str,
    posts: Sequence[Post],
    pins: Sequence[tuple[str, str, str]] = (),
) -> tuple[int, Roster, dict[str, Any]]:
    """Propose people for the teams of a plan, from those who count now; nothing is stored.

    Returns
    -------
    tuple
        Number of the roster it starts from; the roster proposed, which can be put; and the report. Its
        ``not_carried_over`` counts memberships which have yet to begin, and ends that are known already.

    Raises
    ------
    NotFound
        There is no such plan, or the territory has no roster.
    Conflict
        No grid of the plan has a team.
    InvalidInput
        A post or pin which cannot be read, with its row.
    TooLarge
        There are too many posts and people for a request.
    """
    who.require("plans:read")
    who.require("roster:read")
    now = datetime.now(UTC)
    with db.read(who) as reader:
        found = draft(reader, plan)
        number, whole = whole_roster_at(reader, found.record.territory, now)
    if not any(grid.team for grid in found.plan.grids):
        raise Conflict("no grid of the plan has a team", cure="give its grids to teams first", plan=plan)
    counting = whole.at(now)
    ground = _ground(found.plan, found.tiling, found.columns, counting)
    made = propose(counting, posts, ground, pins=pins, most=_MOST_PAIRS)
    held = {(m.team, m.person, m.role): m.valid_from for m in counting.members}
    members = tuple(replace(m, valid_from=held.get((m.team, m.person, m.role))) for m in made.members)
    lost = sum(m.valid_from is not None and m.valid_from > now for m in whole.members)
    lost += sum(m.valid_until is not None for m in counting.members)
    return number, replace(whole, members=members), {**made.report, "not_carried_over": lost}


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
