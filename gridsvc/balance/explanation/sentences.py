"""What a proof says, in plain English; cells and grids are named by whoever knows their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.proof import Proof
from gridsvc.balance.problem import Problem

__all__ = ["RADIUS_CURE", "cure_of", "drifted", "percent", "relocated", "sentence_of", "worded"]

_NAMED = 5  # cells and grids in a line
_CAUSES = 8  # lines about causes


def percent(share: float) -> str:
    """A share as people read it, to a tenth of a per cent."""
    return f"{100 * share:,.1f} %"


def sentence_of(problem: Problem, proof: Proof, names: Sequence[str]) -> str:
    """One sentence: what makes the limits impossible, and how near a plan can come.

    Parameters
    ----------
    names : sequence of str
        The proof's measures.
    """
    nested = problem.parent is not None and not _torn(problem, proof)
    text = _SAID[proof.rule](proof.facts | {"nested": nested}, names)
    if proof.bound is None or _down(proof.bound) == 0:
        return text
    where = " or ".join(names)
    within = " within the radius" if proof.kind == "radius" else ""
    return (
        f"{text}; in every plan{within} {where} deviates somewhere by at least {percent(_down(proof.bound))}"
    )


def _down(share: float) -> float:
    return int(share * 1000 + 1e-6) / 1000  # a bound may not be rounded up


def _large(facts: dict[str, Any], names: Sequence[str]) -> str:
    return f"a single cell holds {percent(facts['share'])} of a grid's largest target of {names[0]}"


def _mixture(facts: dict[str, Any], names: Sequence[str]) -> str:
    return (
        f"one cell holds {percent(facts['rich'])} of a grid's target of {names[0]}: with what it can reach "
        f"inside that limit its grid gets at most {percent(facts['poor'])} of its target of {names[1]}"
    )


def _districts(facts: dict[str, Any]) -> tuple[str, str]:
    if facts["nested"]:
        return "a district which grids keep to", "the districts which grids keep to"
    return "a part without connection to the rest", "the parts without connection"


def _part(facts: dict[str, Any], names: Sequence[str]) -> str:
    return (
        f"{_districts(facts)[0]} ({facts['cells']:,.0f} cells) holds {facts['share']:.2f} "
        f"targets of {names[0]}, which no number of grids divides; {facts['grids']:.0f} come nearest"
    )


def _limit(facts: dict[str, Any], names: Sequence[str], side: str, word: str) -> str:
    return (
        f"the grids' {side} totals of {names[0]} sum to {facts['limit']:,.10g}, "
        f"{word} than the territory's {facts['total']:,.10g}"
    )


_SAID: dict[str, Callable[[dict[str, Any], Sequence[str]], str]] = {
    "large": _large,
    "stuck": lambda _, names: (
        f"a cell has too little {names[0]} for a grid by itself and too much with any of its neighbours"
    ),
    "few": lambda facts, names: (
        f"the cells are too coarse: some grid must hold cells with {percent(facts['share'])} of a grid's "
        f"largest target of {names[0]}"
    ),
    "crowd": lambda facts, names: (
        f"a few cells hold {percent(facts['share'])} of all {names[0]}, and leave too little to the grids "
        "without them"
    ),
    "mixture": _mixture,
    "highs": lambda facts, names: _limit(facts, names, "largest", "less"),
    "lows": lambda facts, names: _limit(facts, names, "smallest", "more"),
    "part": _part,
    "parts": lambda facts, names: f"{_districts(facts)[1]} cannot share the grids so that {names[0]} divides",
    "together": lambda facts, names: (
        f"{_districts(facts)[0]} needs one number of grids for one of {', '.join(names)} and another number "
        "for another"
    ),
    "locked": lambda facts, names: (
        f"what is locked in a grid holds {percent(facts['share'])} of its target of {names[0]}"
    ),
    "pocket": lambda facts, names: (
        f"locks and seeds leave cells which only one grid can take, and with them it holds "
        f"{percent(facts['share'])} of its target of {names[0]}"
    ),
    "fenced": lambda facts, names: (
        f"other grids' locks and seeds fence a grid in: all it can reach holds {percent(facts['share'])} of "
        f"its target of {names[0]}"
    ),
    "uncovered": lambda facts, _: (
        f"cells lie further from every seed than its radius, up to {facts['metres']:,.0f} m from the nearest"
    ),
    "small": lambda facts, names: (
        f"all cells within a seed's radius hold {percent(facts['share'])} of its grid's target of {names[0]}"
    ),
}


def cure_of(problem: Problem, proof: Proof) -> str:
    """What to do about it."""
    if proof.kind == "limits" and problem.low is None and problem.high is None:
        return "make the targets sum to the territory's total, or ask for another number of grids"
    if proof.kind == "component":
        cure = "ask for another number of grids"
        if problem.islands == "keep" and _torn(problem, proof):
            cure += " or attach islands"
        return f"{cure}, or take the part out of the balance"
    return _CURES[proof.rule if proof.rule in _CURES else proof.kind]


def _torn(problem: Problem, proof: Proof) -> bool:
    """Whether there is something in the part's parent for it to be attached to."""
    if problem.parent is None or not proof.cells.size:
        return bool(proof.cells.size)
    return bool(np.count_nonzero(problem.parent == problem.parent[proof.cells[0]]) > len(proof.cells))


RADIUS_CURE = "widen the radius, or add a seed"
_CURES = {
    "cell": "carve the cell out, or use a finer tiling there",
    "few": "use a finer tiling or ask for fewer grids",
    "stuck": "use a finer tiling there, or widen the tolerance",
    "crowd": "carve the cells out, or use a finer tiling there",
    "drift": "carve the cells out, or widen the tolerance of one of the measures",
    "highs": "raise the largest totals or ask for more grids",
    "lows": "lower the smallest totals or ask for fewer grids",
    "locked": "lift some of its locks, or raise the grid's target",
    "pocket": "lift a lock beside them so that another grid reaches them",
    "fenced": "lift locks round it, or lower the grid's target",
    "radius": RADIUS_CURE,
}


def drifted(entry: dict[str, Any]) -> str:
    """What a pair of measures which drift apart means, from its entry by `drift.drifts`."""
    a, b = entry["measures"]
    return (
        f"{a} and {b} drift apart: nine in ten compact grids with their target of {a} hold between "
        f"{percent(entry['low'])} and {percent(entry['high'])} of their target of {b}, so balance "
        "costs shape; this is the best plan found"
    )


def relocated(explanation: dict[str, Any], rows: NDArray[np.int64]) -> dict[str, Any]:
    """The same with other rows: ``rows[i]`` stands for row i, as after a carve-out."""

    def moved(entry: dict[str, Any]) -> dict[str, Any]:
        return {**entry, "cells": [int(rows[i]) for i in entry["cells"]]} if "cells" in entry else entry

    lists = {key: [moved(entry) for entry in explanation[key]] for key in ("causes", "relaxations")}
    return {**explanation, **lists}


def worded(
    explanation: dict[str, Any], cells: Sequence[str], grids: Sequence[str], parents: Sequence[str] = ()
) -> list[str]:
    """The causes and relaxations as lines for people, with the names of cells, grids and parents.

    What two causes say of the same cells, as of several measures, is told once; beyond eight causes only
    their number is told.

    Parameters
    ----------
    cells, grids, parents : sequences of str
        Name of each row, of each grid and, where grids are nested, of each parent.
    """
    causes = list({_blamed(cause): cause for cause in reversed(explanation["causes"])}.values())[::-1]
    lines = [_cause_line(cause, cells, grids, parents) for cause in causes[:_CAUSES]]
    if len(causes) > _CAUSES:
        lines.append(f"and {len(causes) - _CAUSES} more causes, which the report lists")
    for entry in explanation["relaxations"]:
        certain = "works" if entry["proved"] else "may work"
        lines.append(f"{certain}: {entry['message']}{_places(entry, cells, 'cell')}")
    return lines


def _blamed(cause: dict[str, Any]) -> tuple[object, ...]:
    if cause["cells"]:
        return cause["kind"], *sorted(cause["cells"])
    return cause["kind"], cause["message"]


def _cause_line(
    cause: dict[str, Any], cells: Sequence[str], grids: Sequence[str], parents: Sequence[str]
) -> str:
    places = _places(cause, cells, "cell") + _places(cause, grids, "grid")
    if parents:
        places = _places(cause, parents, "parent").replace("[parent ", "[district ") + places
    proof = "" if cause["proved"] else " (not proved)"
    return f"{cause['kind']}: {cause['message']}{proof}{places}; {cause['cure']}"


def _places(entry: dict[str, Any], names: Sequence[str], what: str) -> str:
    rows = entry.get(f"{what}s", [])
    if not rows:
        return ""
    more = ", ..." if len(rows) > _NAMED else ""
    return f" [{what} {', '.join(names[i] for i in rows[:_NAMED])}{more}]"
