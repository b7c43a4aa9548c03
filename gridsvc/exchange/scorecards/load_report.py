"""What a load report says, and its form for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.exchange.scorecards.report import About, number
from gridsvc.teams.fairness import Fairness
from gridsvc.teams.loads import Distances, Loads, Split

__all__ = ["LoadReport", "Row", "State"]

Floats = NDArray[np.float64]
_FULL = 1 + 1e-9  # a load of exactly the capacity is within it


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Loads under one publication or draft.

    Attributes
    ----------
    about : About
    loads : Loads
    team_km, person_km : Distances
        In kilometres.
    fair_teams, fair_people : mapping of measure to Fairness, or None where there is nothing to share out
    by_department : mapping of department id to mapping of measure to Fairness or None
        Over its people.
    """

    about: About
    loads: Loads
    team_km: Distances
    person_km: Distances
    fair_teams: Mapping[str, Fairness | None]
    fair_people: Mapping[str, Fairness | None]
    by_department: Mapping[str, Mapping[str, Fairness | None]]


@dataclass(frozen=True, slots=True)
class Row:
    """A team or a person as a report shows it.

    Attributes
    ----------
    values, before : dict of measure to float
        nan where it is kept back; `before` is empty where nothing is compared.
    used : dict of measure to float
        Load over capacity, of measures which are limited.
    km, km_before : (mean, p90)
    """

    id: str
    name: str
    note: str
    values: dict[str, float]
    before: dict[str, float]
    used: dict[str, float]
    km: tuple[float, float]
    km_before: tuple[float, float] | None
    time: float | None = None

    @property
    def over(self) -> list[str]:
        """What there is too much of: measures, and ``time`` where more is given than there is."""
        found = [name for name, share in self.used.items() if share > _FULL]
        return found + (["time"] if self.time is not None and self.time > _FULL else [])

    def as_dict(self) -> dict[str, Any]:
        """The row JSON-ready."""
        return {
            "id": self.id,
            "name": self.name,
            "loads": {name: number(value) for name, value in self.values.items()},
            "used": {n: number(v) if np.isfinite(v) else None for n, v in self.used.items()},
            "over": self.over,
            "distance_km": _km(self.km),
            "before": None
            if self.km_before is None
            else {
                "loads": {name: number(value) for name, value in self.before.items()},
                "distance_km": _km(self.km_before),
            },
        }


def _km(pair: tuple[float, float]) -> dict[str, Any]:
    return {"mean": number(pair[0]), "p90": number(pair[1])}


@dataclass(frozen=True, eq=False)
class LoadReport:
    """Who carries how much, now and, where asked for, before.

    Attributes
    ----------
    teams : sequence of (id, name)
    people : sequence of (id, name, department id, department name, names of teams)
    parts : mapping of part to str
        Which measures play it.
    now : State
    before : State or None
        With the same people.
    hidden_teams, hidden_people : bool arrays
        Whose number of customers, and what follows of it, is kept back.
    """

    teams: Sequence[tuple[str, str]]
    people: Sequence[tuple[str, str, str, str, str]]
    split: Split
    parts: Mapping[str, str]
    now: State
    before: State | None
    hidden_teams: NDArray[np.bool_]
    hidden_people: NDArray[np.bool_]
    least: int | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """What is carried, in the order of the columns."""
        return self.now.loads.measures

    def team_rows(self) -> list[Row]:
        """One row a team; behind them one without id for grids of no team, if there are any."""
        used = self.now.loads.used()[0]
        rows = [
            self._row(
                t, (team[0], team[1], ""), self.now.loads.teams, used, "team", bool(self.hidden_teams[t])
            )
            for t, team in enumerate(self.teams)
        ]
        n = len(self.teams)
        states = [state for state in (self.now, self.before) if state is not None]
        if any(state.loads.teams[n].any() for state in states):
            hidden = bool(self.hidden_teams[n])
            rows.append(self._row(n, ("", "", ""), self.now.loads.teams, None, "team", hidden))
        return rows

    def person_rows(self) -> list[Row]:
        """One row a person who is in a team."""
        used, time = self.now.loads.used()[1], self.now.loads.time
        return [
            self._row(
                p,
                (i, name, f"{office} · {teams}"),
                self.now.loads.people,
                used,
                "person",
                bool(self.hidden_people[p]),
                float(time[p]),
            )
            for p, (i, name, _, office, teams) in enumerate(self.people)
            if teams
        ]

    def _row(
        self,
        at: int,
        named: tuple[str, str, str],
        values: Floats,
        used: Floats | None,
        kind: str,
        hidden: bool,
        time: float | None = None,
    ) -> Row:
        limits = self.now.loads.capacity if kind == "team" else self.now.loads.posts
        shown = {
            name: float(used[at, j])
            for j, name in enumerate(self.measures)
            if used is not None and np.isfinite(limits[at, j]) and not (hidden and name in _COUNTS)
        }
        now, km = self._values(values[at], hidden), _pair(self.now, kind, at)
        if self.before is None:
            return Row(*named, now, {}, shown, km, None, time)
        former = self.before.loads.teams if kind == "team" else self.before.loads.people
        before = self._values(former[at], hidden)
        return Row(*named, now, before, shown, km, _pair(self.before, kind, at), time)

    def _values(self, row: Floats, hidden: bool) -> dict[str, float]:
        pairs = zip(self.measures, row.tolist(), strict=True)
        return {name: float("nan") if hidden and name in _COUNTS else value for name, value in pairs}

    def document(self) -> dict[str, Any]:
        """The report JSON-ready."""
        people = {person[0]: person for person in self.people}
        return {
            **self.now.about.as_dict(),
            "before": None if self.before is None else self.before.about.as_dict(),
            "share": self.split,
            "parts": dict(self.parts),
            "kept_back_below": self.least,
            "teams": [{**row.as_dict(), "id": row.id or None} for row in self.team_rows()],
            "people": [
                {
                    **row.as_dict(),
                    "department": people[row.id][2],
                    "time_share": number(row.time),
                }
                for row in self.person_rows()
            ],
            "fairness": self._fairness(self.now),
            "fairness_before": None if self.before is None else self._fairness(self.before),
        }

    def _fairness(self, state: State) -> dict[str, Any]:
        return {
            "teams": _indices(state.fair_teams),
            "people": _indices(state.fair_people),
            "departments": {name: _indices(found) for name, found in self._by_department(state).items()},
        }

    def by_department(self) -> Mapping[str, Mapping[str, Fairness | None]]:
        """Evenness over the people of each department, as it is now."""
        return self._by_department(self.now)

    def _by_department(self, state: State) -> Mapping[str, Mapping[str, Fairness | None]]:
        """Without customers where somebody's are kept back: a department may be one person."""
        if not self.hidden_people.any():
            return state.by_department
        return {
            home: {name: None if name in _COUNTS else fair for name, fair in found.items()}
            for home, found in state.by_department.items()
        }


_COUNTS = frozenset({"customers", "visits"})
"""What tells how many customers there are."""


def _pair(state: State, kind: str, at: int) -> tuple[float, float]:
    found = state.team_km if kind == "team" else state.person_km
    if at >= len(found.mean):
        return float("nan"), float("nan")
    return float(found.mean[at]), float(found.far[at])


def _indices(found: Mapping[str, Fairness | None]) -> dict[str, Any]:
    return {
        name: None if fair is None else {key: number(value) for key, value in asdict(fair).items()}
        for name, fair in found.items()
    }
