"""The process that reads a file nobody has looked at: ``python -m gridsvc.tiling.sources.reader``.

One order comes as JSON on its input, one answer goes out. It lays its limits on itself before it opens the
file and after it has loaded the libraries, so that these count neither for memory nor for time.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from gridsvc.errors import GridsvcError, UnreadableFile
from gridsvc.tiling.sources.rows import SMALLER, Choice

__all__ = ["main"]

_UNUSED = ("pandas", "geopandas", "matplotlib", "scipy")
"""The geodata libraries load these where they are there; without them the start takes half the time."""


def main() -> None:
    """Do the order on the standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    order: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    for name in _UNUSED if order["task"] != "probe" else ():
        sys.modules[name] = None  # type: ignore[assignment]
    from gridsvc.tiling.sources import listing, plain, reading

    _load(Path(order["path"]).suffix.lower(), whole=order["task"] == "probe")
    _limit(order["memory"], order["seconds"])
    try:
        answer = {"result": _do(order, plain, listing, reading)}
    except GridsvcError as error:
        answer = {"error": error.as_dict()}
    except (RecursionError, MemoryError) as error:
        answer = {"error": _overrun(error, Path(order["path"]).name, order["memory"]).as_dict()}
    answers.write(json.dumps(answer).encode())
    answers.close()
    os._exit(0)  # nothing is left to do, and large arrays take their time to go


def _overrun(error: BaseException, source: str, memory: int) -> UnreadableFile:
    if isinstance(error, RecursionError):
        return UnreadableFile("is nested too deep", source=source, cure="export it again")
    what = f"takes more than {memory // 1_000_000} MB of memory to read"
    return UnreadableFile(what, source=source, cure=SMALLER)


def _load(suffix: str, *, whole: bool) -> None:
    """The libraries a format needs."""
    import pyproj  # noqa: F401

    if whole:
        import geopandas  # noqa: F401
    if suffix in {".xlsx", ".xlsm"}:
        import openpyxl  # noqa: F401
    elif suffix not in {".geojson", ".json", ".ndjson", ".geojsonl"}:
        import pyarrow.csv
        import pyarrow.parquet  # noqa: F401
        import pyogrio  # noqa: F401


def _limit(memory: int, seconds: float) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, also within a library
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _do(order: dict[str, Any], plain: Any, listing: Any, reading: Any) -> Any:
    path, crs = Path(order["path"]), order["crs"]
    if order["task"] == "probe":
        module, _, function = order["by"].partition(":")
        getattr(importlib.import_module(module), function)(path)
        return None
    given = order["choice"]
    columns = given.pop("columns")
    choice = Choice(**given, columns=None if columns is None else tuple(columns))
    if order["task"] == "read":
        rows = reading.read(path, choice)
        plain.write_plain(rows, crs or rows.crs or "wgs84", Path(order["target"]))
        return listing.listing(rows, crs)
    names = [choice.layer] if choice.layer else reading.layers_of(path)
    return [
        listing.listing(
            reading.read(path, Choice(name, choice.columns, choice.lon, choice.lat, choice.wkt)), crs
        )
        for name in names
    ]


if __name__ == "__main__":
    main()
