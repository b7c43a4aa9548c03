"""Drafts for callers who see parts of a territory: their cells, and the grids which lie on these alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, Forbidden
from gridsvc.ownership.part import grids_within
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.handing import NewGrid, Part
from gridsvc.services.opening import Opened
from gridsvc.services.subtrees import subtrees_of
from gridsvc.store.database import Reader

__all__ = ["OwnGround", "own_ground"]

_NAMED = 20


@dataclass(frozen=True, eq=False)
class OwnGround:
    """The cells of a draft which are the caller's: bool array, shape (n_cells,)."""

    cells: NDArray[np.bool_]

    def grids(self, opened: Opened) -> NDArray[np.bool_]:
        """Grids which have cells, and only such: bool array, shape (k,)."""
        return grids_within(Plan(opened.draft.labels, opened.grids), self.cells)

    def require(self, opened: Opened, parts: Sequence[Part]) -> None:
        """Make sure that cells are the caller's, and that they are handed to a grid of theirs or a new one.

        Raises
        ------
        Forbidden
            The cells or the grid are named. Whether they are somewhere else is not said.
        """
        rows = opened.cells.row_of
        cells = [cell for part in parts for cell in part.cells]
        beyond = [cell for cell in cells if (row := rows.get(cell, -1)) < 0 or not self.cells[row]]
        if beyond:
            named = ", ".join(cell[:80] for cell in beyond[:_NAMED])
            raise Forbidden(
                f"{len(beyond)} of the cells are not of your part: {named}",
                field="cells",
                cure="move cells of your part, and ask for others with a request",
            )
        own = {grid.code for grid, mine in zip(opened.grids, self.grids(opened), strict=True) if mine}
        for part in parts:
            if isinstance(part.to, str) and part.to not in own:
                raise Forbidden(
                    f"your part has no grid {part.to[:80]!r}", field="to", cure="name one of your grids"
                )
            if isinstance(part.to, NewGrid) and part.to.code is not None:
                raise Forbidden(
                    "codes are given out for the whole territory", field="to_new.code", cure="leave it out"
                )

    def told(self, opened: Opened, body: dict[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
        """What a move came to, without figures of the rest.

        Raises
        ------
        Conflict
            Meanwhile a grid which was to have the cells has got some elsewhere.
        """
        rows = [opened.cells.row_of[cell] for part in parts for cell in part.cells]
        got = np.unique(opened.draft.labels[rows])
        own = self.grids(opened)
        if not own[got[got >= 0]].all():
            raise Conflict("the grid has got cells outside your part", field="to", cure="look at it again")
        mine = {grid.code for grid, seen in zip(opened.grids, own.tolist(), strict=True) if seen}
        report = body["report"]
        grids = [entry for entry in report["grids"] if entry["code"] in mine]
        return {**body, "report": {"grids": grids, "emptied": report["emptied"], "overall": {}}}


def own_ground(reader: Reader, who: Principal, opened: Opened) -> OwnGround | None:
    """What of a draft the caller sees by the levels now in force; None means all."""
    head = opened.head
    seen = subtrees_of(reader, who, head.territory, reader.plans.bare(head.id).line, head.tiling)
    return None if seen is None else OwnGround(seen.cells(reader))
