"""Rows -> Markdown: ours against the bar, and a table a case with the peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.balance.catalogue import Case
from benchmarks.balance.runs import OURS, Row

__all__ = ["against_bar", "by_case", "deviation"]

_KINDS = {"public": "public", "unseen": "other seed or city", "own": "own"}
_MARK = {True: "yes", False: "**no**"}


def against_bar(rows: Sequence[Row]) -> str:
    """Our engine's row of each case, with the bar beside it."""
    lines = [
        "| case | | valid | worst deviation % | inside | shape | bar | wmoi | bar | s | bar | loading s "
        "| peak MB | meets the bar | best valid peer |",
        "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    return "\n".join(lines + [_bar_line(row, rows) for row in rows if row.method == OURS])


def _bar_line(row: Row, rows: Sequence[Row]) -> str:
    case, line, f = row.case, row.case.line, row.figures
    start = f"| {case.name} | {_KINDS[case.kind]} |"
    verdict = "no line" if line is None else ("yes" if not row.missed else f"**no**: {', '.join(row.missed)}")
    peer = _best_peer([r for r in rows if r.case is case and r.method in case.peers])
    if not row.ok:
        return f"{start} {f['status']} |" + " |" * 10 + f" {verdict} | {peer} |"
    limits = (None, None, None) if line is None else (line.shape, line.wmoi, line.seconds)
    shape, wmoi, seconds = ("" if limit is None else f"{limit:g}" for limit in limits)
    return (
        f"{start} {_MARK[f['valid']]} | {deviation(f)} | {_percent(f['in_tol'])} | {f['shape']:.3f} "
        f"| {shape} | {f['wmoi']:.4g} | {wmoi} | {f['seconds']:.2f} | {seconds} "
        f"| {f['import_s'] + f['load_s']:.1f} | {f['peak_mb']:.0f} | {verdict} | {peer} |"
    )


def _best_peer(rows: Sequence[Row]) -> str:
    """The valid plan with most grids inside, then the least deviation."""
    valid = [row for row in rows if row.ok and row.figures["valid"]]
    if not valid:
        return "none"
    best = min(valid, key=lambda row: (-row.figures["in_tol"], row.figures["dev_max"]))
    f = best.figures
    return (
        f"{best.method}: worst {100 * f['dev_max']:.1f} %, {_percent(f['in_tol'])} inside, "
        f"shape {f['shape']:.3f}, {f['seconds']:.1f} s"
    )


def by_case(rows: Sequence[Row]) -> str:
    """One table a case."""
    cases = list({id(row.case): row.case for row in rows}.values())
    return "\n\n".join(_case_table(case, [row for row in rows if row.case is case]) for case in cases)


def _case_table(case: Case, rows: Sequence[Row]) -> str:
    measures = " / ".join(name.removeprefix("dev_max_") for name in _measures(rows[0].figures))
    moved = any("moved" in row.figures for row in rows)
    extra, rule = (" moved |", "--:|") if moved else ("", "")
    n = next((f"{row.figures['n']:,} cells, " for row in rows if row.ok), "")
    return "\n".join(
        [
            f"#### {case.name}",
            "",
            f"{n}{_KINDS[case.kind]}.",
            "",
            f"| | s | valid | broken grids (stray cells) | worst deviation % ({measures}) | mean % | inside "
            f"| shape | wmoi | PP | cut % | peak MB |{extra}",
            f"|---|--:|---|--:|---|--:|--:|--:|--:|--:|--:|--:|{rule}",
            *(_method_line(row, moved=moved) for row in rows),
        ]
    )


def _method_line(row: Row, *, moved: bool) -> str:
    f = row.figures
    name = f"**{row.method}**" if row.method == OURS else row.method
    if not row.ok:
        return f"| {name} | | {f['status']} |" + " |" * (9 + moved)
    seconds = "" if f["seconds"] != f["seconds"] else f"{f['seconds']:.2f}"  # a plan nobody solved has nan
    peak = f"{f['peak_mb']:.0f}" if "peak_mb" in f else ""
    share = f" {_percent(f['moved'])} |" if moved else ""
    grids = "" if f["grids"] == f["k"] else f", {f['grids']} grids"
    return (
        f"| {name} | {seconds} | {_MARK[f['valid']]}{grids} | {f['broken_grids']} ({f['stray_cells']}) "
        f"| {deviation(f)} | {100 * f['dev_mean']:.2f} | {_percent(f['in_tol'])} | {f['shape']:.3f} "
        f"| {f['wmoi']:.4g} | {f['pp']:.3f} | {100 * f['cut']:.2f} | {peak} |{share}"
    )


def _measures(figures: Mapping[str, Any]) -> list[str]:
    return [name for name in figures if name.startswith("dev_max_")]


def deviation(figures: Mapping[str, Any]) -> str:
    """Worst deviation of each measure, per cent."""
    return " / ".join(f"{100 * figures[name]:.2f}" for name in _measures(figures))


def _percent(share: float) -> str:
    """Rounded so that 100 % means all of them."""
    return "100 %" if share >= 1 else f"{min(99.9, 100 * share):.1f} %"
