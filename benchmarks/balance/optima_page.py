"""Ours beside published optima: run the states, judge them by the bar, write the table."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.balance.bar import CUT_WORST, INERTIA_MEDIAN, INERTIA_WORST, SMALL_K
from benchmarks.balance.optima import CUT, INERTIA, Optimum, State, published, states
from benchmarks.balance.runs import child

__all__ = ["Result", "run", "score", "text", "verdicts"]

_TITLES = {INERTIA: "Inertia (1e6 person km²)", CUT: "Cut edges"}


@dataclass(frozen=True, slots=True)
class Result:
    """Our plan of one state beside the published one.

    Attributes
    ----------
    known : Optimum
    status : str
        ``ok``, or why there is no plan.
    ours, seconds : float
    faults : tuple of str
        Empty where the plan is valid.
    """

    known: Optimum
    status: str
    ours: float = np.nan
    seconds: float = np.nan
    faults: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether there is a plan within all limits."""
        return self.status == "ok" and not self.faults

    @property
    def ratio(self) -> float:
        """Ours over the best published; infinite without a valid plan."""
        return self.ours / self.known.value if self.valid else np.inf


def run(work: Path, only: Sequence[str] | None = None, say: Callable[[str], None] = print) -> list[Result]:
    """Solve all states, or some, each in a new process."""
    graphs, results = states(), []
    for known in published(only):
        file = work / f"{known.instance}-{known.objective}.txt"
        arguments = [known.instance, known.objective, str(file)]
        figures = child(sys.executable, "benchmarks.balance.optima_run", arguments, None)
        results.append(score(graphs[known.instance], known, file, figures))
        say(f"{known.instance} {known.objective}: {results[-1].ratio:.4f} in {results[-1].seconds:.1f} s")
    return results


def score(state: State, known: Optimum, file: Path, figures: dict[str, Any]) -> Result:
    """Judge the labels in a file."""
    if figures["status"] != "ok":
        return Result(known, figures["status"])
    labels = np.loadtxt(file, dtype=np.int64, ndmin=1)
    ours = state.inertia(labels) if known.objective == INERTIA else float(state.cut_edges(labels))
    faults = state.faults(labels, known.k, known.low, known.high)
    return Result(known, "ok", ours, figures["seconds"], tuple(faults))


def verdicts(results: Sequence[Result]) -> dict[str, list[str]]:
    """What of the bar is missed, by objective; empty lists where all of it is met."""
    missed: dict[str, list[str]] = {}
    for objective in _TITLES:
        some = [r for r in results if r.known.objective == objective]
        if not some:
            continue
        ratios = [r.ratio for r in some]
        limits = [("worst ratio", max(ratios), INERTIA_WORST if objective == INERTIA else CUT_WORST)]
        if objective == INERTIA:
            limits.append(("median ratio", statistics.median(ratios), INERTIA_MEDIAN))
        else:
            limits += [
                (f"{r.known.instance} over GerryChain's", r.ours / r.known.gerrychain, 1.0)
                for r in some
                if r.valid and r.known.gerrychain
            ]
        limits.append(("seconds", max(r.seconds for r in some), SMALL_K))
        missed[objective] = [
            f"{name} {value:.4g} > {limit:g}" for name, value, limit in limits if value > limit
        ]
    return missed


def text(results: Sequence[Result]) -> str:
    """Both tables, each with median, worst and what of the bar is missed."""
    missed = verdicts(results)
    parts = []
    for objective, complaints in missed.items():
        some = [r for r in results if r.known.objective == objective]
        ratios = [r.ratio for r in some]
        parts += [
            f"### {_TITLES[objective]}",
            "",
            "| state | cells | grids | best published | proven bound | GerryChain 10,000 steps | gridsvc "
            "| ratio | s | valid |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
            *(_line(r) for r in some),
            "",
            f"Median ratio {statistics.median(ratios):.4f}, worst {max(ratios):.4f}. "
            + (f"**Misses the bar**: {', '.join(complaints)}." if complaints else "Meets the bar."),
            "",
        ]
    return "\n".join(parts).strip()


def _line(result: Result) -> str:
    known = result.known
    best, bound = (_number(v, known.objective) for v in (known.value, known.bound))
    chain = "" if known.gerrychain is None else _number(known.gerrychain, known.objective)
    start = f"| {known.instance} | {known.n} | {known.k} | {best} | {bound} | {chain} |"
    if result.status != "ok":
        return f"{start} | | | {result.status} |"
    valid = "yes" if result.valid else f"**no**: {', '.join(result.faults)}"
    ours = _number(result.ours, known.objective)
    return f"{start} {ours} | {result.ours / known.value:.4f} | {result.seconds:.2f} | {valid} |"


def _number(value: float, objective: str) -> str:
    return f"{value:.0f}" if objective == CUT else f"{value:,.2f}"
