"""Layers as Arrow record batches with WKB: what GDAL and Parquet take in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import shapely

from gridsvc.exchange.layer import Kind, as_multi
from gridsvc.exchange.outgoing import Outgoing

__all__ = ["GEOMETRY", "batches", "schema"]

GEOMETRY = "geometry"


def schema(kinds: Mapping[str, Kind]) -> Any:
    """Fields of the columns, with the geometry behind them."""
    import pyarrow as pa

    types = {
        "text": pa.utf8(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("ms", tz="UTC"),
    }
    return pa.schema([*((name, types[kind]) for name, kind in kinds.items()), (GEOMETRY, pa.binary())])


def batches(out: Outgoing, fields: Any) -> Iterator[Any]:
    """The layer part by part.

    Parameters
    ----------
    fields : pyarrow.Schema
        As `schema` gives it for the layer; names may be others.
    """
    import pyarrow as pa

    kinds = list(out.kinds.values())
    for shapes, columns in out.parts():
        arrays = [
            _array(values, field.type, text=kind == "text")
            for values, kind, field in zip(columns, kinds, fields, strict=False)
        ]
        even = as_multi(shapes) if out.shape == "MultiPolygon" else shapes
        wkb = pa.array(shapely.to_wkb(even, output_dimension=2), pa.binary())
        yield pa.record_batch([*arrays, wkb], schema=fields)


def _array(values: Sequence[Any], wanted: Any, *, text: bool) -> Any:
    """A column of a part; texts are texts, whatever stands among them."""
    import pyarrow as pa

    try:
        return pa.array(values, wanted, from_pandas=True)
    except pa.ArrowTypeError:
        if not text:
            raise
        plain = [value if value is None or isinstance(value, str) else str(value) for value in values]
        return pa.array(plain, wanted)
