"""Plans and assignments as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from gridsvc.cli.common import percent
from gridsvc.plans.plan import Plan

__all__ = ["assignment_lines", "plan_lines", "staff_lines"]

_WHOLE = 100.0  # amounts from which fractions say nothing to anybody
_ROUNDING = 1e-6


def plan_lines(report: dict[str, Any]) -> list[str]:
    """A plan's report as people read it."""
    overall, tolerance = report["overall"], report["parameters"]["tolerance"]
    carved = [grid for grid in report["grids"] if grid["carve_out"]]
    lines = [
        f"{len(report['grids']) - len(carved)} grids from {report['parameters']['cells']:,} cells"
        + (f", and {len(carved)} carved out ({sum(g['cells'] for g in carved)} cells)" if carved else "")
    ]
    for name, worst in overall["worst_deviation"].items():
        lines.append(
            f"  {name}: worst deviation {percent(worst)}, mean {percent(overall['mean_deviation'][name])} "
            f"({_asked(report['parameters'], name, tolerance[name])})"
        )
    lines.append(f"  within tolerance: {percent(overall['inside_share'])} of the grids")
    lines += [f"    {line}" for line in report.get("explanation", {}).get("lines", ())]
    lines += _further_lines(report)
    return lines + [_large_line(entry) for entry in report["oversize"] if not entry["carved_out"]]


def _asked(parameters: dict[str, Any], name: str, tolerance: float) -> str:
    """What was asked of a measure: limits, where there are any, stand for the tolerance."""
    told = parameters.get("measures", {}).get(name, {})
    least, most = told.get("min"), told.get("max")
    sides = [side for side in (most, told.get("capacity")) if side is not None]
    words = ([] if least is None else [f"at least {least:,.10g}"]) + (
        [f"at most {min(sides):,.10g}"] if sides else []
    )
    return f"{' and '.join(words)} a grid" if words else f"tolerance {percent(tolerance)}"


def _further_lines(report: dict[str, Any]) -> list[str]:
    """What only some plans have: the arithmetic of their number, expired locks, moves, a cut-short search."""
    parameters, lines = report["parameters"], []
    for name, part in ((parameters.get("arithmetic") or {}).get("by_capacity") or {}).items():
        lines.append(
            f"  {name}: {part['total']:,.10g} at {part['capacity']:,.10g} a grid needs {part['grids']} grids"
        )
    districts = (parameters.get("arithmetic") or {}).get("districts")
    nested = (parameters.get("arithmetic") or {}).get("nested")
    if nested:
        lines.append(f"  each district by itself, rounded up: {nested} grids")
    if districts:
        lines.append(f"  there are {districts} districts; as many grids or a few more are usual")
    lines += [
        f"  lock of row {lock['row']} (cell {lock['cell']}) ended {lock['until']}: ignored"
        for lock in (parameters.get("locks") or {}).get("expired", ())
    ]
    former = parameters.get("from")
    if former and (former["cells_gone"] or former["cells_new"]):
        lines.append(
            f"  old plan: {former['cells_gone']} of its cells are gone, {former['cells_new']} cells are new"
        )
    if former and "moved" in report:
        lines += _moved_lines(report, former)
    seeds = parameters.get("seeds") or []
    if seeds:
        taken = sum(seed["grid"] is not None for seed in seeds)
        lines.append(f"  {taken} of {len(seeds)} seeds have a grid built round them")
    for number, option in enumerate(report.get("frontier", ()), 1):
        lines.append(f"  plan {number}: {_option_line(option)}{' <' if option['chosen'] else ''}")
    return lines + (["  stopped by the time limit"] if report.get("truncated") else [])


def _moved_lines(report: dict[str, Any], former: dict[str, Any]) -> list[str]:
    """What a realignment moves, and what would do where it may not move enough."""
    moved, measure, enough = report["moved"], former["measure"], report.get("enough")
    shares = ", ".join(f"{name} {percent(share)}" for name, share in moved["by_measure"].items())
    lines = [
        f"  moved: {_amount(moved['moved'])} of at most {_amount(former['may_move'])} "
        f"{measure} (at least {_amount(report['lower_bound']['moved'])} must)",
        f"  moved of each measure: {shares}",
    ]
    if enough is None or report["overall"]["inside_share"] >= 1:
        return lines
    whole = sum(grid["totals"][measure] for grid in report["grids"] if not grid["carve_out"]) or 1.0
    share = ceil(1000 * enough / whole - _ROUNDING) / 1000  # less would not be enough
    return [*lines, f"  about {percent(share)} of {measure} moved would be enough for all grids"]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:,.4g}"


def _option_line(option: dict[str, Any]) -> str:
    if "moved" in option:
        what = f"moves {percent(option['moved_share'])} ({option['moved_cells']} cells)"
    else:
        what = f"compactness {option['compactness']:g}"
    worst = percent(max(option["worst_deviation"].values()))
    return f"{what}, worst deviation {worst}, shape {option['shape']:.3f}"


def _large_line(entry: dict[str, Any]) -> str:
    what = "one account" if entry["kind"] == "account" else "a cell"
    return (
        f"  too large: {what} ({entry['cell']}) has {percent(entry['share'])} of a grid's "
        f"{entry['measure']}; it can be carved out with --carve-out"
    )


def assignment_lines(plan: Plan, summary: dict[str, Any]) -> list[str]:
    """An assignment as people read it."""
    teams = {grid.team for grid in plan.grids}
    mean = summary["mean_distance_m"]
    lines = [
        f"{len(plan.grids)} grids to {len(teams)} teams"
        + ("" if mean is None else f", on average {mean / 1000:.1f} km from the team's base")
    ]
    lines += [f"  {text}" for text in summary["shortages"]]
    return lines + (["  stopped by the time limit"] if summary.get("truncated") else [])


def staff_lines(report: Mapping[str, Any] | None) -> list[str]:
    """People proposed for teams as people read it; nothing where none were asked for."""
    if report is None:
        return []
    first = f"{report['memberships']} memberships of {report['people']} people, {report['new']} of them new"
    return [first, *(f"  {text}" for text in report["shortages"])]
