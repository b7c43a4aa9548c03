"""Features which are too large, seen from what a file says of them before one is read."""

from __future__ import annotations

import mmap
import re
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.kinds import unreadable
from gridsvc.tiling.sources.rows import Limits

__all__ = ["check_sizes"]

_VERTEX = 24  # bytes of a vertex with a height
_COORDINATES = re.compile(rb"<(?:\w+:)?coordinates>([^<]*)|<(?:\w+:)?(Placemark)[\s>]")
_NODE = 40  # bytes of a node of the index of a FlatGeobuf
_COUNT, _FAN = 8, 9  # fields of its header: how many features, and how many children a node has


def check_sizes(path: Path, kind: str, layer: str, limits: Limits) -> None:
    """Refuse a layer of which one feature surely has too many vertices, where the file tells its size.

    Raises
    ------
    InvalidGeometry
        With the row.
    UnreadableFile
        The file is damaged.
    """
    try:
        if kind == "shp":
            _shapefile(path, limits)
        elif kind == "gpkg":
            _geopackage(path, layer, limits)
        elif kind == "fgb" and path.stat().st_size > limits.shape * _VERTEX:
            _flatgeobuf(path, limits)
        elif kind == "kml":
            _kml(path, limits)
    except InvalidInput:
        raise
    except (OSError, struct.error, sqlite3.Error, ValueError):
        raise unreadable(path.name) from None


def _shapefile(path: Path, limits: Limits) -> None:
    """The index of a Shapefile has the length of each shape, in words of two bytes."""
    index = next((p for s in (".shx", ".SHX") if (p := path.with_suffix(s)).is_file()), None)
    if index is None:
        limits.check_vertices([path.stat().st_size // _VERTEX], path.name)
        return
    block = index.read_bytes()[100:]
    lengths = np.frombuffer(block, ">i4", len(block) // 8 * 2).reshape(-1, 2)[:, 1].astype(np.int64)
    limits.check_vertices(np.maximum(lengths, 0) * 2 // _VERTEX, path.name)


def _geopackage(path: Path, layer: str, limits: Limits) -> None:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        column = connection.execute(
            "select column_name from gpkg_geometry_columns where table_name = ?", (layer,)
        ).fetchone()
        if column is None or '"' in layer or '"' in column[0]:
            return
        large = connection.execute(
            f'select rowid from "{layer}" where length("{column[0]}") > ? limit 1', (limits.shape * _VERTEX,)
        ).fetchone()
    if large is not None:
        raise limits.too_many_vertices(int(large[0]), path.name, whole=False)


def _flatgeobuf(path: Path, limits: Limits) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as block:
        for row, length in enumerate(_lengths(block), 1):
            limits.check_features(row, path.name)
            if length > limits.shape * _VERTEX:
                raise limits.too_many_vertices(row, path.name, whole=False)


def _lengths(block: mmap.mmap) -> Iterator[int]:
    """Bytes of each feature of a FlatGeobuf: they stand one behind the other, each with its length in front.

    Before them stand the header (a FlatBuffers table) and an index. Source: the FlatGeobuf specification.
    """
    (header,) = struct.unpack_from("<I", block, 8)
    table = 12 + struct.unpack_from("<I", block, 12)[0]
    count = struct.unpack_from("<Q", block, at)[0] if (at := _field(block, table, _COUNT)) else 0
    fan = struct.unpack_from("<H", block, at)[0] if (at := _field(block, table, _FAN)) else 16
    at = 12 + header + _index(count, fan)
    while at + 4 <= len(block):
        (length,) = struct.unpack_from("<I", block, at)
        yield length
        at += 4 + length


def _index(count: int, fan: int) -> int:
    """Bytes of the index of so many features."""
    if count == 0 or fan < 2:
        return 0
    nodes = level = count
    while level > 1:
        level = -(-level // fan)
        nodes += level
    return nodes * _NODE


def _field(block: mmap.mmap, table: int, number: int) -> int:
    """Where a field of a FlatBuffers table lies; 0 where it is left out."""
    fields = table - struct.unpack_from("<i", block, table)[0]
    (size,) = struct.unpack_from("<H", block, fields)
    place = 4 + 2 * number
    offset = struct.unpack_from("<H", block, fields + place)[0] if place < size else 0
    return table + offset if offset else 0


def _kml(path: Path, limits: Limits) -> None:
    """KML is read as a tree of all its text, which takes twice as much as other formats do."""
    limits = replace(limits, vertices=limits.vertices // 2)
    row = vertices = of_row = 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as block:
        for found in _COORDINATES.finditer(block):
            if found[2]:
                row, of_row = row + 1, 0
                continue
            count = found[1].count(b",") // max(_commas(found[1]), 1)
            vertices, of_row = vertices + count, of_row + count
            if of_row > limits.shape or vertices > limits.vertices:
                raise limits.too_many_vertices(max(row, 1), path.name, whole=of_row <= limits.shape)


def _commas(text: bytes) -> int:
    """In the first position."""
    first = text[:200].split(None, 1)
    return first[0].count(b",") if first else 0
