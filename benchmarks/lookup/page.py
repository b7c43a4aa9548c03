"""What the parts found -> the lookup's section of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.lookup.figures import percentile
from benchmarks.lookup.gates import Line, judge

__all__ = ["text"]

_LEGEND = """CPU is what counts: server CPU time a request (of all processes of the service), which stays
comparable where requests a second do not. All take turns in one run; a figure is the median of its
rounds, and a ratio is between figures of one run. Every answer of ours is compared with plain
h3-py's. *c1* and *c32* are 1 and 32 connections. *nothing* is an ASGI route which sends a constant;
*fastapi-postgis* gives the same answer as ours by one prepared statement on a pooled connection,
checked by the same response model, and its database's own CPU (see *postgis*, one connection
without any web) comes on top."""


_SIGNS = {"<=": "at most", ">=": "at least"}


def text(results: Mapping[str, Any], circumstances: str) -> str:
    """The section, of the parts that are there."""
    parts = {
        "service": _service,
        "arrays": lambda found: str(found["body"]),
        "starts": _starts,
        "memory": _memory,
        "visible": _visible,
        "load": _load,
    }
    told = [make(results[name]) for name, make in parts.items() if results.get(name)]
    picture = "![CPU a request and a point](img/benchmarks-lookup.png)"
    return "\n\n".join(
        [
            "## Lookup",
            circumstances,
            _LEGEND,
            picture,
            "### Against what was asked",
            _gates(judge(results)),
            *told,
        ]
    )


def _table(head: str, rows: list[str]) -> str:
    columns = head.count("|") - 2
    return "\n".join([head, "|---" + "|--:" * columns + "|", *rows])


def _gates(lines: list[Line]) -> str:
    rows = [
        f"| {line.what} | {_number(line.figure)} | {_SIGNS[line.sign]} {line.bar:g} "
        f"| {'yes' if line.met else '**no**'} | {line.note} |"
        for line in lines
    ]
    return "\n".join(["| | figure | bar | met | |", "|---|--:|--:|---|---|", *rows])


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def _service(found: Mapping[str, Any]) -> str:
    median = found["median"]
    singles = [
        f"| {case} | {name} | {c1['cpu_us']:.0f} | {_of(t.get('c32'), 'cpu_us')} | {c1['p50_us']:.0f} | "
        f"{c1['p99_us']:.0f} | {_of(t.get('c32'), 'rps')} | {c1['hiccup_p99_ms']:.1f} | {_memory_of(t)} |"
        for case in ("point", "customer", "cell")
        for name, t in median.get(case, {}).items()
        for c1 in [t["c1"]]
    ]
    batches = [
        f"| {case} | {name} | {t['cpu_ns_per_pt']:.0f} | {t['p50_ms']:.1f} | {t['pts_per_s'] / 1e6:.2f} | "
        f"{int(t['mismatch']):,} |"
        for case, targets in median.items()
        if case.startswith("batch")
        for name, t in targets.items()
    ]
    wrong = sum(found["wrong"].values())
    return "\n\n".join(
        [
            f"### The service\n\n{found['rounds']} rounds; answers of ours that were wrong: {wrong:,}.",
            _table(
                "| case | target | c1, µs CPU | c32, µs CPU | c1, p50 µs | c1, p99 µs | c32, requests/s "
                "| idle timer, p99 ms | MB (PSS) |",
                singles,
            ),
            _table(
                "| batch | target | ns CPU a point | p50 ms | M points/s | answers not h3-py's |", batches
            ),
        ]
    )


def _of(figures: Mapping[str, float] | None, name: str) -> str:
    return "" if figures is None else f"{figures[name]:.0f}"


def _memory_of(target: Mapping[str, Any]) -> str:
    size = target.get("mem_mb")
    return "" if size is None else f"{size:.0f}"


def _starts(found: list[Mapping[str, Any]]) -> str:
    rows = [
        f"| {f['cells']:,} cells{'' if f['kept'] else ', no files yet'} "
        f"| {percentile(f['seconds'], 0.5):.2f} | {max(f['seconds']):.2f} | {len(f['seconds'])} |"
        for f in found
    ]
    head = "| from `gridsvc serve` to the first right answer | median s | worst s | starts |"
    note = (
        "The question shows a key. *no files yet*: the files which lookups map are made from the database\n"
        "first, as on a new node."
    )
    return f"### Cold start\n\n{note}\n\n{_table(head, rows)}"


def _memory(found: Mapping[str, Any]) -> str:
    files = [f"| {_short(name)} | {size:.1f} | | |" for name, size in found["files"].items()]
    files.append(f"| customers, {found['customers']:,} of them | {found['customers_mb']:.1f} | | |")
    processes = [
        f"| {p['role']}, {where} | | {p['uss']:.0f} | {p['pss']:.0f} |"
        for where, listed in ((f"{found['cells']:,} cells", found["processes"]), ("London", found["london"]))
        for p in listed
    ]
    head = "| | file MB, shared | own MB (USS) | PSS MB |"
    return f"### Memory\n\n{_table(head, [*files, *processes])}"


def _short(name: str) -> str:
    """What a file is; its name goes on with a digest."""
    return f"{name.rsplit('/', 1)[-1].partition('-')[0]}, file"


def _visible(found: Mapping[str, Any]) -> str:
    ms = found["ms"]
    shares = ", ".join(f"p{share * 100:g} {percentile(ms, share):.0f}" for share in (0.5, 0.9, 0.99))
    return (
        "### Publish to visible\n\n"
        f"{len(ms)} publications of {found['cells']:,} cells, from the commit until each of "
        f"{found['workers']} workers answered from it, ms: {shares}, worst {max(ms):.0f}."
    )


def _load(found: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {f['asked']:,} | {f['p50_ms']:.1f} | {f['p99_ms']:.1f} | {f['p999_ms']:.1f} "
        f"| {f['worst_ms']:.1f} | {f['hiccup_p99_ms']:.1f} | {f['wrong']} |"
        for name, f in (("alone", found["alone"]), ("beside batches", found["beside"]))
    ]
    head = "| single questions | asked | p50 ms | p99 ms | p99.9 ms | worst ms | idle timer, p99 ms | wrong |"
    return (
        "### Single questions beside full batches\n\n"
        f"{found['alone']['rate']:g} questions a second, each counted from when it was due, while "
        f"{found['clients']} clients send batches of {found['points']:,} points one after the other "
        f"({found['batches']} of them, {found['errors']} failed). Clients and service share the machine."
        f"\n\n{_table(head, rows)}"
    )
