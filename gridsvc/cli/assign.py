"""`gridsvc assign`: grids -> teams."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from gridsvc.cli.common import as_json, emit, in_path, out_path, reported, write_csv, write_json
from gridsvc.cli.plan import assignment_lines
from gridsvc.services.assignments import assign_plan
from gridsvc.services.files import plan_from_labels
from gridsvc.teams.read import read_roster, read_teams
from gridsvc.tiling.cellfile import read_cells, read_labels

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
