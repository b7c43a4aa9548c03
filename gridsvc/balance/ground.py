"""Whether cells, their sizes and their adjacency are arrays that belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gridsvc.balance.problem import Problem
from gridsvc.errors import InvalidInput

__all__ = ["require_ground"]


def require_ground(problem: Problem) -> None:
    """Refuse sizes which are none and an adjacency which is no graph: the kernels trust both blindly.

    Raises
    ------
    InvalidInput
        A column of another length; a size or a border that is no number of 0 or more; an adjacency with
        cells there are not, with a cell beside itself, or told from one side only.
    """
    for field in ("x", "y", "area", "perimeter"):
        values = getattr(problem, field)
        if np.shape(values) != (problem.n,):
            said = f"{field} is given for {len(values)} of {problem.n} cells"
            raise InvalidInput(said, field=field, cure="give one number for each cell")
    for field, unit in (("area", "square metres"), ("perimeter", "metres")):
        _require_sizes(getattr(problem, field), field, f"give {unit} for each cell")
    _require_graph(problem)


def _require_sizes(values: NDArray[np.float64], field: str, cure: str) -> None:
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        said = f"{values[bad[0]]} is not a number of 0 or more"
        raise InvalidInput(said, row=int(bad[0]) + 1, field=field, cure=cure)


def _require_graph(problem: Problem) -> None:
    indptr, indices, n = problem.indptr, problem.indices, problem.n
    if len(indptr) != n + 1 or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise _no_graph("does not tell the neighbours of each cell", None)
    if np.shape(problem.border) != np.shape(indices):
        raise _no_graph("has another number of borders than of neighbours", None)
    tail = np.repeat(np.arange(n), np.diff(indptr))
    strange = np.flatnonzero((indices < 0) | (indices >= n))
    if len(strange):
        raise _no_graph(f"names cell {indices[strange[0]] + 1} of {n}", tail[strange[0]])
    own = np.flatnonzero(indices == tail)
    if len(own):
        raise _no_graph("has the cell beside itself", tail[own[0]])
    short = np.flatnonzero(~(np.isfinite(problem.border) & (problem.border >= 0)))
    if len(short):
        raise _no_graph(f"has a border of {problem.border[short[0]]} m", tail[short[0]])
    matrix = csr_matrix((np.ones(len(indices), np.int32), indices, indptr), shape=(n, n))
    one_sided = (matrix != matrix.T).tocoo()
    if one_sided.nnz:
        a, b = int(one_sided.row[0]) + 1, int(one_sided.col[0]) + 1
        raise _no_graph(f"joins rows {a} and {b} from one side only", a - 1)


def _no_graph(said: str, cell: Any) -> InvalidInput:
    row = None if cell is None else int(cell) + 1
    cure = "give each pair of neighbours twice, once from either side, with its border in metres"
    return InvalidInput(f"the adjacency {said}", row=row, field="adjacency", cure=cure)
