"""Plans made with files, brought into the database and published."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.score import Score
from gridsvc.errors import InvalidInput, UnreadableFile
from gridsvc.plans.plan import Grid, Plan

__all__ = ["Balanced", "plan_from_labels", "read_report", "with_owners"]


def plan_from_labels(codes: NDArray[np.object_], carved: Collection[str] = ()) -> Plan:
    """A plan from the grid code of each cell: object array of str, shape (n_cells,).

    Parameters
    ----------
    carved : collection of str
        Codes of the grids that were taken out of the balance.

    Raises
    ------
    InvalidInput
        A carve-out is not among the grids.
    """
    names, labels = np.unique(codes.astype(str), return_inverse=True)
    strange = sorted(set(carved) - set(names.tolist()))
    if strange:
        raise InvalidInput(
            f"the carve-out {strange[0]!r} is not among the grids",
            field="report",
            cure="give the report which was written together with these grids",
        )
    grids = tuple(Grid(str(code), f"Grid {code}", carve_out=str(code) in carved) for code in names)
    return Plan(labels.astype(np.int32), grids)


@dataclass(frozen=True, slots=True)
class Balanced:
    """What the report of `gridsvc balance` says.

    Attributes
    ----------
    measures : tuple of (str, float)
        With their tolerances.
    carved : frozenset of str
        Codes of the carve-outs.
    scores : tuple of Score
        How those of the measures were made which are no columns of the cells.
    targets : mapping of grid code to mapping of measure to float
    """

    measures: tuple[tuple[str, float], ...] = ()
    carved: frozenset[str] = frozenset()
    scores: tuple[Score, ...] = ()
    targets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise UnreadableFile("cannot be opened", source=path.name, cure="check the name and place") from None


def read_report(path: Path) -> Balanced:
    """Read a report written by `gridsvc balance --report`.

    Raises
    ------
    UnreadableFile
        It is none.
    """
    block = _bytes(path)
    try:
        report = json.loads(block)
        tolerance = {str(name): float(value) for name, value in report["parameters"]["tolerance"].items()}
        carved = frozenset(str(grid["code"]) for grid in report["grids"] if grid["carve_out"])
        targets = {str(grid["code"]): grid["targets"] for grid in report["grids"] if "targets" in grid}
        scores = tuple(
            Score(str(name), tuple((str(column), float(part["weight"])) for column, part in parts.items()))
            for name, parts in report["parameters"].get("score", {}).items()
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnreadableFile(
            "is not a report of gridsvc balance", source=path.name, cure="give the file written by --report"
        ) from None
    return Balanced(tuple(tolerance.items()), carved, scores, targets)


def with_owners(plan: Plan, owners: Mapping[str, str], source: str) -> Plan:
    """The plan with a team for each grid, by code.

    Raises
    ------
    InvalidInput
        A grid has no owner.
    """
    for grid in plan.grids:
        if grid.code not in owners:
            raise InvalidInput(f"grid {grid.code!r} has no owner", source=source, cure="give each grid a row")
    return replace(plan, grids=tuple(replace(grid, team=owners[grid.code]) for grid in plan.grids))
