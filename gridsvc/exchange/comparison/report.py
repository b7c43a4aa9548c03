"""What a realignment report says, and its form for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from gridsvc.plans.compare import Amounts, Comparison, Flow, GridChange, Sides
from gridsvc.plans.plan import Grid

__all__ = ["AREA", "CUSTOMERS", "Report", "Side", "TeamName", "number"]

AREA, CUSTOMERS = "#area_km2", "#customers"
"""Names of amounts which are no measures; a measure cannot be called so."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the plans.

    Attributes
    ----------
    plan : str or None
        Its id, or the name of its file.
    publication : int or None
        Its number where it is a publication.
    revision, status : int and str, or None
        Of a draft.
    """

    plan: str | None
    name: str
    line: str = "base"
    publication: int | None = None
    revision: int | None = None
    status: str | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TeamName:
    """What people call a team, and who leads it."""

    name: str
    lead: str | None = None


@dataclass(frozen=True)
class Report:
    """Two plans of a territory side by side.

    Attributes
    ----------
    territory, territory_name : str or None
        None where plans come from files and no territory is known.
    customers_word : str
        What the territory calls its customers.
    made_at : datetime
        In the territory's time zone.
    measures : tuple of str
        The amounts of `comparison` besides `AREA` and `CUSTOMERS`.
    counted : str or None
        That of the measures which is the number of customers; tables show it once.
    teams : mapping of team id to TeamName
    cells : sequence of (cell, from, to)
        The moved cells, with grid codes (None: no grid).
    """

    territory: str | None
    territory_name: str | None
    simulated: bool
    customers_word: str
    made_at: datetime
    tiling: str | None
    before: Side
    after: Side
    comparison: Comparison
    measures: tuple[str, ...]
    counted: str | None = None
    teams: Mapping[str, TeamName] = field(default_factory=dict)
    cells: Sequence[tuple[str, str | None, str | None]] = ()

    @property
    def counts_customers(self) -> bool:
        """Whether the number of customers is known."""
        return CUSTOMERS in self.comparison.total.values

    @property
    def shown(self) -> list[str]:
        """Names of the amounts in tables, area left off: customers, then the measures."""
        known = [CUSTOMERS] if self.counts_customers else []
        return known + [name for name in self.measures if not known or name != self.counted]

    @property
    def aimed(self) -> list[str]:
        """The measures which have targets, so that grids deviate from them."""
        return [name for name in self.measures if any(name in c.deviation for c in self.comparison.grids)]

    @cached_property
    def _changes(self) -> dict[str, GridChange]:
        return {change.code: change for change in self.comparison.grids}

    def grid(self, code: str | None, *, after: bool) -> Grid | None:
        """The grid of a code on one side."""
        found = self._changes.get(code or "")
        return None if found is None else found.after if after else found.before

    def team(self, team: str | None) -> TeamName:
        """Name and lead of a team; its id where the roster does not know it."""
        return self.teams.get(team or "", TeamName(team or ""))

    def share(self, part: Amounts, name: str | None) -> float | None:
        """Share of an amount (None: of the cells) in the whole; None where there is nothing."""
        whole = self.comparison.total
        if name is None:
            return part.cells / whole.cells if whole.cells else None
        return part.values[name] / whole.values[name] if whole.values[name] else None

    def document(self, *, cells: bool = False) -> dict[str, Any]:
        """The report JSON-ready; `cells` lists the moved cells one by one."""
        found = self.comparison
        listed = [{"cell": cell, "from": a, "to": b} for cell, a, b in self.cells]
        return {
            "territory": self.territory,
            "territory_name": self.territory_name,
            "simulated": self.simulated,
            "tiling": self.tiling,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "before": _side(self.before, sum(change.before is not None for change in found.grids)),
            "after": _side(self.after, sum(change.after is not None for change in found.grids)),
            "total": self._amounts(found.total),
            "moved": {**self._amounts(found.moved), "share": self._shares(found.moved)},
            "handed_over": {**self._amounts(found.handed_over), "share": self._shares(found.handed_over)},
            "unchanged": self._unchanged(),
            "grid_moves": [self._grid_flow(flow) for flow in found.grid_flows],
            "team_moves": [self._team_flow(flow) for flow in found.team_flows],
            "grids": [self._grid(change) for change in found.grids],
            **({"cells": listed} if cells else {}),
        }

    def _amounts(self, amounts: Amounts) -> dict[str, Any]:
        return {
            "cells": amounts.cells,
            "area_km2": number(amounts.values[AREA]),
            "customers": number(amounts.values.get(CUSTOMERS)),
            "measures": {name: number(amounts.values[name]) for name in self.measures},
        }

    def _shares(self, part: Amounts) -> dict[str, Any]:
        customers = self.share(part, CUSTOMERS) if self.counts_customers else None
        return {
            "cells": number(self.share(part, None)),
            "area_km2": number(self.share(part, AREA)),
            "customers": number(customers),
            "measures": {name: number(self.share(part, name)) for name in self.measures},
        }

    def _unchanged(self) -> dict[str, Any]:
        total, moved = self.comparison.total, self.comparison.moved
        left = {name: value - moved.values[name] for name, value in total.values.items()}
        return self._amounts(Amounts(total.cells - moved.cells, left))

    def _grid_flow(self, flow: Flow) -> dict[str, Any]:
        a, b = self.grid(flow.source, after=False), self.grid(flow.target, after=True)
        return {
            "from": flow.source,
            "from_name": a and a.name,
            "from_team": a and a.team,
            "to": flow.target,
            "to_name": b and b.name,
            "to_team": b and b.team,
            **self._amounts(flow.amounts),
        }

    def _team_flow(self, flow: Flow) -> dict[str, Any]:
        a, b = self.team(flow.source), self.team(flow.target)
        return {
            "from": flow.source,
            "from_name": a.name or None,
            "from_lead": a.lead,
            "to": flow.target,
            "to_name": b.name or None,
            "to_lead": b.lead,
            **self._amounts(flow.amounts),
        }

    def _grid(self, change: GridChange) -> dict[str, Any]:
        state = "new" if change.before is None else "gone" if change.after is None else "kept"
        return {
            "code": change.code,
            "name": (change.after or change.before or Grid(change.code, "")).name,
            "state": state,
            "carve_out": (change.after or change.before or Grid(change.code, "")).carve_out,
            "team": {
                "before": change.before and change.before.team,
                "after": change.after and change.after.team,
            },
            "cells": _sides(change.cells),
            "area_km2": _sides(change.values[AREA]),
            "customers": _sides(change.values.get(CUSTOMERS, Sides(None, None))),
            "measures": {name: _sides(change.values[name]) for name in self.measures},
            "deviation": {name: _sides(sides) for name, sides in change.deviation.items()},
            "shape": _sides(change.shape),
        }


def number(value: float | None) -> float | int | None:
    """A number without the noise of sums of floats: whole ones as int, others to six decimals."""
    if value is None:
        return None
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _sides(sides: Sides) -> dict[str, float | int | None]:
    return {"before": number(sides.before), "after": number(sides.after)}


def _side(side: Side, grids: int) -> dict[str, Any]:
    return {
        "plan": side.plan,
        "name": side.name,
        "line": side.line,
        "publication": side.publication,
        "revision": side.revision,
        "status": side.status,
        "effective_at": None if side.effective_at is None else side.effective_at.isoformat(),
        "grids": grids,
    }
