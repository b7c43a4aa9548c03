"""The plan in force, from which a realignment starts, laid over the cells there are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Grid, Plan
from gridsvc.tiling.table import read_table
from gridsvc.tiling.tiling import Tiling

__all__ = ["Old", "read_old"]


@dataclass(frozen=True, slots=True)
class Old:
    """A plan and what of it is no longer there.

    Attributes
    ----------
    plan : Plan
        -1 for cells which had no grid; a grid whose cells are all gone has none.
    gone : tuple of str
        Ids of its cells which are not among the cells now.
    """

    plan: Plan
    gone: Sequence[str] = ()


def read_old(path: Path, tiling: Tiling) -> Old:
    """Read ``cell,grid`` as `gridsvc balance` writes it.

    Grids come in the order of their codes; they have no names.

    Raises
    ------
    UnreadableFile, UnknownColumn, InvalidInput
        No such file or columns; a cell twice; no cell in common with the tiling.
    """
    table = read_table(path)
    table.require("cell", "grid")
    row_of = {name: row for row, name in enumerate(tiling.names())}
    codes = np.full(len(tiling), "", object)
    seen: dict[str, int] = {}
    gone: list[str] = []
    for row, (cell, grid) in enumerate(zip(table.text("cell"), table.text("grid"), strict=True)):
        if seen.setdefault(cell, row) != row:
            said = f"cell {cell} stands in row {seen[cell] + 1} already"
            raise table.fault(row, "cell", said, "keep each cell once")
        if cell in row_of:
            codes[row_of[cell]] = grid
        else:
            gone.append(cell)
    names = sorted({code for code in codes.tolist() if code})
    if not names:
        raise InvalidInput(
            "gives no grid to any of these cells", source=path.name, cure="give the plan of the same cells"
        )
    position = {name: at for at, name in enumerate(names)}
    labels = np.array([position.get(code, -1) for code in codes.tolist()], np.int32)
    return Old(Plan(labels, tuple(Grid(name, "") for name in names)), tuple(gone))
