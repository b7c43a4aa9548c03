"""Layers through GDAL, which is handed Arrow batches: GeoPackage, FlatGeobuf, Shapefile."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import orjson

from gridsvc.exchange.arrow import GEOMETRY, batches, schema
from gridsvc.exchange.outgoing import Outgoing

__all__ = ["write_flatgeobuf", "write_with"]


def write_with(driver: str, path: Path, out: Outgoing, fields: Any = None, **options: str) -> None:
    """Write a layer with a driver of GDAL; into a file of several layers it is added.

    Parameters
    ----------
    fields : pyarrow.Schema, optional
        With other names than the layer's.
    options : str
        Of the layer, as the driver names them.
    """
    import pyarrow as pa
    import pyogrio

    wanted = schema(out.kinds) if fields is None else fields
    reader = pa.RecordBatchReader.from_batches(wanted, batches(out, wanted))
    with warnings.catch_warnings():
        # Said on purpose: a file in GCJ-02 has no code to give.
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        pyogrio.write_arrow(
            reader,
            path,
            layer=out.name,
            driver=driver,
            geometry_name=GEOMETRY,
            geometry_type=out.shape,
            crs=out.code,
            **options,
        )


def write_flatgeobuf(path: Path, out: Outgoing) -> None:
    """Write a FlatGeobuf with its spatial index.

    The index is packed once all features are known: GDAL lays them down in a file beside this one and keeps a
    box and a place a feature (below 100 bytes) until then. Rows without geometry have no place in an index,
    so a layer with such rows comes without.
    """
    index = {"SPATIAL_INDEX": "NO"} if out.gaps else {"TEMPORARY_DIR": str(path.parent)}
    # Its header stands in front of the features, so it tells what is known before them.
    said = orjson.dumps(out.known(), option=orjson.OPT_UTC_Z).decode()
    write_with("FlatGeobuf", path, out, TITLE=out.name, DESCRIPTION=said, **index)
