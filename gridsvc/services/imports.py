"""Imports: a customers' file is read, each row gets a verdict, the placed ones make the measures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.areas import AreaIndex
from gridsvc.customers.columns import Columns
from gridsvc.customers.measures import Measure, MeasureSpec, Missing, aggregate, parse_measure
from gridsvc.customers.place import PlaceOptions, place
from gridsvc.customers.placement import Placement, check
from gridsvc.customers.read import Table, read_customers
from gridsvc.customers.values import as_numbers, as_text
from gridsvc.customers.verdicts import Verdict
from gridsvc.customers.where import Where, parse_where, select
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.services.company_columns import company_columns
from gridsvc.services.needed_measures import require_kept
from gridsvc.store.database import Database
from gridsvc.store.records import CustomerRecord, CustomerRows, Idempotency, MeasureRecord
from gridsvc.store.staging import staging
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.read import PolygonLayer, read_polygons
from gridsvc.tiling.sources.reading import of_layer
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "ImportOptions",
    "TakenIn",
    "put_file",
    "read_file",
    "run_job",
    "take_in",
    "todo_csv",
    "told_so_far",
]

_ABANDONED = 6 * 3600.0
"""Seconds after which an import that did not end is taken for dead."""

_VERDICTS = {int(verdict): verdict for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a customers' file is read, placed and measured.

    Attributes
    ----------
    measures : tuple of MeasureSpec
    areas : PolygonLayer or None
        What area codes stand for, where they name more than one cell.
    min_placed : float
        Refuse the file below this placement rate.
    strict : bool
        Refuse the file when any row is left out.
    """

    measures: tuple[MeasureSpec, ...]
    columns: Columns = field(default_factory=Columns)
    crs: str | None = None
    where: tuple[Where, ...] = ()
    missing: Missing = "refuse"
    min_placed: float = 0.95
    strict: bool = False
    areas: PolygonLayer | None = None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A file, where its rows went, and what they add up to."""

    table: Table
    placement: Placement
    measures: list[Measure]


def read_file(path: Path, options: ImportOptions) -> Table:
    """Read a customers' file; see `gridsvc.customers.read.read_customers`."""
    return read_customers(path, options.columns, crs=options.crs)


def take_in(table: Table, tiling: Tiling, options: ImportOptions, progress: Progress = silent) -> TakenIn:
    """Place a table's rows on the cells of `tiling` and measure them.

    Raises
    ------
    InvalidInput
        Too few rows could be placed, or a measure's column holds what it may not.
    """
    progress(0.1, f"placing {len(table):,} customers")
    areas = None
    if options.areas is not None:
        areas = AreaIndex.from_polygons(tiling, options.areas.ids.tolist(), options.areas.geometry)
    selected = select(table, options.where) if options.where else None
    placement = place(table, tiling, Locator(tiling).rows, PlaceOptions(selected=selected, areas=areas))
    check(placement, options.min_placed, strict=options.strict)
    progress(0.4, "adding up measures")
    return TakenIn(
        table, placement, aggregate(table, placement, options.measures, len(tiling), options.missing)
    )


def _rows(taken: TakenIn, measures: Sequence[MeasureSpec], asked: Sequence[str]) -> CustomerRows:
    """The rows as they are kept, with the columns measures can be made of again, and those asked for."""
    table, placement = taken.table, taken.placement
    values = {spec.column: _values(table, spec) for spec in measures if spec.column}
    late = [name for name in asked if name in table.frame and name not in values]
    values |= {name: as_text(table.frame[name]) for name in late}
    dropped = [Verdict.NOT_SELECTED, Verdict.DUPLICATE_ID, Verdict.MISSING_ID]
    human = [v for v in Verdict if v.cure]
    return CustomerRows(
        row_no=np.arange(1, len(table) + 1, dtype=np.int64),
        id=table.ids,
        verdict=placement.verdict,
        cell=placement.cell,
        lon=placement.lon,
        lat=placement.lat,
        kept=~np.isin(placement.verdict, dropped),
        todo=np.isin(placement.verdict, human),
        premise=table.premise,
        values=values or None,
    )


def _values(table: Table, spec: MeasureSpec) -> NDArray[Any]:
    column = table.frame[spec.column]
    return as_text(column) if spec.op == "count_distinct" else as_numbers(column)[0]


def put_file(
    db: Database,
    who: Principal,
    tiling_id: str,
    path: Path,
    options: ImportOptions,
    *,
    idempotency: Idempotency | None = None,
    behind: int | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Take a customers' file in; it becomes visible as a whole, with its measures, or not at all.

    Parameters
    ----------
    behind : int or None
        Number of the last message about a customer which was there when the file came: the file hides them,
        later ones stay. If not given, those which are there now.

    Raises
    ------
    InvalidInput
        As `take_in`; or a measure is missing which a plan on these cells is made of.

    Returns
    -------
    dict
        ``id`` of the import, ``tiling``, the placement's summary, ``measures`` and ``coverage``.
    """
    who.require("customers:write")
    with db.read(who) as reader:
        record = reader.tilings.get(tiling_id)
        tiling = reader.tilings.load(tiling_id)
        boundary = reader.territories.get(record.territory).boundary
        require_kept(reader, record.territory, tiling_id, options.measures)
        hidden = reader.changes.last() if behind is None else behind
        asked = company_columns(reader)
    progress(0.0, "reading the file")
    taken = take_in(read_file(path, options), tiling, options, progress)
    coverage = coverage_report(tiling, boundary, taken.placement.lon, taken.placement.lat)
    summary = taken.placement.summary()
    progress(0.5, "saving customers")
    job = None if idempotency is None else idempotency.key
    params = {
        "measures": [str(spec) for spec in options.measures],
        "missing": options.missing,
        "job": job,
        "changes": hidden,
    }
    with db.write(who, "customers.import") as uow:
        uow.customers.discard_abandoned(_ABANDONED)
    with staging(db, who, record.territory, tiling_id, source=summary["source"], params=params) as stage:
        for done, chunk in enumerate(_rows(taken, options.measures, asked).chunks(100_000)):
            stage.add(chunk)
            progress(0.5 + 0.45 * (done + 1) * 100_000 / max(len(taken.table), 100_000), "saving customers")
        result = {
            "id": stage.import_id,
            "tiling": tiling_id,
            **summary,
            "measures": {m.name: _measure_out(m) for m in taken.measures},
            "coverage": coverage,
        }
        with db.write(who, "customers.import", idempotency=idempotency) as uow:
            require_kept(uow, record.territory, tiling_id, options.measures)  # of plans made meanwhile
            uow.tilings.put_measures(tiling_id, stage.import_id, [_measure_record(m) for m in taken.measures])
            uow.customers.flip(stage.import_id, summary)
            counts = {name: summary[name] for name in ("read", "placed", "left_out")}
            uow.audit(f"import/{stage.import_id}", None, counts)
            uow.emit(
                "customers.imported", {"territory": record.territory, "import": stage.import_id, **counts}
            )
            uow.respond(201, result)
    return result


def _measure_record(measure: Measure) -> MeasureRecord:
    return MeasureRecord(
        name=measure.name,
        spec=measure.spec,
        unit="",
        values=measure.values,
        as_of=datetime.now(UTC),
        largest=measure.largest,
        missing_share=measure.missing_share,
    )


def _measure_out(measure: Measure) -> dict[str, Any]:
    return {"spec": measure.spec, "total": measure.total, "missing_share": measure.missing_share}


def told_so_far(db: Database, who: Principal) -> int:
    """What a file which comes now says `behind` of: it knows nothing of later messages."""
    who.require("customers:write")
    with db.read(who) as reader:
        return reader.changes.last()


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued import."""
    layers = params.get("layers") or {}
    files = {name: of_layer(Path(path), layers.get(name)) for name, path in params["files"].items()}
    options = _options(params, files)
    behind = params.get("changes")
    return put_file(
        db, who, params["tiling"], files["file"], options, idempotency=once, behind=behind, progress=progress
    )


def _options(params: Mapping[str, Any], files: Mapping[str, Path]) -> ImportOptions:
    return ImportOptions(
        measures=tuple(parse_measure(text) for text in params["measures"]),
        columns=Columns(**params["columns"]),
        crs=params["crs"],
        where=tuple(parse_where(text) for text in params["where"]),
        missing=params["missing"],
        min_placed=params["min_placed"],
        strict=params["strict"],
        areas=read_polygons(files["areas"], params["area_id"] or "code", None) if "areas" in files else None,
    )


_PAGE = 5000


def todo_csv(db: Database, who: Principal, import_id: str) -> Iterator[str]:
    """The rows of an import which need a human, as CSV in pieces."""
    who.require("customers:read")
    with db.read(who) as reader:
        reader.customers.get_import(import_id)
    return _todo_pages(db, who, import_id)


def _todo_pages(db: Database, who: Principal, import_id: str) -> Iterator[str]:
    yield _csv_text([("row", "id", "verdict", "reason", "cure", "lon", "lat")])
    after = 0
    while True:
        with db.read(who) as reader:
            found = reader.customers.findings(import_id, after, _PAGE)
        yield _csv_text([_todo_row(record) for record in found])
        if len(found) < _PAGE:
            return
        after = found[-1].row_no


def _todo_row(record: CustomerRecord) -> tuple[object, ...]:
    verdict = _VERDICTS[record.verdict]
    # A leading = + - @ makes spreadsheets run the text as a formula.
    shown = f"'{record.id}" if record.id[:1] in ("=", "+", "-", "@", "\t", "\r") else record.id
    return record.row_no, shown, verdict.slug, verdict.reason, verdict.cure, record.lon, record.lat


def _csv_text(rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
