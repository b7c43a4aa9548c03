"""Layers for spreadsheets: CSV with WKT, and a workbook without outlines; no text acts as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from gridsvc.errors import TooLarge
from gridsvc.exchange.layer import Kind
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.exchange.texts import inert, workbook_text

__all__ = ["csv_pieces", "write_workbook"]

_MOST_ROWS = 1_048_575
_WKT = "wkt"


def csv_pieces(out: Outgoing, *, bom: bool = False) -> Iterator[bytes]:
    """A layer as CSV in UTF-8, its geometry in a last column `wkt`, by which GIS programs know it.

    A further column `crs` names the system where it is not WGS-84.

    Parameters
    ----------
    bom : bool
        Begin with the mark by which Excel knows UTF-8.
    """
    system = [] if out.crs == "wgs84" else [out.crs]
    names = [*map(inert, out.kinds), *(["crs"] if system else []), _WKT]
    yield (b"\xef\xbb\xbf" if bom else b"") + _lines([names])
    kinds = list(out.kinds.values())
    for shapes, columns in out.parts():
        shown = [_shown(values, kind) for values, kind in zip(columns, kinds, strict=True)]
        said = [system * len(shapes)] if system else []
        texts = shapely.to_wkt(shapes, rounding_precision=-1)
        yield _lines(zip(*shown, *said, texts, strict=True))


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # by which both marks are quoted in texts
    return text.getvalue().encode()


def _shown(values: Sequence[Any], kind: Kind) -> Sequence[Any]:
    if kind == "text":
        return [None if value is None else inert(str(value)) for value in values]
    if kind == "time":
        return [None if value is None else value.isoformat() for value in values]
    if kind == "boolean":
        return [None if value is None else str(bool(value)).lower() for value in values]
    return [None if value is None or value != value else value for value in values]  # noqa: PLR0124


def write_workbook(path: Path, out: Outgoing) -> None:
    """A layer as a workbook: a sheet of its rows, each with a point inside its outline, and one about it.

    Raises
    ------
    TooLarge
        More rows than a sheet has.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(out.name[:31])
    sheet.freeze_panes = "A2"
    degrees = out.code is None or out.crs == "wgs84"
    point = ("lon", "lat") if degrees else ("x", "y")
    named = [name if name not in out.kinds else f"point_{name}" for name in point]
    sheet.append([_cell(sheet, name, "text") for name in (*out.kinds, *named)])
    kinds: list[Kind] = [*out.kinds.values(), "number", "number"]
    for number, row in enumerate(_rows(out), 1):
        if number > _MOST_ROWS:
            raise TooLarge(
                f"a sheet has {_MOST_ROWS:,} rows",
                field="format",
                cure="choose csv or parquet",
            )
        sheet.append([_cell(sheet, value, kind) for value, kind in zip(row, kinds, strict=True)])
    about = book.create_sheet("manifest")
    for name, value in out.manifest(format="xlsx").items():
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
        about.append([_cell(about, name, "text"), _cell(about, text, "text")])
    book.save(path)


def _rows(out: Outgoing) -> Iterator[tuple[Any, ...]]:
    for shapes, columns in out.parts():
        inside = shapely.point_on_surface(shapes)
        yield from zip(*columns, shapely.get_x(inside).tolist(), shapely.get_y(inside).tolist(), strict=True)


def _cell(sheet: Any, value: Any, kind: Kind) -> Any:
    """A value for a sheet; texts stay texts, = in front or not."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or value != value:  # noqa: PLR0124
        return None
    if kind == "time":
        value = value.isoformat()
    if kind in {"text", "time"}:
        cell = WriteOnlyCell(sheet, workbook_text(str(value)))
        cell.data_type = "s"  # openpyxl takes a text with = in front for a formula
        return cell
    return value.item() if isinstance(value, np.generic) else value
