"""GeoParquet: its main geometry column, and what it says of its coordinates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.arrow import geometry_of, plain_columns
from gridsvc.tiling.sources.kinds import unreadable
from gridsvc.tiling.sources.rows import Choice, Limits, Rows

__all__ = ["read_parquet"]


def read_parquet(path: Path, choice: Choice, limits: Limits) -> Rows:
    """Read a GeoParquet file.

    Raises
    ------
    UnreadableFile
        Damaged, or plain Parquet without geometry.
    InvalidInput, InvalidGeometry
        Too large, or a geometry which cannot be built.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        geo = json.loads((file.metadata.metadata or {})[b"geo"])
        name = str(geo["primary_column"])
        about = dict(geo["columns"][name])
        names = [str(n) for n in file.schema_arrow.names]
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, RecursionError):
        raise unreadable(path.name) from None
    if str(about.get("encoding", "WKB")).upper() != "WKB":
        raise unreadable(path.name, "its geometry is not well-known binary")
    limits.check_columns(names, path.name)
    limits.check_features(file.metadata.num_rows, path.name)
    _check_unpacked(file.metadata, path.name, limits)
    try:
        table = file.read(None if choice.columns is None else [*choice.columns, name], use_threads=False)
        columns = plain_columns(table, name, path.name)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, KeyError):
        raise unreadable(path.name) from None
    rows = Rows(geometry_of(table[name], path.name, limits), columns, _crs(about), path.name, path.stem)
    return limits.check(rows)


def _check_unpacked(metadata: Any, source: str, limits: Limits) -> None:
    groups = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if sum(groups) > limits.unpacked:
        raise InvalidInput(
            f"unpacks to more than {limits.unpacked // 1_000_000} MB", source=source, cure="split the layer"
        )


def _crs(about: dict[str, Any]) -> str | None:
    """PROJJSON as text; WGS-84 where the file is silent, as GeoParquet has it."""
    if "crs" not in about:
        return "OGC:CRS84"
    return None if about["crs"] is None else json.dumps(about["crs"])
