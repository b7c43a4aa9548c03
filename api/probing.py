"""Uploaded files are read once where they can do no harm, before a job reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from gridsvc.services.jobs import discard_files
from gridsvc.tiling.sources import guard
from gridsvc.tiling.sources.reading import of_layer

__all__ = ["probe_customers", "probe_grids"]

_CUSTOMERS = "gridsvc.customers.files:load_file"
_LAYER = "gridsvc.tiling.sources.reading:read"
_TABLE = "gridsvc.tiling.table:read_table"
_HARMLESS = {".csv", ".tsv", ".txt"}
"""Plain text unpacks to nothing larger, and is read line by line."""


async def probe_customers(files: Mapping[str, str], layers: Mapping[str, str | None]) -> None:
    """Probe a file of customers and, where it came, the layer of areas; a refused upload is deleted.

    Raises
    ------
    InvalidInput
        As `gridsvc.tiling.sources.guard.probe`.
    """
    for name, path in files.items():
        whole = of_layer(Path(path), layers.get(name))
        await _probe(whole, _CUSTOMERS if name == "file" else _LAYER, files)


async def probe_grids(path: str) -> None:
    """Probe a file of grids: polygons, or a list."""
    table = Path(path).suffix.lower() in {".csv", ".xlsx", ".xlsm"}
    await _probe(Path(path), _TABLE if table else _LAYER, {"file": path})


async def _probe(path: Path, by: str, files: Mapping[str, str]) -> None:
    if path.suffix.lower() in _HARMLESS:
        return
    try:
        await run_in_threadpool(guard.probe, path, by)
    except BaseException:
        discard_files(Path(file) for file in files.values())
        raise
