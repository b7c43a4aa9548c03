"""`gridsvc balance`: cells -> grids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from gridsvc.cli.common import (
    as_json,
    csv_writer,
    emit,
    in_path,
    json_writer,
    out_path,
    reported,
    require_places,
)
from gridsvc.cli.plan import plan_lines
from gridsvc.cli.wishes import request_of, wish_options
from gridsvc.errors import Infeasible
from gridsvc.exchange.files import replace_together
from gridsvc.plans.plan import Plan
from gridsvc.services.solving import Solved, solve_tiling
from gridsvc.tiling.cellfile import read_cells

__all__ = ["balance"]


@click.command()
@click.argument("cells", type=in_path)
@click.option(
    "--adjacency", type=in_path, metavar="EDGES.csv", help="a,b[,length]: one row an adjacent pair."
)
@wish_options
@click.option(
    "--frontier", type=out_path, metavar="PREFIX", help="Offer several plans, written to PREFIX-1.csv and on."
)
@click.option("--report", type=out_path, help="Write the report as JSON.")
@click.option("-o", "--output", type=out_path, required=True, help="cell,grid as CSV.")
@as_json
def balance(
    cells: Path, adjacency: Path | None, report: Path | None, output: Path, *, json_: bool, **named: Any
) -> None:
    """Balance cells into connected grids."""
    require_places(output=output, report=report, frontier=named["frontier"])
    with reported("balance") as progress:
        tiling = read_cells(cells, adjacency)
        request = request_of(named, tiling)
        numbers = {n: c for n, c in tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
        largest = {name: numbers.get(f"{name}_largest") for name, _ in request.balanced}
        every = named["frontier"] is not None
        solved = solve_tiling(tiling, numbers, request, largest=largest, choices=every, progress=progress)
    replace_together(_files(solved, tiling.names(), output, report, named["frontier"]))
    problem = _outside(solved.report, output)
    told = {} if problem is None else {"problem": problem.as_dict()}
    emit({**solved.report, **told}, plan_lines(solved.report), json_=json_)
    if problem is not None:
        raise problem


def _files(
    solved: Solved, names: list[str], output: Path, report: Path | None, frontier: Path | None
) -> dict[Path, Callable[[Path], None]]:
    found = {output: csv_writer(("cell", "grid"), _rows(names, solved.plan))}
    if report is not None:
        found[report] = json_writer(solved.report)
    if frontier is not None:
        for number, choice in enumerate(solved.choices, 1):
            stem = f"{frontier.name}-{number}"
            found[frontier.with_name(f"{stem}.csv")] = csv_writer(("cell", "grid"), _rows(names, choice.plan))
            found[frontier.with_name(f"{stem}.json")] = json_writer(choice.report)
    return found


def _rows(names: list[str], plan: Plan) -> Iterator[tuple[str, str]]:
    codes = [grid.code for grid in plan.grids]
    return ((name, codes[label]) for name, label in zip(names, plan.labels.tolist(), strict=True))


def _outside(report: dict[str, Any], output: Path) -> Infeasible | None:
    if report["overall"]["inside_share"] >= 1:
        return None
    return Infeasible(
        f"no plan within every tolerance was found; the best one is in {output.name}",
        cure="use a finer tiling, ask for fewer grids, widen a tolerance or carve out what is too large",
    )
