"""Supply stations, departments, numbered staff and virtual teams."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridsvc.sample.landscape import Land
from gridsvc.sample.plane import Array
from gridsvc.sample.premises import Sites
from gridsvc.sample.scale import Scale
from gridsvc.sample.townships import Townships, spread

__all__ = ["Organisation", "Table", "make_organisation"]

_SPARE = 1.15  # what all teams can carry, of what there is
_STATION_STAFF = 4
_LENT = {  # role: (department, teams a person serves, share of time in each, share of the assessment)
    "enterprise": ("D02", 3, "0.3", "0.3"),
    "vip": ("D03", 4, "0.2", "0.2"),
    "maintenance": ("D04", 2, "0.4", "0.4"),
}
_ABLE = {"lead": "marketing", "enterprise": "enterprise", "vip": "vip", "maintenance": "maintenance"}
_SKILLS = {
    "D01": "marketing;contracts",
    "D02": "enterprise;contracts",
    "D03": "vip;service",
    "D04": "maintenance;metering",
}
_HEADS = (
    ("D00", "供电公司", ""),
    ("D01", "市场营销部", "D00"),
    ("D02", "大客户服务部", "D00"),
    ("D03", "VIP客户服务部", "D00"),
    ("D04", "运维检修部", "D00"),
)

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of text under column names."""

    columns: Row
    rows: list[Row]


@dataclass(frozen=True)
class Organisation:
    """The company's tables, as they are written."""

    stations: Table
    departments: Table
    people: Table
    teams: Table
    members: Table
    posts: Table
    leads: list[str]


class _Staff:
    """Numbers people as they are hired."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.rows: list[Row] = []

    def hire(self, department: str, skills: str, lonlat: Array) -> str:
        number = f"{len(self.rows) + 1:0{self._width}d}"
        place = (f"{lonlat[0]:.6f}", f"{lonlat[1]:.6f}")
        self.rows.append((f"P{number}", f"员工{number}", department, skills, *place, "1.0"))
        return f"P{number}"


def make_organisation(
    scale: Scale, land: Land, townships: Townships, sites: Sites, rng: np.random.Generator
) -> Organisation:
    """Put a station beside some of the seats, and spread the teams as the customers are spread."""
    station_xy, serves = _stations(scale, land, townships, rng)
    team_xy = _team_places(scale, sites, rng)
    station_at, team_at = land.plane.to_degrees(station_xy), land.plane.to_degrees(team_xy)
    home = cKDTree(station_xy).query(team_xy)[1]
    staff = _Staff(3 if scale.teams < 30 else 4)
    centre = land.plane.to_degrees(np.zeros((1, 2)))[0]
    heads = {key: staff.hire(key, _SKILLS.get(key, "management"), centre) for key, *_ in _HEADS}
    departments: list[Row] = [(key, name, parent, heads[key]) for key, name, parent in _HEADS]
    crews: list[list[str]] = []
    names = [f"{townships.names[serves[at][0]].rstrip('乡镇街道')}供电所" for at in range(scale.stations)]
    for at, name in enumerate(names):
        crews.append(
            [staff.hire(f"S{at + 1:02d}", "service;metering", station_at[at]) for _ in range(_STATION_STAFF)]
        )
        departments.append((f"S{at + 1:02d}", name, "D01", crews[at][0]))
    leads = [staff.hire("D01", _SKILLS["D01"], station_at[home[team]]) for team in range(scale.teams)]
    deputy = staff.hire("D01", _SKILLS["D01"], centre)
    members: list[Row] = [("T00", heads["D01"], "lead", "0.2", "0.2", "false", "false")]
    members.append(("T00", deputy, "member", "0.5", "0.5", "false", "true"))
    members += _lend(scale, staff, leads, station_at, home)
    members += _borrow_crews(crews, home)
    stations: list[Row] = [
        (f"S{at + 1:02d}", names[at], *(f"{degree:.6f}" for degree in station_at[at]),
         ";".join(townships.codes[district] for district in serves[at]))
        for at in range(scale.stations)
    ]  # fmt: skip
    return Organisation(
        Table(("id", "name", "lon", "lat", "townships"), stations),
        Table(("id", "name", "parent", "head"), departments),
        Table(("id", "name", "department", "skills", "lon", "lat", "capacity"), staff.rows),
        _teams(scale, team_at, centre, rng),
        Table(("team", "person", "role", "time_share", "kpi_share", "acting", "backup"), sorted(members)),
        _posts(members, staff.rows),
        leads,
    )


def _posts(members: list[Row], people: list[Row]) -> Table:
    """What each team needs of each role, in tenths of a full post, and whose people can give it."""
    department = {person[0]: person[2] for person in people}
    rows: list[Row] = [
        (team, role, f"{floor(float(time) * 10) / 10:.1f}", department[person], _ABLE.get(role, ""))
        for team, person, role, time, *_ in sorted(members)
        if team != "T00"
    ]
    return Table(("team", "role", "posts", "departments", "skills"), rows)


def _stations(
    scale: Scale, land: Land, townships: Townships, rng: np.random.Generator
) -> tuple[Array, list[list[int]]]:
    """Places of the stations (metres) and the districts each serves, its own first."""
    seats = land.mosaic.xy[townships.seats]
    chosen = spread(seats, np.ones(len(seats)), scale.stations, rng)
    chosen = np.unique(chosen)
    rest = np.setdiff1d(np.arange(len(seats)), chosen)
    chosen = np.concatenate([chosen, rest[: scale.stations - len(chosen)]])
    nearest = cKDTree(seats[chosen]).query(seats)[1]
    serves = [
        [int(own), *(int(at) for at in np.flatnonzero(nearest == station) if at != own)]
        for station, own in enumerate(chosen)
    ]
    return seats[chosen] + rng.normal(0, 90.0, (len(chosen), 2)), serves


def _team_places(scale: Scale, sites: Sites, rng: np.random.Generator) -> Array:
    some = sites.xy[rng.choice(len(sites.xy), min(len(sites.xy), 12_000), replace=False)]
    places: Array = some[spread(some, np.ones(len(some)), scale.teams, rng)]
    return places


def _teams(scale: Scale, lonlat: Array, centre: Array, rng: np.random.Generator) -> Table:
    columns = ("id", "name", "lon", "lat", "level", "fallback", "capacity_customers", "capacity_kwh")
    share = rng.uniform(0.85, 1.15, scale.teams)
    share *= _SPARE / share.sum()
    # The company's own team has no limit: it takes what nobody else does.
    rows: list[Row] = [
        ("T00", "属地兜底组", f"{centre[0]:.6f}", f"{centre[1]:.6f}", "company", "true", "", "")
    ]
    for at in range(scale.teams):
        limits = (str(round(scale.customers * share[at])), str(round(scale.kwh * share[at], -3))[:-2])
        place = (f"{lonlat[at, 0]:.6f}", f"{lonlat[at, 1]:.6f}")
        rows.append((f"T{at + 1:02d}", f"网格{at + 1}组", *place, "grid", "false", *limits))
    return Table(columns, rows)


def _lend(
    scale: Scale, staff: _Staff, leads: list[str], station_at: Array, home: NDArray[np.intp]
) -> list[Row]:
    """A lead from marketing for each team, and one person of each other department for a part of the time."""
    rows: list[Row] = [
        (f"T{at + 1:02d}", lead, "lead", "1.0", "1.0", "false", "false") for at, lead in enumerate(leads)
    ]
    for role, (department, teams, time, assessment) in _LENT.items():
        for first in range(ceil(scale.teams / teams)):
            served = range(first * teams, min(scale.teams, (first + 1) * teams))
            person = staff.hire(department, _SKILLS[department], station_at[home[served[0]]])
            rows += [(f"T{at + 1:02d}", person, role, time, assessment, "false", "false") for at in served]
    return rows


def _borrow_crews(crews: list[list[str]], home: NDArray[np.intp]) -> list[Row]:
    """One of the nearest station's crew in each team, as the lead's backup; the time is split evenly."""
    rows: list[Row] = []
    for station, crew in enumerate(crews):
        teams = np.flatnonzero(home == station).tolist()
        hands = crew[1:]
        for turn, at in enumerate(teams):
            shared = ceil(len(teams) / len(hands))
            share = f"{min(0.6, int(100 / shared) / 100):.2f}"
            rows.append((f"T{at + 1:02d}", hands[turn % len(hands)], "member", share, share, "false", "true"))
    return rows
