"""`gridsvc balance` and `gridsvc assign`: cells -> grids -> teams."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import numpy as np

from gridsvc.balance.targets import parse_measure_tolerance
from gridsvc.cli.common import as_json, emit, in_path, out_path, percent, reported, write_csv, write_json
from gridsvc.errors import Infeasible, InvalidInput
from gridsvc.plans.plan import Plan
from gridsvc.services.assignments import assign_plan
from gridsvc.services.files import plan_from_labels
from gridsvc.services.solving import SolveRequest, solve_tiling
from gridsvc.teams.read import read_roster, read_teams
from gridsvc.tiling.barriers import read_barriers
from gridsvc.tiling.cellfile import read_cells, read_labels

__all__ = ["assign", "balance"]


@click.command()
@click.argument("cells", type=in_path)
@click.option(
    "--grids",
    required=True,
    metavar="K|auto",
    help="Number of grids; auto: one for each district of --nest-in.",
)
@click.option(
    "--measure",
    multiple=True,
    required=True,
    metavar="NAME[:TOL]",
    help="What to balance, and how closely: customers:5%. Default 10%.",
)
@click.option(
    "--adjacency", type=in_path, metavar="EDGES.csv", help="a,b[,length]: one row an adjacent pair."
)
@click.option("--barriers", type=in_path, help="Lines no grid crosses; points are crossings.")
@click.option("--nest-in", metavar="COLUMN", help="Column whose areas no grid crosses.")
@click.option(
    "--carve-out",
    type=in_path,
    metavar="FILE|large",
    help="CSV of cells (column cell) owned apart, or the word large.",
)
@click.option(
    "--islands",
    type=click.Choice(["keep", "attach"]),
    default="keep",
    show_default=True,
    help="Parts without connection: grids of their own, or linked to the nearest part.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@click.option("--report", type=out_path, help="Write the report as JSON.")
@click.option("-o", "--output", type=out_path, required=True, help="cell,grid as CSV.")
@as_json
def balance(
    cells: Path,
    grids: str,
    measure: tuple[str, ...],
    adjacency: Path | None,
    barriers: Path | None,
    nest_in: str | None,
    carve_out: Path | None,
    islands: Literal["keep", "attach"],
    seed: int,
    report: Path | None,
    output: Path,
    *,
    json_: bool,
) -> None:
    """Balance cells into connected grids."""
    with reported("balance") as progress:
        tiling = read_cells(cells, adjacency)
        request = SolveRequest(
            grids=_grids(grids),
            measures=tuple(parse_measure_tolerance(text) for text in measure),
            nest_in=nest_in,
            carve_out=_carve_out(carve_out),
            islands=islands,
            barriers=None if barriers is None else read_barriers(barriers),
            seed=seed,
        )
        numbers = {n: c for n, c in tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
        largest = {name: numbers.get(f"{name}_largest") for name, _ in request.measures}
        solved = solve_tiling(tiling, numbers, request, largest=largest, progress=progress)
    codes = [grid.code for grid in solved.plan.grids]
    if report is not None:
        write_json(report, solved.report)
    names = tiling.names()
    write_csv(output, ("cell", "grid"), [(names[i], codes[g]) for i, g in enumerate(solved.plan.labels)])
    problem = _outside(solved.report, output)
    told = {} if problem is None else {"problem": problem.as_dict()}
    emit({**solved.report, **told}, plan_lines(solved.report), json_=json_)
    if problem is not None:
        raise problem


def _outside(report: dict[str, Any], output: Path) -> Infeasible | None:
    if report["overall"]["inside_share"] >= 1:
        return None
    return Infeasible(
        f"no plan within every tolerance was found; the best one is in {output.name}",
        cure="use a finer tiling, ask for fewer grids, widen a tolerance or carve out what is too large",
    )


def _grids(text: str) -> int | None:
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not a number of grids", field="--grids", cure="give 1 or more, or auto"
        ) from None


def _carve_out(given: Path | None) -> Literal["large"] | tuple[str, ...]:
    import pandas as pd

    if given is None:
        return ()
    if str(given) == "large":
        return "large"
    try:
        frame = pd.read_csv(given, dtype=str)
        return tuple(frame["cell"].tolist())
    except (OSError, ValueError, KeyError):
        raise InvalidInput(
            "needs a column 'cell'", source=given.name, field="--carve-out", cure="list the cells' ids"
        ) from None


def plan_lines(report: dict[str, Any]) -> list[str]:
    """A plan's report as people read it."""
    overall, tolerance = report["overall"], report["parameters"]["tolerance"]
    carved = [grid for grid in report["grids"] if grid["carve_out"]]
    lines = [
        f"{len(report['grids']) - len(carved)} grids from {report['parameters']['cells']:,} cells"
        + (f", and {len(carved)} carved out ({sum(g['cells'] for g in carved)} cells)" if carved else "")
    ]
    for name, worst in overall["worst_deviation"].items():
        lines.append(
            f"  {name}: worst deviation {percent(worst)}, mean {percent(overall['mean_deviation'][name])} "
            f"(tolerance {percent(tolerance[name])})"
        )
    lines.append(f"  within tolerance: {percent(overall['inside_share'])} of the grids")
    return lines + [_large_line(entry) for entry in report["oversize"] if not entry["carved_out"]]


def _large_line(entry: dict[str, Any]) -> str:
    what = "one account" if entry["kind"] == "account" else "a cell"
    return (
        f"  too large: {what} ({entry['cell']}) has {percent(entry['share'])} of a grid's "
        f"{entry['measure']}; it can be carved out with --carve-out"
    )


@click.command()
@click.argument("grids", type=in_path)
@click.argument("cells", type=in_path)
@click.option(
    "--teams",
    type=in_path,
    required=True,
    help="CSV of teams, or a folder with departments, people, teams and members.",
)
@click.option("--report", type=out_path, help="Write the report as JSON.")
@click.option(
    "-o", "--output", type=out_path, required=True, help="grid,team,team_name,lead,lead_name as CSV."
)
@as_json
def assign(grids: Path, cells: Path, teams: Path, report: Path | None, output: Path, *, json_: bool) -> None:
    """Give each grid to a team, by capacity and distance."""
    with reported("assign") as progress:
        tiling = read_cells(cells)
        plan = plan_from_labels(read_labels(grids, tiling))
        roster = read_roster(teams) if teams.is_dir() else read_teams(teams)
        wanted = {name for team in roster.teams for name in team.capacity}
        measures = {
            n: c for n, c in tiling.columns.items() if n in wanted and np.issubdtype(c.dtype, np.number)
        }
        assigned, summary = assign_plan(plan, tiling, measures, roster, progress)
    people = roster.person_by_id
    rows = []
    for grid in assigned.grids:
        team = roster.team_by_id[grid.team or ""]
        lead = roster.lead(team.id)
        rows.append(
            (
                grid.code,
                team.id,
                team.name,
                lead.person if lead else "",
                people[lead.person].name if lead else "",
            )
        )
    if report is not None:
        write_json(report, summary)
    write_csv(output, ("grid", "team", "team_name", "lead", "lead_name"), rows)
    emit(summary, assignment_lines(assigned, summary), json_=json_)


def assignment_lines(plan: Plan, summary: dict[str, Any]) -> list[str]:
    """An assignment as people read it."""
    teams = {grid.team for grid in plan.grids}
    mean = summary["mean_distance_m"]
    lines = [
        f"{len(plan.grids)} grids to {len(teams)} teams"
        + ("" if mean is None else f", on average {mean / 1000:.1f} km from the team's base")
    ]
    return lines + [f"  {text}" for text in summary["shortages"]]
