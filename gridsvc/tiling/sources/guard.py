"""A file nobody has looked at is read in a process of its own, under limits of memory and time.

Whatever it does to the reader (a bomb, an endless loop, a crash in a library) ends that process alone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridsvc.errors import GridsvcError, UnreadableFile, from_dict
from gridsvc.tiling.sources.rows import EVERYTHING, SMALLER, Choice

__all__ = ["Budget", "probe", "read_into", "survey"]

_log = logging.getLogger("gridsvc.layers")

_TURNS = threading.BoundedSemaphore(2)
"""So many files are read at the same time by one process: each may take its whole budget of memory."""

_PATIENCE = 10.0  # times the CPU seconds: a busy machine or a slow disk is not the file's fault

# What would have the geodata library ask other machines, or open other files.
_SKIP = (
    "OGR_VRT HTTP WFS OAPIF CSW PLSCENES Elasticsearch Carto AmigoCloud NGW EEDA OGCAPI GDALG ADBC PMTiles "
    "MVT OSM GML GMLAS LVBAG GPSBabel PostgreSQL MySQL XLSX ODS CSV DXF MapML GTFS GeoRSS GPX TopoJSON "
    "ESRIJSON JSONFG OpenFileGDB MBTiles PDF SXF S57"
)


class Budget:
    """What the reader of a file of some size may take.

    Attributes
    ----------
    memory : int, bytes
        Of the whole process: what it takes to start counts as well, but for a probe, which loads more.
    seconds : float
        Of CPU, from when the file is opened.
    """

    def __init__(self, size: int) -> None:
        more = max(size - 20_000_000, 0)
        self.memory = 290_000_000 + 3 * more
        self.seconds = 1.2 + more / 20_000_000


def read_into(
    path: Path, target: Path, choice: Choice = EVERYTHING, crs: str | None = None
) -> dict[str, Any]:
    """Read a layer, write it as GeoJSON in WGS-84 and tell what it holds.

    Parameters
    ----------
    target : Path
        Of the GeoJSON.
    crs : str, optional
        Coordinate system; else what the file says, else WGS-84.

    Returns
    -------
    dict
        As `gridsvc.tiling.sources.listing.listing`.

    Raises
    ------
    InvalidInput
        As `gridsvc.tiling.sources.reading.read`.
    UnreadableFile
        Reading took too much memory or time, or ended without an answer.
    """
    return dict(_run(path, {"task": "read", "target": str(target), "choice": asdict(choice), "crs": crs}))


def survey(path: Path, choice: Choice = EVERYTHING, crs: str | None = None) -> list[dict[str, Any]]:
    """What each layer of a file holds (only the chosen one, where one is); nothing is kept.

    Raises
    ------
    InvalidInput
        As `read_into`.
    """
    return list(_run(path, {"task": "survey", "choice": asdict(choice), "crs": crs}))


def probe(path: Path, by: str = "gridsvc.tiling.sources.reading:read") -> None:
    """Let a file be read once where it can do no harm, before something else reads it.

    Parameters
    ----------
    by : str
        ``module:function`` which takes the path.

    Raises
    ------
    InvalidInput
        As the function, or as `read_into`.
    """
    _run(path, {"task": "probe", "by": by, "choice": asdict(EVERYTHING), "crs": None})


def _run(path: Path, order: dict[str, Any]) -> Any:
    file = path if path.is_file() else path.with_name(path.name.rpartition("::")[0] or path.name)
    budget = Budget(file.stat().st_size if file.is_file() else 0)
    order |= {"path": str(path), "memory": budget.memory, "seconds": budget.seconds}
    with _TURNS:
        answer, ended = _child(order, budget.seconds * _PATIENCE + 10.0)
    if answer is None:
        raise _failure(path.name, ended, budget)
    if "error" in answer:
        raise from_dict(answer["error"])
    return answer["result"]


def _child(order: dict[str, Any], patience: float) -> tuple[dict[str, Any] | None, int]:
    """The reader's answer, if it gave one, and how it ended."""
    command = [sys.executable, "-m", "gridsvc.tiling.sources.reader"]
    process = subprocess.Popen(  # noqa: S603 - our own module; what is read comes on its input
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
    )
    try:
        out, _ = process.communicate(json.dumps(order).encode(), timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, -signal.SIGPROF
    try:
        answer: dict[str, Any] = json.loads(out)
    except ValueError:
        return None, process.returncode
    return answer, process.returncode


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GDAL_", "OGR_", "CPL_"))
    }
    return kept | {
        "GDAL_SKIP": _SKIP,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "GDAL_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def _failure(source: str, ended: int, budget: Budget) -> GridsvcError:
    if ended == -signal.SIGPROF:
        what, cure = f"takes longer than {budget.seconds:.1f} s to read", SMALLER
    elif ended > 0:
        _log.error("the reader of layers ended with %d", ended)
        what, cure = "could not be read", "export it again, or in another format"
    elif ended in {-signal.SIGSEGV, -signal.SIGBUS}:
        what, cure = "is damaged in a way its reader did not survive", "export it again"
    else:
        what, cure = f"takes more than {budget.memory // 1_000_000} MB of memory to read", SMALLER
    return UnreadableFile(what, source=source, cure=cure)
