"""`gridsvc compare`: what goes from whom to whom between two plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import numpy as np
import orjson

from gridsvc.cli.common import as_json, emit, in_path, out_path, percent, reported, require_places
from gridsvc.errors import InvalidInput, UnknownColumn
from gridsvc.exchange.comparison import page, sheets
from gridsvc.exchange.comparison.report import CUSTOMERS, Report, Side
from gridsvc.exchange.comparison.words import Lang
from gridsvc.exchange.files import replace_whole
from gridsvc.plans.compare import Amounts, Ground
from gridsvc.plans.compare import compare as compare_plans
from gridsvc.plans.old import Old, read_old
from gridsvc.services.compare import amounts_of, moved_cells
from gridsvc.tiling.cellfile import read_cells
from gridsvc.tiling.tiling import Tiling

__all__ = ["compare"]

_FORMS: dict[str, Callable[[Report, Lang], bytes]] = {
    "json": lambda report, _: orjson.dumps(report.document(cells=True), option=orjson.OPT_INDENT_2),
    "csv": lambda report, _: sheets.csv_text(report).encode(),
    "xlsx": sheets.workbook,
    "html": lambda report, lang: page.page(report, lang).encode(),
}
_LISTED = 5


@click.command()
@click.argument("old", type=in_path)
@click.argument("new", type=in_path)
@click.argument("cells", type=in_path)
@click.option("--adjacency", type=in_path, metavar="EDGES.csv", help="Where the cells have no geometry.")
@click.option("--measure", multiple=True, metavar="NAME", help="Columns to add up; else all of numbers.")
@click.option("--format", "form", type=click.Choice(list(_FORMS)), help="Else by the name of the file.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("-o", "--output", type=out_path, help="The realignment report as a file.")
@as_json
def compare(
    old: Path,
    new: Path,
    cells: Path,
    adjacency: Path | None,
    measure: tuple[str, ...],
    form: str | None,
    lang: Lang,
    output: Path | None,
    *,
    json_: bool,
) -> None:
    """Compare two plans: cells, customers and each measure, from whom to whom."""
    require_places(output=output)
    written = None if output is None else _form(output, form)
    with reported("compare"):
        tiling = read_cells(cells, adjacency)
        plans = read_old(old, tiling), read_old(new, tiling)
        report = _report(tiling, plans, (old, new), measure)
    if output is not None and written is not None:
        content = _FORMS[written](report, lang)
        replace_whole(output, lambda draft: _write(draft, content))
    emit(report.document(), _lines(report, plans), json_=json_)


def _form(output: Path, form: str | None) -> str:
    found = form or output.suffix.lower().removeprefix(".")
    if found not in _FORMS:
        raise InvalidInput(
            f"{output.name} tells no form of a report",
            field="--output",
            cure=f"end it with .{', .'.join(_FORMS)}, or give --format",
        )
    return found


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _report(
    tiling: Tiling, plans: tuple[Old, Old], paths: tuple[Path, Path], wanted: tuple[str, ...]
) -> Report:
    names = wanted or tuple(
        name
        for name, column in tiling.columns.items()
        if np.issubdtype(column.dtype, np.number) and not name.endswith("_largest")
    )
    for name in names:
        if name not in tiling.columns or not np.issubdtype(tiling.columns[name].dtype, np.number):
            there = ", ".join(tiling.columns) or "none"
            raise UnknownColumn("is no column of numbers", field=name, cure=f"the columns are: {there}")
    values = {name: tiling.columns[name] for name in names}
    counted = "customers" if "customers" in values else None
    before, after = plans[0].plan, plans[1].plan
    amounts = amounts_of(values, tiling, counted)
    found = compare_plans(before, after, amounts, Ground(tiling.x, tiling.y, tiling.area))
    return Report(
        territory=None,
        territory_name=None,
        simulated=False,
        customers_word="customers",
        made_at=datetime.now().astimezone(),
        tiling=None,
        before=Side(paths[0].name, paths[0].name),
        after=Side(paths[1].name, paths[1].name),
        comparison=found,
        measures=names,
        counted=counted,
        cells=moved_cells(before, after, found.rows, tiling.names()),
    )


def _lines(report: Report, plans: tuple[Old, Old]) -> list[str]:
    found = report.comparison
    moved, total = found.moved, found.total
    lines = [
        f"{moved.cells:,} of {total.cells:,} cells are in another grid ({percent(moved.cells / total.cells)})"
    ]
    lines += [_line(report, moved, name) for name in report.shown]
    for flow in found.grid_flows[:_LISTED]:
        what = f"{flow.amounts.cells:,} cells"
        if report.counts_customers:
            what += f" with {flow.amounts.values[CUSTOMERS]:,.10g} customers"
        lines.append(f"  {flow.source or '(none)'} -> {flow.target or '(none)'}: {what}")
    if len(found.grid_flows) > _LISTED:
        lines.append(f"  and {len(found.grid_flows) - _LISTED} more pairs of grids")
    for side, plan in zip((report.before, report.after), plans, strict=True):
        if plan.gone:
            lines.append(f"  {len(plan.gone):,} cells of {side.name} are not among the cells")
    return lines


def _line(report: Report, moved: Amounts, name: str) -> str:
    label = "customers" if name == CUSTOMERS else name
    share = report.share(moved, name)
    value, whole = moved.values[name], report.comparison.total.values[name]
    return f"  {label}: {value:,.10g} of {whole:,.10g} moved" + (
        "" if share is None else f" ({percent(share)})"
    )
