"""What the pack of a grid says of ground and people: its holder, area, neighbours, and the team by dates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from gridsvc.exchange.packs.pack import Neighbour, Person, Stage
from gridsvc.ownership.people import people_of, team_of
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.services.desk import Asked, Desk, stored_snapshot
from gridsvc.services.lineage import no_such_grid
from gridsvc.store.database import Reader
from gridsvc.store.handovers import HandoverRecord
from gridsvc.teams.model import Roster

__all__ = ["ground", "held", "owner_name", "stages"]

_MOMENT = timedelta(microseconds=1)


def held(reader: Reader, found: Snapshot, code: str) -> Any:
    """The grid or carve-out of this code."""
    every: list[Any] = [*found.holdings.grids, *found.holdings.overlays]
    held = next((one for one in every if one.code == code), None)
    if held is None:
        raise no_such_grid(reader, found, code)
    return held


def ground(reader: Reader, found: Snapshot, code: str) -> tuple[int, float | None, tuple[Neighbour, ...]]:
    """Cells, area in km2 and neighbours of a grid; a carve-out by polygon has none of its own."""
    grids = found.holdings.grids
    at = next((i for i, grid in enumerate(grids) if grid.code == code), None)
    if at is None:
        return 0, None, ()
    tiling, labels = reader.tilings.plain(found.tiling), np.asarray(found.holdings.labels)
    links = tiling.adjacency
    a = np.repeat(np.arange(len(tiling)), np.diff(links.indptr))
    out = (labels[a] == at) & (labels[links.indices] != at) & (labels[links.indices] >= 0)
    border = np.bincount(labels[links.indices[out]], links.length[out], len(grids))
    near = [(float(border[i]) / 1000, grids[i]) for i in np.flatnonzero(border > 0).tolist()]
    shown = [
        _neighbour(found.people, grid, km) for km, grid in sorted(near, key=lambda n: (-n[0], n[1].code))
    ]
    held = labels == at
    return int(held.sum()), float(tiling.area[held].sum()) / 1e6, tuple(shown)


def _neighbour(roster: Roster, grid: Grid, km: float) -> Neighbour:
    team = grid.team or roster.fallback
    lead = people_of(roster, team)["lead"]
    return Neighbour(
        grid.code, grid.name, owner_name(roster, team), "-" if lead is None else lead["name"], km
    )


def owner_name(roster: Roster, team: str | None) -> str:
    """Name of a team; - for none."""
    found = team_of(roster, team)
    return "-" if found is None else str(found["name"])


def stages(
    desk: Desk,
    reader: Reader,
    found: Snapshot,
    code: str,
    at: datetime,
    record: HandoverRecord | None,
    *,
    dated: bool,
) -> tuple[Stage, ...]:
    """The team before, from the date on, and from when successors begin; what is as before is left out."""
    if record is None and not dated:
        return (_stage(found, code, None),)
    later = {datetime.fromisoformat(p["start"]) for p in _passed(record) if p["start"]}
    shown = list[Stage]()
    for moment in [at - _MOMENT, *sorted({at, *later})]:
        asked = Asked(found.holdings.territory, found.holdings.line, as_of=moment)
        stage = _stage(stored_snapshot(desk, reader, asked), code, moment if shown else None)
        if not shown or (stage.team, stage.people) != (shown[-1].team, shown[-1].people):
            shown.append(stage)
    return tuple(shown)


def _passed(record: HandoverRecord | None) -> list[dict[str, Any]]:
    return [] if record is None else list(record.told["passed"])


def _stage(found: Snapshot, code: str, start: datetime | None) -> Stage:
    every: list[Any] = [*found.holdings.grids, *found.holdings.overlays]
    held = next((one for one in every if one.code == code), None)
    roster = found.people
    team = None if held is None else held.team or roster.fallback
    departments = {d.id: d.name for d in roster.departments}
    people = []
    for m in roster.members_by_team.get(team or "", ()):
        person = roster.person_by_id[m.person]
        home = departments.get(person.department, person.department)
        people.append(Person(m.person, person.name, home, m.role, m.acting, m.backup))
    people.sort(key=lambda p: (p.role != "lead", not p.acting, p.id))
    return Stage(start, team, owner_name(roster, team), tuple(people))
