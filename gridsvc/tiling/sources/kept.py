"""A layer on disk as we keep it: quick to read with nothing but numpy and shapely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from gridsvc.tiling.sources.rows import Rows

__all__ = ["keep", "kept"]


def keep(rows: Rows, folder: Path) -> None:
    """Write a layer into an empty folder; the last file written is ``rows.json``."""
    binary = shapely.to_wkb(rows.geometry)
    lengths = np.array([-1 if value is None else len(value) for value in binary], np.int64)
    with (folder / "geometry.bin").open("wb") as file:
        file.writelines(value for value in binary if value is not None)
    np.save(folder / "lengths.npy", lengths)
    (folder / "columns.json").write_bytes(orjson.dumps(rows.columns, default=str))
    head = {"crs": rows.crs, "source": rows.source, "layer": rows.layer, "notes": list(rows.notes)}
    (folder / "rows.json").write_bytes(orjson.dumps(head))


def kept(folder: Path) -> Rows:
    """Read back what `keep` wrote."""
    head: dict[str, Any] = orjson.loads((folder / "rows.json").read_bytes())
    columns: dict[str, list[Any]] = orjson.loads((folder / "columns.json").read_bytes())
    lengths = np.load(folder / "lengths.npy", allow_pickle=False)
    block = (folder / "geometry.bin").read_bytes()
    ends = np.cumsum(np.maximum(lengths, 0)).tolist()
    binary = np.empty(len(lengths), object)
    for row, (end, length) in enumerate(zip(ends, lengths.tolist(), strict=True)):
        binary[row] = None if length < 0 else block[end - length : end]
    geometry = np.asarray(shapely.from_wkb(binary), object)
    return Rows(geometry, columns, head["crs"], head["source"], head["layer"], tuple(head["notes"]))
