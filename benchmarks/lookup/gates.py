"""What was asked of the lookup before it was written, and whether the figures meet it."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.lookup.arrays import COMPILED, NUMPY
from benchmarks.lookup.figures import percentile
from benchmarks.lookup.service import GATES, OURS

__all__ = ["Line", "judge"]

_SIGNS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing asked for.

    Attributes
    ----------
    figure, bar : float
    sign : {"<=", ">="}
    note : str
        Why the figure does not count, or what to know about it.
    """

    what: str
    figure: float
    sign: str
    bar: float
    note: str = ""
    counts: bool = True

    @property
    def met(self) -> bool:
        """Whether the figure is a right one and good enough."""
        return self.counts and bool(_SIGNS[self.sign](self.figure, self.bar))


def judge(results: Mapping[str, Any]) -> list[Line]:
    """A line for each thing asked for whose figure is there.

    Parameters
    ----------
    results : mapping of part to what it found
    """
    parts = {
        "service": _service,
        "arrays": _arrays,
        "starts": _starts,
        "memory": _memory,
        "visible": _visible,
        "load": _load,
    }
    return [line for name, told in parts.items() if results.get(name) for line in told(results[name])]


def _service(found: Mapping[str, Any]) -> list[Line]:
    lines = []
    for gate in GATES:
        told = found["gates"].get(gate.rule)
        if told is None or told["figure"].startswith("no figure"):
            continue
        wrong = sum(found["wrong"].get(case, 0) for case in gate.cases)
        note = f"{wrong:,} answers wrong, so it does not count" if wrong else ""
        lines.append(Line(gate.what, float(told["figure"]), gate.sign, gate.bar, note, counts=not wrong))
    return [*lines, *_with_database(found["median"])]


def _with_database(median: Mapping[str, Any]) -> list[Line]:
    """The peer's database works too, in a process which the kit does not count with it."""
    point = median["point"]
    if not {"postgis", "fastapi-postgis"} <= point.keys():
        return []
    theirs = point["fastapi-postgis"]["c1"]["cpu_us"] + point["postgis"]["c1"]["cpu_us"]
    what = "point, c1: FastAPI + PostGIS with the database's own work over it"
    return [Line(what, theirs / point[OURS]["c1"]["cpu_us"], ">=", 6)]


def _arrays(found: Mapping[str, Any]) -> list[Line]:
    def points_per_s(case: str, contender: str) -> float:
        return float(found[case]["points"] / found[case]["cpu_s"][contender])

    hexes, areas = found["lookup-h3"]["cpu_s"], found["lookup-areas"]["cpu_s"]
    loop, join = "h3-py, one by one, and a dictionary", "geopandas.sjoin"
    best = min(areas[NUMPY], areas[COMPILED])
    return [
        Line("arrays, H3, numpy: M points/s", points_per_s("lookup-h3", NUMPY) / 1e6, ">=", 8),
        Line("arrays, H3, compiled: M points/s", points_per_s("lookup-h3", COMPILED) / 1e6, ">=", 15),
        Line("arrays, H3, numpy: the h3-py loop over it", hexes[loop] / hexes[NUMPY], ">=", 6),
        Line("arrays, H3, numpy: geopandas.sjoin over it", hexes[join] / hexes[NUMPY], ">=", 15),
        Line("arrays, polygons: M points/s", found["lookup-areas"]["points"] / best / 1e6, ">=", 10),
    ]


def _starts(found: list[Mapping[str, Any]]) -> list[Line]:
    return [
        Line(
            f"cold start to the first right answer, {f['cells']:,} cells"
            f"{'' if f['kept'] else ', no files yet'}: s",
            statistics.median(f["seconds"]),
            "<=",
            0.8 if f["cells"] < 100_000 else 1.0,
        )
        for f in found
    ]


def _memory(found: Mapping[str, Any]) -> list[Line]:
    cells = sum(found["files"].values())
    workers = [p["uss"] for p in (*found["processes"], *found["london"]) if p["role"] == "API worker"]
    return [
        Line(f"memory: files of {found['cells']:,} cells, MB", cells, "<=", 16),
        Line(f"memory: file of {found['customers']:,} customers, MB", found["customers_mb"], "<=", 250),
        Line("memory: an API worker's own, MB", max(workers), "<=", 110),
    ]


def _visible(found: Mapping[str, Any]) -> list[Line]:
    what = f"publish to visible in {found['workers']} workers, {found['cells']:,} cells, p99: ms"
    return [
        Line(what, percentile(found["ms"], 0.99), "<=", 100, f"p50 {percentile(found['ms'], 0.5):.0f} ms")
    ]


def _load(found: Mapping[str, Any]) -> list[Line]:
    beside = found["beside"]
    note = f"an idle timer: p99 {beside['hiccup_p99_ms']:.1f} ms late"
    failed = found["errors"] + beside["wrong"]
    return [
        Line(
            f"single questions beside {found['clients']} clients' batches, p99: ms",
            beside["p99_ms"],
            "<=",
            20,
            note,
        ),
        Line("failed or wrong meanwhile", failed, "<=", 0),
    ]
