"""The report on a plan: the engine's figures by grid code, with every option it was made by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.explain import worded
from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Plan
from gridsvc.services.request import SolveRequest
from gridsvc.services.wishes import Wish

__all__ = ["by_code", "in_words_of", "parameters_of"]

_ROWS = re.compile(r"\brow (\d+)|\brows (\d+(?:(?:, | and )\d+)*)")
_GRIDS = re.compile(r"\b(grids?|grid\(s\)) (\d+(?:(?:, | and )\d+)*)\b(?! asked)")
_PARENTS = re.compile(r"\bparent (\d+)\b")
_NOT_CELLS = {"seeds", "radius", "targets", "low", "high"}  # whose rows are seeds or grids


def by_code(
    report: dict[str, Any],
    labels: NDArray[np.int32],
    plan: Plan,
    names: Sequence[str],
    districts: Sequence[str] = (),
) -> dict[str, Any]:
    """The engine's report with its grids in the plan's order and by code, and cells by their ids.

    Parameters
    ----------
    labels : int32 array, shape (n_cells,)
        The engine's grid of each cell.
    names : sequence of str, n_cells
        The cells' ids.
    districts : sequence of str
        Names of the parents, where grids are nested.
    """
    first = np.unique(plan.labels, return_index=True)[1]
    numbers = [int(labels[cell]) for cell in first]
    codes = {number: grid.code for number, grid in zip(numbers, plan.grids, strict=True)}
    entries = {entry["grid"]: entry for entry in [*report["grids"], *report["carve_outs"]]}
    found = [
        {"code": grid.code, "name": grid.name, "carve_out": grid.carve_out, **_coded(entries[number], codes)}
        for grid, number in zip(plan.grids, numbers, strict=True)
    ]
    kept = {name: value for name, value in report.items() if name not in {"grids", "carve_outs"}}
    return {**kept, "explanation": _explained(report["explanation"], names, codes, districts), "grids": found}


def _coded(entry: dict[str, Any], codes: Mapping[int, str]) -> dict[str, Any]:
    told = {name: value for name, value in entry.items() if name != "grid"}
    if told.get("binding") is not None:
        told["binding"] = {**told["binding"], "grid": codes[told["binding"]["grid"]]}
    return told


def _explained(
    explanation: dict[str, Any], names: Sequence[str], codes: Mapping[int, str], districts: Sequence[str]
) -> dict[str, Any]:
    """The explanation with codes and ids for numbers, and as ``lines`` for people."""
    ways: dict[str, Callable[[int], str]] = {
        "cells": names.__getitem__,
        "grids": codes.__getitem__,
        "parents": districts.__getitem__,
    }

    def named(entry: dict[str, Any]) -> dict[str, Any]:
        return {**entry, **{what: list(map(way, entry[what])) for what, way in ways.items() if what in entry}}

    lines = worded(explanation, names, [codes[g] for g in range(len(codes))], districts)
    lists = {part: [named(entry) for entry in explanation[part]] for part in ("causes", "relaxations")}
    return {**explanation, **lists, "lines": lines}


def parameters_of(request: SolveRequest, wish: Wish, names: list[str], codes: list[str]) -> dict[str, Any]:
    """Every option of a request, JSON-ready.

    Parameters
    ----------
    names : list of str, n_cells
        The cells' ids.
    codes : list of str
        Grid codes in label order.
    """
    return {
        "objective": request.objective,
        "compactness": request.compactness,
        "sweeps": request.sweeps,
        "time_limit": request.time_limit,
        "measures": {name: _measure(request, name, tolerance) for name, tolerance in request.balanced},
        "nest_in": request.nest_in,
        "carve_out": request.carve_out if request.carve_out == "large" else list(request.carve_out),
        "barriers": request.barriers is not None,
        "targets": "even" if request.targets is None else "given",
        "seed_pull": request.seed_pull,
        "seeds": [
            seed.told(names[seed.cell], None if grid is None else codes[grid]) for seed, grid in wish.seeds
        ],
        "from": _former(request, wish),
        **wish.told,
    }


def _measure(request: SolveRequest, name: str, tolerance: float) -> dict[str, Any]:
    least, most = request.limits.get(name, (None, None))
    return {
        "tolerance": tolerance,
        "weight": request.importance.get(name, 1.0),
        "min": least,
        "max": most,
        "capacity": request.capacity.get(name),
    }


def _former(request: SolveRequest, wish: Wish) -> dict[str, Any] | None:
    former, past = request.former, wish.problem.past
    if former is None or past is None:
        return None
    new = (former.old.plan.labels < 0) & ~wish.carved
    return {
        "grids": len(former.old.plan.grids),
        "cells_gone": len(former.old.gone),
        "cells_new": int(np.count_nonzero(new)),
        "max_disruption": former.most,
        "measure": wish.problem.measures[0],
        "may_move": past.most,
        "move_cost": former.cost,
    }


def in_words_of(
    error: InvalidInput, cells: Sequence[str], codes: Sequence[str], districts: Sequence[str]
) -> InvalidInput:
    """An error of the engine, which counts cells, grids and parents, with their names.

    Parameters
    ----------
    cells : sequence of str
        Ids of the cells the engine was given, in its order.
    codes : sequence of str
        Codes of the first grids, as far as they have any.
    districts : sequence of str
        Names of the parents.
    """

    def cell(found: re.Match[str]) -> str:
        named = re.sub(r"\d+", lambda number: _at(cells, int(number[0])), found[1] or found[2])
        return f"cell{'s' if found[2] else ''} {named}"

    def grid(found: re.Match[str]) -> str:
        return f"{found[1]} {re.sub(r'[0-9]+', lambda number: _at(codes, int(number[0])), found[2])}"

    text = _ROWS.sub(cell, error.message)
    text = _GRIDS.sub(grid, text)
    text = _PARENTS.sub(lambda found: f"district {_at(districts, int(found[1]) + 1)}", text)
    text = re.sub(r"\bparents\b", "districts", text)
    about_cells = error.row is not None and error.row <= len(cells) and error.field not in _NOT_CELLS
    if about_cells and text == error.message:
        text = f"{text} (cell {cells[(error.row or 1) - 1]})"
    field = "limit" if error.field in {"low", "high"} else error.field
    return type(error)(text, source=error.source, field=field, cure=error.cure)


def _at(names: Sequence[str], number: int) -> str:
    """The name of a thing counted from 1; its number where it has none."""
    return names[number - 1] if 0 < number <= len(names) else str(number)
