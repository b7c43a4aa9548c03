"""Answers for many points at once, as coded columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.publication import Overlay, rule_of
from gridsvc.plans.plan import Grid

__all__ = ["BatchAnswer", "CellNames", "Owners"]

Words = tuple[str | None, ...]


class CellNames(Protocol):
    """Where cells' ids are looked up by row; see `gridsvc.tiling.places.Places`."""

    kind: str

    def __len__(self) -> int: ...

    def names(self, rows: NDArray[Any], /) -> NDArray[np.object_]:
        """Ids as text, None where a row is -1."""

    def hex_bytes(self, rows: NDArray[Any], /) -> NDArray[np.uint8]:
        """Ids of H3 cells as text, shape (n, 15)."""


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """What each owner's code stands for: grids, then overlays, then fallback, outside and invalid.

    Made once for a publication with a roster.

    Attributes
    ----------
    status, grid, team, rule : tuples of str or None, shape (n_codes,)
    """

    status: tuple[str, ...]
    grid: Words
    team: Words
    rule: Words

    @classmethod
    def of(cls, grids: Sequence[Grid], overlays: Sequence[Overlay], fallback: str | None) -> Owners:
        """The owners of a publication.

        Parameters
        ----------
        fallback : str or None
            Team which owns what no grid has, and overlays without a team.
        """
        codes = [*(grid.code for grid in grids), *(overlay.code for overlay in overlays)]
        return cls(
            (*("owned" for _ in codes), "fallback", "outside", "invalid"),
            (*codes, None, None, None),
            (
                *(g.team for g in grids),
                *(fallback if o.team is None else o.team for o in overlays),
                fallback,
                None,
                None,
            ),
            (*map(rule_of, grids), *("carve_out" for _ in overlays), "fallback", None, None),
        )

    def __len__(self) -> int:
        return len(self.status)


@dataclass(frozen=True, slots=True, eq=False)
class BatchAnswer:
    """Answers for many points.

    Attributes
    ----------
    places : CellNames
    rows : integer array, shape (n,)
        Row of each point's cell; -1 where it has none.
    owner : integer array, shape (n,)
        Each point's owner, as a position in `owners`.
    owners : Owners
    """

    places: CellNames
    rows: NDArray[Any]
    owner: NDArray[Any]
    owners: Owners

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def status(self) -> NDArray[np.object_]:
        """Status of each point: object array of str, shape (n,)."""
        return self._words(self.owners.status)

    @property
    def cell(self) -> NDArray[np.object_]:
        """Id of each point's cell: object array of str or None, shape (n,)."""
        return self.places.names(self.rows)

    @property
    def grid(self) -> NDArray[np.object_]:
        """Code of each point's grid or carve-out: object array of str or None, shape (n,)."""
        return self._words(self.owners.grid)

    @property
    def team(self) -> NDArray[np.object_]:
        """Id of each point's team: object array of str or None, shape (n,)."""
        return self._words(self.owners.team)

    @property
    def rule(self) -> NDArray[np.object_]:
        """Rule by which each point is owned: object array of str or None, shape (n,)."""
        return self._words(self.owners.rule)

    def _words(self, table: Words) -> NDArray[np.object_]:
        words: NDArray[np.object_] = np.array(table, dtype=object)[self.owner]
        return words
