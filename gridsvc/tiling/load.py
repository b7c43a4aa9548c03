"""Files and GeoJSON objects as plain rows: geometry, columns and the coordinate system they name."""

from __future__ import annotations

from pathlib import Path

from gridsvc.tiling.sources.geojson import rows_from_geojson
from gridsvc.tiling.sources.reading import read
from gridsvc.tiling.sources.rows import EVERYTHING, Choice, Rows

__all__ = ["Choice", "Rows", "rows_from_file", "rows_from_geojson"]


def rows_from_file(source: Path, choice: Choice = EVERYTHING) -> Rows:
    """Read a layer from a file in any of the formats; see `gridsvc.tiling.sources.reading.read`."""
    return read(source, choice)
