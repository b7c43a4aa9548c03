"""Codes of areas larger than a cell (townships over an H3 tiling) -> the cell their rows are put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.tiling.tiling import Tiling

__all__ = ["AreaIndex", "most_frequent"]


@dataclass(frozen=True, slots=True, eq=False)
class AreaIndex:
    """Which cells an area code stands for.

    A row which has only an area code goes to the area's cell which holds most of the rows placed by
    coordinates under the same code, else to the area's home cell. That is an approximation: it keeps the
    row in its area, and the row stays on the to-do list.

    Attributes
    ----------
    codes : tuple of str
    label : int32 array, shape (n_cells,)
        Position in `codes` of the area which holds the cell's centre; -1 for none.
    home : int32 array, shape (n_areas,)
        Row of the cell nearest to the area's centre; -1 for a code without a place.
    polygons : object array of WGS-84 polygons, shape (n_areas,), or None
        Where the areas are exactly; None where they are known by the cells only.
    """

    codes: tuple[str, ...]
    label: NDArray[np.int32]
    home: NDArray[np.int32]
    polygons: NDArray[np.object_] | None = None

    @classmethod
    def from_labels(cls, tiling: Tiling, labels: Sequence[str] | NDArray[np.object_]) -> AreaIndex:
        """Areas as a code for each cell, shape (n_cells,), ``""`` for none (a column of the tiling).

        The centre of an area is the mean of its cells, weighted by their area.
        """
        codes, label = np.unique(np.asarray(labels, object).astype(str), return_inverse=True)
        weight = np.bincount(label, tiling.area)
        x = np.bincount(label, tiling.area * tiling.x) / weight
        y = np.bincount(label, tiling.area * tiling.y) / weight
        square = (tiling.x - x[label]) ** 2 + (tiling.y - y[label]) ** 2
        order = np.lexsort((square, label))
        home = order[np.searchsorted(label[order], np.arange(len(codes)))]
        index = cls(tuple(codes.tolist()), label.astype(np.int32), home.astype(np.int32))
        return index._without_blank()

    @classmethod
    def from_polygons(cls, tiling: Tiling, codes: Sequence[str], polygons: NDArray[np.object_]) -> AreaIndex:
        """Areas as WGS-84 polygons, object array of shape (n_areas,), with a code each.

        The home of an area is the cell which covers, or is nearest to, a point well inside it.

        Raises
        ------
        InvalidInput
            A code occurs twice.
        """
        seen = [str(code) for code in codes]
        if len(set(seen)) < len(seen):
            twice = next(row for row, code in enumerate(seen) if code in seen[:row])
            raise InvalidInput(
                "repeats an area code", row=twice + 1, cure="merge the areas or correct the code"
            )
        centres = shapely.centroid(tiling.geometry)
        cell, area = shapely.STRtree(polygons).query(centres, predicate="within")
        label = np.full(len(tiling), -1, np.int32)
        label[cell[::-1]] = area[::-1]
        home = shapely.STRtree(tiling.geometry).nearest(shapely.point_on_surface(polygons))
        return cls(tuple(seen), label, home.astype(np.int32), np.asarray(polygons, object))

    def holds(
        self, codes: NDArray[np.object_], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> NDArray[np.int8]:
        """Whether each point lies in, or on the border of, the area its code names.

        Parameters
        ----------
        codes : object array of str, shape (m,)
        lon, lat : float64 arrays, shape (m,), WGS-84 degrees

        Returns
        -------
        int8 array, shape (m,)
            1 it does, 0 it does not; -1 where the code names no area, or the areas have no outlines.
        """
        import pandas as pd

        held = np.full(len(codes), -1, np.int8)
        if self.polygons is None:
            return held
        area = pd.Index(self.codes, dtype=object).get_indexer(pd.Index(codes, dtype=object))
        order = np.argsort(area, kind="stable")
        starts = np.searchsorted(area[order], np.arange(len(self.codes) + 1))
        for number in np.unique(area[area >= 0]).tolist():  # each outline is prepared once
            rows = order[starts[number] : starts[number + 1]]
            shapely.prepare(self.polygons[number])
            held[rows] = shapely.intersects_xy(self.polygons[number], lon[rows], lat[rows])
        return held

    def _without_blank(self) -> AreaIndex:
        if "" not in self.codes:
            return self
        blank = self.codes.index("")
        home = self.home.copy()
        home[blank] = -1
        return AreaIndex(self.codes, np.where(self.label == blank, -1, self.label).astype(np.int32), home)

    def cells_for(
        self, wanted: NDArray[np.object_], codes: NDArray[np.object_], cells: NDArray[np.integer]
    ) -> NDArray[np.int32]:
        """Cell of each wanted code; -1 where the code names no area.

        Parameters
        ----------
        wanted : object array of str, shape (m,)
        codes : object array of str, shape (n,)
            Codes of all rows of the file.
        cells : int array, shape (n,)
            Where coordinates placed them; -1 elsewhere.
        """
        import pandas as pd

        names = pd.Index(self.codes, dtype=object)
        area = names.get_indexer(pd.Index(codes, dtype=object))
        counts = (area >= 0) & (cells >= 0)
        counts[counts] = self.label[cells[counts]] == area[counts]
        fullest = most_frequent(area[counts], cells[counts], len(self.codes))
        target = np.append(np.where(fullest >= 0, fullest, self.home), -1)  # -1 picks the last: no area
        return target[names.get_indexer(pd.Index(wanted, dtype=object))].astype(np.int32)


def most_frequent(group: NDArray[np.integer], cell: NDArray[np.integer], n_groups: int) -> NDArray[np.int32]:
    """The cell which occurs most often in each group; the lowest on a tie, -1 in an empty group.

    Parameters
    ----------
    group, cell : int arrays, shape (n,), not negative
    n_groups : int

    Returns
    -------
    int32 array, shape (n_groups,)
    """
    out = np.full(n_groups, -1, np.int32)
    if len(group) == 0:
        return out
    width = int(cell.max()) + 1
    pair, count = np.unique(group.astype(np.int64) * width + cell, return_counts=True)
    order = np.lexsort((-pair, count))  # the winner of each group is written last
    out[pair[order] // width] = pair[order] % width
    return out
