"""The tree of levels at a time: what is in force of each, and what its grids have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import NotFound
from gridsvc.plans.levels import parents_of, series_of, sums_of
from gridsvc.principal import Principal
from gridsvc.services.compare import customers_in
from gridsvc.services.levels import LevelState, levels_of, state_of
from gridsvc.store.database import Database, Reader

__all__ = ["Told", "Unit", "tree", "units"]

Told = tuple[LevelState, dict[str, float] | None, int | None]


@dataclass(frozen=True, slots=True)
class Unit:
    """A grid of a level with its sums; `parent` is the code of the grid above it."""

    code: str
    name: str
    parent: str | None
    team: str | None
    cells: int
    totals: dict[str, float]


def tree(
    db: Database, who: Principal, territory: str, line: str = "base", at: datetime | None = None
) -> list[Told]:
    """Each level with what is in force of it, its sums, and its number of grids; the top one first.

    A level which is not published, or on another tiling than the lowest one, has neither.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        states, amounts = _states(reader, territory, line, at or datetime.now(UTC))
        told: list[Told] = []
        for state in states:
            if state.record is None and state.level.parent is not None:
                told.append((state, None, None))
                continue
            found = _units(state, states, amounts, reader.territories.get(territory).name, territory)
            told.append((state, _total(found, amounts), len(found)))
        return told


def _total(found: Sequence[Unit], amounts: Mapping[str, Any]) -> dict[str, float]:
    return {"cells": float(sum(u.cells for u in found))} | {
        name: round(sum(unit.totals[name] for unit in found), 6) for name in amounts
    }


def units(
    db: Database,
    who: Principal,
    territory: str,
    level: str,
    line: str = "base",
    at: datetime | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[Unit]:
    """The grids of a level with parent and sums, by code.

    Raises
    ------
    NotFound
        There is no such level, or nothing of it is in force.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        states, amounts = _states(reader, territory, line, at or datetime.now(UTC))
        state = next((state for state in states if state.level.id == level), None)
        if state is None or (state.record is None and state.level.parent is not None):
            there = [s.level.id for s in states if s.record is not None or s.level.parent is None]
            raise NotFound(
                f"nothing is in force of level {level[:40]!r}",
                field="level",
                cure=f"there are {', '.join(there)}",
            )
        found = _units(state, states, amounts, reader.territories.get(territory).name, territory)
    return [unit for unit in sorted(found, key=lambda u: u.code) if after is None or unit.code > after][
        :limit
    ]


def _states(
    reader: Reader, territory: str, line: str, at: datetime
) -> tuple[list[LevelState], dict[str, NDArray[np.float64]]]:
    """The levels at a time, all of one tiling, and what is counted on its cells."""
    reader.territories.get(territory)
    levels = levels_of(reader, territory)
    states = [LevelState(levels[0], series_of(line, levels[0].id, levels))]
    states += [state_of(reader, territory, line, levels, level, at) for level in levels[1:]]
    published = [state.record for state in states if state.record is not None]
    if not published:
        return states, {}
    tiling = published[-1].tiling
    kept = [
        s if s.record is None or s.record.tiling == tiling else LevelState(s.level, s.series) for s in states
    ]
    return kept, _amounts(reader, territory, tiling)


def _amounts(reader: Reader, territory: str, tiling: str) -> dict[str, NDArray[np.float64]]:
    plain, live = reader.tilings.plain(tiling), reader.customers.live_import(territory, tiling)
    found = {name: measure.values for name, measure in reader.tilings.measures(tiling).items()}
    if live is not None and "customers" not in found:
        found["customers"] = customers_in(reader, live, len(plain))
    return {**found, "km2": plain.area / 1e6}


def _units(
    state: LevelState,
    states: Sequence[LevelState],
    amounts: Mapping[str, NDArray[np.float64]],
    name: str,
    territory: str,
) -> list[Unit]:
    if state.plan is None:
        lowest = [s.plan for s in states if s.plan is not None]
        held = np.array([], bool) if not lowest else lowest[-1].labels >= 0
        totals = {amount: float(column[held].sum()) for amount, column in amounts.items()}
        return [Unit(territory, name, None, None, int(held.sum()), totals)]
    higher = [s.plan for s in states[: states.index(state)] if s.plan is not None]
    parents = parents_of(state.plan, higher[-1]) if higher else [territory] * len(state.plan.grids)
    sums = sums_of(state.plan, amounts)
    cells = np.bincount(state.plan.labels[state.plan.labels >= 0], minlength=len(state.plan.grids))
    return [
        Unit(g.code, g.name, parents[i], g.team, int(cells[i]), {n: float(c[i]) for n, c in sums.items()})
        for i, g in enumerate(state.plan.grids)
    ]
