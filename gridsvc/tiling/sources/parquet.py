"""GeoParquet: its main geometry column, and what it says of its coordinates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.arrow import VERTEX, Batches, batch_rows
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
        file = pq.ParquetFile(path, read_dictionary=[name])  # a shape which comes often is unpacked once
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, RecursionError):
        raise unreadable(path.name) from None
    if str(about.get("encoding", "WKB")).upper() != "WKB":
        raise unreadable(path.name, "its geometry is not well-known binary")
    wanted = [n for n in names if n == name or choice.columns is None or n in choice.columns]
    limits.check_columns(wanted, path.name)
    limits.check_features(file.metadata.num_rows, path.name)
    read = Batches(path.name, limits)
    try:
        _check_unpacked(file.metadata, wanted, path.name, limits)
        for group in range(file.num_row_groups):
            rows = _rows_at_once(file.metadata.row_group(group), name, read, limits)
            for batch in file.iter_batches(rows, [group], wanted, use_threads=False):
                read.add(batch, name)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, KeyError):
        raise unreadable(path.name) from None
    columns = read.columns([n for n in wanted if n != name])
    return limits.check(Rows(read.geometry(), columns, _crs(about), path.name, path.stem))


def _rows_at_once(group: Any, name: str, read: Batches, limits: Limits) -> int:
    """How many rows of a group to read together; refuses features which are surely too large."""
    column = next(c for c in _columns(group) if c.path_in_schema == name)
    size, rows = column.total_uncompressed_size, max(group.num_rows, 1)
    if size > rows * limits.shape * VERTEX:
        raise limits.too_many_vertices(read.rows + 1, read.source, whole=False)
    return batch_rows(size, rows)


def _columns(group: Any) -> Iterator[Any]:
    return (group.column(number) for number in range(group.num_columns))


def _check_unpacked(metadata: Any, names: list[str], source: str, limits: Limits) -> None:
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    wanted = (c for group in groups for c in _columns(group) if c.path_in_schema.split(".")[0] in names)
    if sum(column.total_uncompressed_size for column in wanted) > limits.unpacked:
        raise InvalidInput(
            f"unpacks to more than {limits.unpacked // 1_000_000} MB", source=source, cure="split the layer"
        )


def _crs(about: dict[str, Any]) -> str | None:
    """PROJJSON as text; WGS-84 where the file is silent, as GeoParquet has it."""
    if "crs" not in about:
        return "OGC:CRS84"
    return None if about["crs"] is None else json.dumps(about["crs"])
