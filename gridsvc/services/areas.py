"""Which cells: districts to nest in and cells to carve out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.services.request import SolveRequest
from gridsvc.tiling.tiling import Tiling

__all__ = ["cells_listed", "parents_of"]


def parents_of(tiling: Tiling, column: str | None) -> tuple[NDArray[np.int32] | None, list[str] | None]:
    """Position of each cell's district among the districts' names, and the names.

    Raises
    ------
    InvalidInput
        There is no such column, or it is empty for a cell.
    """
    if column is None:
        return None, None
    if column not in tiling.columns:
        raise InvalidInput(
            f"no column {column!r} to nest in",
            field="nest-in",
            cure=f"there are {', '.join(tiling.columns) or 'none'}",
        )
    texts = [_text(value) for value in tiling.columns[column].tolist()]
    if "" in texts:
        cell = tiling.names()[texts.index("")]
        raise InvalidInput(f"cell {cell} has no {column}", field="nest-in", cure="fill the column in")
    names, parent = np.unique(np.array(texts, dtype=str), return_inverse=True)
    return parent.astype(np.int32), [str(name) for name in names]


def _text(value: object) -> str:
    """A code as people write it: 110101, not 110101.0; empty where it is missing."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.15g}"
    return str(value)


def cells_listed(tiling: Tiling, request: SolveRequest) -> NDArray[np.bool_]:
    """The cells the request carves out by name: bool array, shape (n_cells,).

    Raises
    ------
    InvalidInput
        There is no such cell.
    """
    carved = np.zeros(len(tiling), bool)
    if not request.carve_out or request.carve_out == "large":
        return carved
    rows = {name: row for row, name in enumerate(tiling.names())}
    for position, cell in enumerate(request.carve_out, 1):
        if cell not in rows:
            raise InvalidInput(
                f"no cell {cell!r} to carve out",
                field="carve-out",
                row=position,
                cure="name cells of this tiling",
            )
        carved[rows[cell]] = True
    return carved
