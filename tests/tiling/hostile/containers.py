"""GeoPackage, FlatGeobuf and GeoParquet."""

from __future__ import annotations

import sqlite3
import struct
import warnings
from pathlib import Path

import numpy as np
import shapely

from tests.tiling.hostile.case import (
    BOX,
    EAST,
    case,
    frame,
    halved,
    text,
)


@case("cut.gpkg", fault=r"cannot be read as a layer")
def a_truncated_geopackage(path: Path) -> None:
    frame(*[BOX] * 500).to_file(path)
    halved(path, 0.2)


@case("vrt.gpkg", fault=r"is not a \.gpkg file inside")
def a_vrt_in_disguise(path: Path) -> None:
    text(
        path,
        '<OGRVRTDataSource><OGRVRTLayer name="passwd"><SrcDataSource>/etc/passwd</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
    )


@case("arcs.gpkg", fault=r"row 1, geometry: is drawn with arcs", row=1)
def curves(path: Path) -> None:
    frame(BOX).to_file(path, layer="a")
    curve = bytes.fromhex("0108000000") + struct.pack("<I6d", 3, 116, 39, 116.05, 39.05, 116.1, 39)
    blob = b"GP\x00\x01" + struct.pack("<i", 4326) + curve
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{name}"')
        connection.execute("update a set geom = ?", (blob,))


@case("several.gpkg", fault=r"layer: has several layers; name one with .*: a, b")
def several_layers_in_a_geopackage(path: Path) -> None:
    frame(BOX).to_file(path, layer="a")
    frame(EAST).to_file(path, layer="b", mode="a")


@case("nocrs.gpkg", rows=1)
def a_geopackage_without_system(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame(BOX, crs=None).to_file(path)


@case("plain.gpkg", fault=r"cannot be read as a layer with geometry")
def a_geopackage_without_geometry(path: Path) -> None:
    import pandas
    import pyogrio

    pyogrio.write_dataframe(pandas.DataFrame({"note": ["x"]}), path, layer="notes")


@case("measured.csv", rows=1)
def measures_along_a_line(path: Path) -> None:
    text(path, 'code,wkt\n1,"LINESTRING M (116 39 1, 117 39 2)"\n')


@case("cut.fgb", fault=r"cannot be read as a layer")
def a_truncated_flatgeobuf(path: Path) -> None:
    frame(*[BOX] * 500).to_file(path)
    halved(path)


@case("cut.parquet", fault=r"cannot be read as a layer")
def a_truncated_geoparquet(path: Path) -> None:
    frame(BOX).to_parquet(path)
    halved(path)


@case("bomb.parquet", fault=r"takes more than|takes longer than|unpacks to more", child_only=True)
def a_parquet_bomb(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame(BOX).to_parquet(path)
    geo = (pq.read_schema(path).metadata or {})[b"geo"]
    n = 900_000
    first = pa.array(np.zeros(n, np.int32))
    words = pa.DictionaryArray.from_arrays(first, pa.array(["x" * 2000]))
    shapes = pa.DictionaryArray.from_arrays(first, pa.array([shapely.to_wkb(BOX)]))
    table = pa.table({"a": words, "geometry": shapes})
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({b"geo": geo})
