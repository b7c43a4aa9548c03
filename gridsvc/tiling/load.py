"""Files and GeoJSON objects as plain rows: geometry, columns and the coordinate system they name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.geojson import rows_from_geojson
from gridsvc.tiling.sources.geojsontext import read_geojson
from gridsvc.tiling.sources.reading import read
from gridsvc.tiling.sources.rows import EVERYTHING, LIMITS, Choice, Rows

__all__ = ["Choice", "Rows", "rows_from_file", "rows_from_geojson", "rows_of_member"]


def rows_from_file(source: Path, choice: Choice = EVERYTHING) -> Rows:
    """Read a layer from a file in any of the formats; see `gridsvc.tiling.sources.reading.read`."""
    return read(source, choice)


def rows_of_member(path: Path, name: str) -> Rows:
    """Read GeoJSON which was kept from a request; faults name the member it came as."""
    try:
        return replace(read_geojson(path, LIMITS), source=name)
    except InvalidInput as error:
        error.source = name
        raise
