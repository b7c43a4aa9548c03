"""GeoParquet 1.1, in row groups as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gridsvc.exchange.arrow import GEOMETRY, batches, schema
from gridsvc.exchange.outgoing import MANIFEST, Outgoing

__all__ = ["write_geoparquet"]

_GROUP = 32_768
"""Rows of a row group: readers skip whole ones."""


def write_geoparquet(path: Path, out: Outgoing) -> None:
    """Write a layer with the `geo` metadata of GeoParquet 1.1 and the manifest beside it."""
    import pyarrow.parquet as pq

    fields = schema(out.kinds)
    with pq.ParquetWriter(path, fields, compression="zstd", compression_level=1) as writer:
        for table in _groups(batches(out, fields), fields):
            writer.write_table(table, row_group_size=_GROUP)
        said = orjson.dumps(out.manifest(format="parquet"), option=orjson.OPT_UTC_Z).decode()
        writer.add_key_value_metadata({"geo": orjson.dumps(_geo(out)).decode(), MANIFEST: said})


def _groups(parts: Iterator[Any], fields: Any) -> Iterator[Any]:
    """Batches gathered to row groups."""
    import pyarrow as pa

    waiting: list[Any] = []
    rows = 0
    for part in parts:
        waiting.append(part)
        rows += part.num_rows
        if rows >= _GROUP:
            yield pa.Table.from_batches(waiting, fields)
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting, fields)


def _geo(out: Outgoing) -> dict[str, Any]:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": [] if out.shape == "Unknown" else [out.shape],
        "crs": None if out.code is None else _projjson(out.code),  # left out it would mean WGS-84
    }
    if out.box is not None:
        column["bbox"] = out.box
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _projjson(code: str) -> Any:
    from pyproj import CRS

    return CRS.from_user_input(code).to_json_dict()
