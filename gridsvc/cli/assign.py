"""`gridsvc assign`: grids -> teams, and people -> teams."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from gridsvc.cli.common import (
    as_json,
    emit,
    in_path,
    out_path,
    reported,
    require_places,
    write_csv,
    write_json,
)
from gridsvc.cli.plan import assignment_lines, staff_lines
from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Plan
from gridsvc.services.assignments import assign_plan
from gridsvc.services.files import plan_from_labels
from gridsvc.services.staffing import staff_plan
from gridsvc.teams.document import roster_to_dict
from gridsvc.teams.model import Roster
from gridsvc.teams.read import read_roster, read_teams
from gridsvc.teams.wish_files import read_demand, read_needs, read_owners, read_pins
from gridsvc.teams.wishes import Wishes, parse_need, parse_rate
from gridsvc.tiling.cellfile import read_cells, read_labels
from gridsvc.tiling.tiling import Tiling

__all__ = ["assign"]


@click.command()
@click.argument("grids", type=in_path)
@click.argument("cells", type=in_path)
@click.option(
    "--teams",
    type=in_path,
    required=True,
    help="CSV of teams, or a folder with departments, people, teams and members.",
)
@click.option("--adjacency", type=in_path, metavar="EDGES.csv", help="Where the cells have no geometry.")
@click.option("--today", type=in_path, help="CSV grid,team: today's owners, who stay where they can.")
@click.option(
    "--handover-weight",
    type=float,
    default=1.0,
    show_default=True,
    help="What handing over an average grid counts, in usual distances; with --today.",
)
@click.option("--pins", type=in_path, help="CSV grid,team[,ban]: who must own a grid, or must not.")
@click.option("--needs", type=in_path, help="CSV grid,needs: skills and languages, apart by semicolons.")
@click.option("--need", multiple=True, metavar="MEASURE=SKILL", help="Needed where the measure is above 0.")
@click.option("--rate", multiple=True, metavar="NAME=X*MEASURE", help="A measure computed from another.")
@click.option(
    "--bases",
    type=click.Choice(["team", "people"]),
    default="team",
    show_default=True,
    help="Distance from the team's base, or from the middle of its people's.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Stop after so many seconds with the best so far; the report then says `truncated`.",
)
@click.option("--staff", type=in_path, help="CSV of posts by role; proposes people for the teams.")
@click.option("--roster", type=out_path, help="Write the roster proposed by --staff as JSON.")
@click.option("--report", type=out_path, help="Write the report as JSON.")
@click.option(
    "-o", "--output", type=out_path, required=True, help="grid,team,team_name,lead,lead_name as CSV."
)
@as_json
def assign(
    grids: Path,
    cells: Path,
    teams: Path,
    adjacency: Path | None,
    today: Path | None,
    handover_weight: float,
    pins: Path | None,
    needs: Path | None,
    need: tuple[str, ...],
    rate: tuple[str, ...],
    bases: str,
    time_limit: float | None,
    staff: Path | None,
    roster: Path | None,
    report: Path | None,
    output: Path,
    *,
    json_: bool,
) -> None:
    """Give each grid to a team, by capacity, distance and who owns it today; people to teams with --staff."""
    require_places(roster=roster, report=report, output=output)
    wishes = Wishes(
        handover_weight,
        () if pins is None else read_pins(pins),
        ((() if needs is None else read_needs(needs)) + tuple(parse_need(text) for text in need)),
        dict(parse_rate(text) for text in rate),
        bases,
        None if today is None else read_owners(today),
        time_limit,
    )
    sources = {name: path.name for name, path in (("pins", pins), ("needs", needs)) if path is not None}
    posts = None if staff is None else read_demand(staff)
    with reported("assign") as progress:
        tiling = read_cells(cells, adjacency)
        plan = plan_from_labels(read_labels(grids, tiling))
        found = read_roster(teams) if teams.is_dir() else read_teams(teams)
        _require_one_place(tiling, found, cells.name)
        wanted = {name for team in found.teams for name in team.capacity} - set(wishes.rates)
        numbers = {n: c for n, c in tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
        measures = {n: c for n, c in numbers.items() if n in wanted}
        assigned, summary = assign_plan(
            plan, tiling, measures, found, progress, wishes=wishes, others=numbers, sources=sources
        )
        if staff is not None and posts is not None:
            found, summary["staffing"] = staff_plan(assigned, tiling, numbers, found, posts, staff.name)
    if roster is not None:
        write_json(roster, roster_to_dict(found))
    if report is not None:
        write_json(report, summary)
    write_csv(output, ("grid", "team", "team_name", "lead", "lead_name"), _rows(assigned, found))
    emit(summary, [*assignment_lines(assigned, summary), *staff_lines(summary.get("staffing"))], json_=json_)


def _require_one_place(tiling: Tiling, roster: Roster, source: str) -> None:
    """Refuse bases in degrees beside cells in metres of nobody knows where."""
    unplaced = {"x", "y"} <= tiling.columns.keys() and all(shape.is_empty for shape in tiling.geometry)
    if unplaced and any(team.lon is not None for team in roster.teams):
        raise InvalidInput(
            "cells in metres do not tell where they lie, so the teams' bases cannot be set beside them",
            source=source, field="x", cure="give lon,lat instead of x,y, or teams without lon and lat",
        )  # fmt: skip


def _rows(assigned: Plan, roster: Roster) -> list[tuple[str, ...]]:
    people = roster.person_by_id
    rows: list[tuple[str, ...]] = []
    for grid in assigned.grids:
        team = roster.team_by_id[grid.team or ""]
        lead = roster.lead(team.id)
        told = (lead.person, people[lead.person].name) if lead else ("", "")
        rows.append((grid.code, team.id, team.name, *told))
    return rows
