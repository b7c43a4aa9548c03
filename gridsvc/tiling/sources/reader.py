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
from dataclasses import replace
from pathlib import Path
from typing import Any

from gridsvc.errors import GridsvcError, UnreadableFile
from gridsvc.tiling.sources.rows import SMALLER, STRANGE, Choice, starved

__all__ = ["main"]

_UNUSED = ("pandas", "geopandas", "matplotlib", "scipy")
"""The geodata libraries load these where they are there; without them the start takes half the time."""


_EVERYTHING = ("pyproj", "pyarrow.csv", "pyarrow.parquet", "pyogrio")
_BY_SUFFIX = {
    **dict.fromkeys((".xlsx", ".xlsm"), ("pyproj", "openpyxl")),
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), ("pyproj", "pyarrow.parquet")),
    **dict.fromkeys((".csv", ".tsv", ".txt"), ("pyproj", "pyarrow.csv")),
    **dict.fromkeys((".geojson", ".json", ".ndjson", ".geojsonl"), ("pyproj",)),
}


def main() -> None:
    """Do the order on the standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    order: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    for name in _UNUSED if order["task"] != "probe" else ():
        sys.modules[name] = None  # type: ignore[assignment]
    from gridsvc.tiling.sources import listing, plain, reading

    _load(Path(order["path"]).suffix.lower(), whole=order["task"] == "probe")
    _limit(order["memory"], order["seconds"], started=order["task"] != "probe")
    try:
        answer = {"result": _do(order, plain, listing, reading)}
    except GridsvcError as error:
        answer = {"error": error.as_dict()}
    except Exception as error:
        if not (isinstance(error, RecursionError) or starved(error)):
            raise
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
    names = _BY_SUFFIX.get(suffix, _EVERYTHING)
    for name in (*names, *(["geopandas"] if whole else ())):
        importlib.import_module(name)


def _limit(memory: int, seconds: float, *, started: bool) -> None:
    """Let data grow by what is left of the memory; `started` says whether what is taken by now counts.

    Addresses are no measure: threads reserve far more of them than they use.
    """
    counts = Path("/proc/self/statm").read_text(encoding="ascii").split()
    touched, data = (int(counts[field]) * os.sysconf("SC_PAGE_SIZE") for field in (1, 5))
    most = data + memory - (touched if started else 0)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
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
        rows = reading.read(path, choice, STRANGE)
        plain.write_plain(rows, crs or rows.crs or "wgs84", Path(order["target"]))
        return listing.listing(rows, crs)
    names = [choice.layer] if choice.layer else reading.layers_of(path, STRANGE)
    return [listing.listing(reading.read(path, replace(choice, layer=name), STRANGE), crs) for name in names]


if __name__ == "__main__":
    main()
