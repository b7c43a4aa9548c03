"""``python -m benchmarks.assignment``: grids to teams, beside what people do by hand; people to teams."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import circumstances, put_section
from gridsvc.services.assignments import grid_loads
from gridsvc.services.files import plan_from_labels
from gridsvc.teams.assign import GridLoads, TeamBases, Ties, assign_grids
from gridsvc.teams.model import Department, Person, Roster, Team
from gridsvc.teams.staffing import Ground, Post, propose
from gridsvc.tiling.cellfile import read_cells, read_labels

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_LONDON = _ROOT.parent / "shared/data/london_msoa_electricity_2019.geojson"
_LEGEND = """Distances are summed over grids, from the team's base to the middle of the demand. *worst load*
is the fullest team's load over its capacity, *spare* what all teams can carry beyond what there is. Today's
owners are simulated: mostly the nearest team, else one of the next. *by hand* gives each grid to the cheapest
team with room, one after another. Where the worst load is above 100 % no assignment within the capacities
was found, and the gap counts the price of the overload too. Seconds are CPU, on cores shared with others."""


@dataclass(frozen=True)
class Case:
    """Grids, teams and today's owners."""

    name: str
    grids: GridLoads
    teams: TeamBases
    ties: Ties


def _teams(grids: GridLoads, n: int, spare: float, seed: int) -> tuple[TeamBases, Ties]:
    """Bases near grids, capacities 15 % apart, and today's owners."""
    rng = np.random.default_rng(seed)
    at = rng.choice(len(grids.x), n, replace=n > len(grids.x))
    x, y = grids.x[at] + rng.normal(0, 500, n), grids.y[at] + rng.normal(0, 500, n)
    share = rng.uniform(0.85, 1.15, n)
    capacity = (share / share.sum() * (1 + spare))[:, None] * grids.totals.sum(axis=0)
    order = np.hypot(grids.x[:, None] - x, grids.y[:, None] - y).argsort(axis=1)
    rank = np.minimum(rng.geometric(0.6, len(grids.x)) - 1, n - 1)
    names = tuple(f"T{t + 1:03}" for t in range(n))
    return TeamBases(x, y, capacity, names), Ties(order[np.arange(len(rank)), rank], grids.totals[:, 0], 0.5)


def _city(n: int, seed: int) -> GridLoads:
    """Grids as a balanced plan gives them: within 10 % of each other, denser in towns."""
    rng = np.random.default_rng(seed)
    reach = 10_000 * np.sqrt(n / 60)
    towns = rng.uniform(-reach, reach, (max(3, n // 60), 2))
    xy = towns[rng.integers(len(towns), size=n)] + rng.normal(0, reach / 5, (n, 2))
    return GridLoads(*xy.T, 1000 * rng.uniform(0.9, 1.1, (n, 2)), ("customers", "potential"))


def _london(folder: Path) -> GridLoads:
    """The 983 areas of London in 60 grids by our own solver."""
    tool = [str(Path(sys.executable).with_name("gridsvc"))]
    cells, grids = folder / "cells.parquet", folder / "grids.csv"
    measures = ["--measure", "meters", "--measure", "kwh"]
    for command in (
        ["tile", "--polygons", str(_LONDON), "--id-field", "code", "-o", str(cells)],
        ["balance", str(cells), "--grids", "60", *measures, "-o", str(grids)],
    ):
        subprocess.run([*tool, *command], check=False, stdout=subprocess.DEVNULL)
    tiling = read_cells(cells)
    plan = plan_from_labels(read_labels(grids, tiling))
    return grid_loads(plan, tiling, {name: tiling.columns[name] for name in ("meters", "kwh")})


def _cases(folder: Path, *, quick: bool) -> Iterator[Case]:
    sizes = [(60, 12)] if quick else [(60, 12), (1500, 300)]
    uneven = _city(60, 7)
    spread = np.random.default_rng(7).uniform(0.2, 2.2, (60, 1))
    uneven = GridLoads(uneven.x, uneven.y, uneven.totals * spread, uneven.measures)
    yield Case("grids of very uneven size, 60 to 12, 15% spare, seed 5", uneven, *_teams(uneven, 12, 0.15, 5))
    if _LONDON.exists() and not quick:
        london = _london(folder)
        for spare, seed in ((0.15, 1), (0.3, 3), (0.05, 4)):
            yield Case(
                f"London, 60 to 12, {spare:.0%} spare, seed {seed}", london, *_teams(london, 12, spare, seed)
            )
    for n, teams in sizes:
        for spare, seed in ((0.15, 1), (0.3, 2), (0.05, 3)):
            city = _city(n, seed)
            yield Case(
                f"city, {n} to {teams}, {spare:.0%} spare, seed {seed}",
                city,
                *_teams(city, teams, spare, seed),
            )


def _row(case: Case) -> str:
    began = time.process_time()
    report = assign_grids(case.grids, case.teams, case.ties).report
    seconds = time.process_time() - began
    hand = report["nearest_with_room"]
    gap = "proven" if report["proven"] else f"{100 * report['gap']:.2f} %"
    line = f"| {case.name} | {report['method']} | {gap} | {seconds:.1f} | {_parts(report)} | {_parts(hand)} |"
    print(line, flush=True)
    return line


def _parts(parts: dict[str, Any]) -> str:
    handed = parts["handovers"]
    return (
        f"{parts['total_distance_m'] / 1000:,.0f} | {100 * parts['worst_load']:.1f} % "
        f"| {handed['grids']} ({handed['customers']:,.0f})"
    )


def _people() -> str:
    """48 people of 5 departments for 12 teams."""
    rng = np.random.default_rng(5)
    departments = tuple(
        Department(d, d) for d in ("marketing", "enterprise", "vip", "maintenance", "metering")
    )
    homes = [0] * 14 + [1] * 8 + [2] * 8 + [3] * 12 + [4] * 6
    people = tuple(Person(f"P{i:02}", f"P{i:02}", departments[d].id) for i, d in enumerate(homes))
    teams = tuple(Team(f"T{t:02}", f"Team {t}") for t in range(12))
    ground = Ground(
        {team.id: tuple(rng.uniform(-2e4, 2e4, 2)) for team in teams},
        {person.id: tuple(rng.uniform(-2e4, 2e4, 2)) for person in people},
    )
    needs = (
        ("lead", 0.8, 0),
        ("enterprise", 0.4, 1),
        ("vip", 0.4, 2),
        ("maintenance", 0.9, 3),
        ("member", 0.4, 4),
    )
    posts = [Post(role, None, share, departments=(departments[d].id,)) for role, share, d in needs]
    began = time.process_time()
    report = propose(Roster(departments, people, teams, ()), posts, ground).report
    return (
        f"48 people of 5 departments to 12 teams, five posts each: "
        f"{report['memberships']} memberships, gap "
        f"{100 * report['gap']:.2f} %, {len(report['shortages'])} shortages, "
        f"{time.process_time() - began:.1f} s CPU."
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assignment", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, written to var/benchmarks")
    options = parser.parse_args(arguments)
    out = _ROOT / ("var/benchmarks" if options.quick else "docs")
    head = (
        "| case | method | gap | CPU s | km | worst load | handed over (customers) "
        "| by hand: km | worst load | handed over |\n"
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
    )
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        rows = [_row(case) for case in _cases(Path(folder), quick=options.quick)]
    how = circumstances(f"{len(rows)} runs", ("numpy", "scipy", "numba"))
    text = "\n\n".join(["## Grids to teams", how, _LEGEND, "\n".join([head, *rows]), _people()])
    put_section(out / "benchmarks.md", "assignment", text)
    print(f"\n{text}\n\nwritten to {out / 'benchmarks.md'}")


if __name__ == "__main__":
    main()
