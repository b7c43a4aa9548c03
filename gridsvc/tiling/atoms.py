"""Unsplittable polygons (estates, campuses, scenic areas) as cells of their own in any tiling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidGeometry, InvalidInput
from gridsvc.progress import Progress, silent
from gridsvc.tiling.borders import shared_borders
from gridsvc.tiling.cover import MAX_CELLS
from gridsvc.tiling.hexes import is_h3
from gridsvc.tiling.overlay import Overlaid, overlay
from gridsvc.tiling.plane import flatten
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["with_atoms"]

_SHARE, _MOST, _LEAST = 0.01, 100.0, 1.0  # of a cell's area; square metres
_NOISE = 1.0  # square metres which polygons may share: rounding of corners
_LISTED = 20

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]


def with_atoms(
    tiling: Tiling, layer: PolygonLayer, *, tolerance_m: float = 0.5, progress: Progress = silent
) -> tuple[Tiling, dict[str, Any]]:
    """Lay unsplittable polygons over a tiling: each becomes a cell, and other cells keep what it leaves them.

    A cell keeps its id and stays one cell, in several parts if need be. Of which nothing is left, or no more
    than 1 % and 100 m2, is dropped; its sliver goes to the polygon with the longest border. An H3 tiling
    becomes one of kind ``mixed``: its ids are text.

    Parameters
    ----------
    tiling : Tiling
        Without atoms; barriers are cut afterwards.
    layer : PolygonLayer
        Those which do not meet a cell are left out.
    tolerance_m : float, metres
        As for `gridsvc.tiling.polytiles.tile_polygons`.

    Returns
    -------
    (tiling, report) : Tiling and dict
        ``atoms``, ``left_out`` (ids), ``cut`` (cells which lost ground), ``dropped`` {count, ids (20)},
        ``slivers_m2`` (given to atoms).

    Raises
    ------
    InvalidInput
        An id is that of a cell, or an H3 index; or there are too many cells.
    InvalidGeometry
        Two of the polygons share more than 1 m2.
    """
    plane = LocalPlane(*tiling.origin)
    names = np.array(tiling.names(), object)
    _require_own_ids(layer, names)
    _require_apart(layer, plane)
    progress(0.1, f"laying {len(layer.ids):,} polygons over {len(tiling):,} cells")
    use = _meeting(tiling.geometry, layer.geometry)
    atoms = layer.geometry[use]
    sliver = np.clip(_SHARE * tiling.area, _LEAST, _MOST)
    found = overlay(tiling.geometry, atoms, plane, sliver)
    progress(0.7, "finding their neighbours")
    kept = np.flatnonzero(~shapely.is_missing(found.cells))
    if len(kept) + len(use) > MAX_CELLS:
        raise InvalidInput(
            f"{len(kept) + len(use):,} cells", source=layer.source, cure=f"give at most {MAX_CELLS:,}"
        )
    made = _Mix(tiling, layer, names, found, kept, use).tiling(plane, tolerance_m)
    progress(1.0, "done")
    return made, _report(found, names, layer, use, plane)


class _Mix:
    """Cells and atoms as rows of one tiling, in order of their ids."""

    def __init__(
        self,
        tiling: Tiling,
        layer: PolygonLayer,
        names: NDArray[np.object_],
        found: Overlaid,
        kept: Ints,
        use: Ints,
    ) -> None:
        self._tiling, self._layer, self._found, self._kept, self._use = tiling, layer, found, kept, use
        both = [*names[kept].tolist(), *layer.ids[use].tolist()]
        self._order = np.array(sorted(range(len(both)), key=both.__getitem__), np.int64)
        self._ids = np.array(both, object)[self._order]
        self._atoms = self._order >= len(kept)

    def tiling(self, plane: LocalPlane, tolerance_m: float) -> Tiling:
        """All of it, measured in the plane."""
        old, found, kept = self._tiling, self._found, self._kept
        geometry = self._rows(found.cells[kept], found.atoms)
        fresh = self._rows(np.isin(kept, found.near), np.ones(len(self._use), bool))
        flat = flatten(plane, geometry[fresh])
        area, perimeter, x, y = (
            self._rows(values[kept], np.zeros(len(self._use)))
            for values in (old.area, old.perimeter, old.x, old.y)
        )
        area[fresh], perimeter[fresh] = shapely.area(flat), shapely.length(flat)
        lost = np.flatnonzero(fresh)[~shapely.intersects(flat, shapely.points(x[fresh], y[fresh]))]
        lost = np.union1d(lost, np.flatnonzero(self._atoms))
        middle = shapely.get_coordinates(shapely.point_on_surface(geometry[lost]))
        x[lost], y[lost] = plane.project(*middle.T)
        return replace(
            old,
            kind="mixed" if old.kind == "h3" else old.kind,
            ids=self._ids,
            geometry=geometry,
            x=x,
            y=y,
            area=area,
            perimeter=perimeter,
            adjacency=self._adjacency(plane, geometry, fresh, tolerance_m),
            columns=self._columns(),
            atoms=self._atoms,
        )

    def _rows(self, cells: NDArray[Any], atoms: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([cells, atoms])[self._order]

    def _adjacency(
        self, plane: LocalPlane, geometry: NDArray[np.object_], fresh: NDArray[np.bool_], tolerance_m: float
    ) -> Adjacency:
        """Pairs of which neither was near an atom as they were, the others by their shared borders."""
        row_of = np.full(len(self._tiling), -1, np.int64)
        row_of[self._kept] = np.argsort(self._order)[: len(self._kept)]
        a, b, length = self._tiling.adjacency.pairs()
        left, right = row_of[a], row_of[b]
        same = (left >= 0) & (right >= 0)
        same[same] &= ~(fresh[left[same]] & fresh[right[same]])
        rows = np.flatnonzero(fresh)
        tolerance = 0.0 if self._tiling.kind == "h3" else tolerance_m
        c, d, border = shared_borders(geometry[rows], plane.geometry(geometry[rows]), tolerance)
        return Adjacency.from_pairs(
            len(geometry),
            np.concatenate([left[same], rows[c]]),
            np.concatenate([right[same], rows[d]]),
            np.concatenate([length[same], border]),
        )

    def _columns(self) -> Columns:
        """Columns of both layers; where one has none, numbers are 0 and text is empty."""
        cells = {name: values[self._kept] for name, values in self._tiling.columns.items()}
        atoms = {name: values[self._use] for name, values in self._layer.columns.items()}
        out = {}
        for name in dict.fromkeys([*cells, *atoms]):
            one = cells.get(name, _blank(atoms.get(name), len(self._kept)))
            other = atoms.get(name, _blank(cells.get(name), len(self._use)))
            if one.dtype != other.dtype:
                one, other = _text(one), _text(other)
            out[name] = self._rows(one, other)
        return out


def _blank(like: NDArray[Any] | None, n: int) -> NDArray[Any]:
    if like is not None and np.issubdtype(like.dtype, np.number):
        return np.zeros(n)
    return np.full(n, "", object)


def _text(values: NDArray[Any]) -> NDArray[np.object_]:
    return np.array([v if isinstance(v, str) else f"{v:g}" for v in values.tolist()], object)


def _meeting(cells: NDArray[np.object_], atoms: NDArray[np.object_]) -> Ints:
    """Atoms whose inside meets a cell's."""
    atom, cell = shapely.STRtree(cells).query(atoms, predicate="intersects")
    inside = ~shapely.touches(atoms[atom], cells[cell])
    return np.unique(atom[inside]).astype(np.int64)


def _require_own_ids(layer: PolygonLayer, names: NDArray[np.object_]) -> None:
    known = set(names.tolist())
    for row, name in enumerate(layer.ids.tolist(), start=1):
        if name in known or is_h3(name):
            what = "is a cell's of the tiling" if name in known else "is an H3 cell's"
            raise InvalidInput(
                f"id {name!r} {what}",
                source=layer.source,
                row=row,
                cure="give the polygon a code of its own, for instance with a letter in front",
            )


def _require_apart(layer: PolygonLayer, plane: LocalPlane) -> None:
    flat = flatten(plane, layer.geometry)
    left, right = shapely.STRtree(flat).query(flat, predicate="intersects")
    pair = left < right
    left, right = left[pair], right[pair]
    shared = shapely.area(shapely.intersection(flat[left], flat[right]))
    if len(shared) and shared.max() > _NOISE:
        first = int(np.flatnonzero(shared > _NOISE)[0])
        a, b = int(left[first]), int(right[first])
        raise InvalidGeometry(
            f"{layer.ids[b]!r} and {layer.ids[a]!r} (row {a + 1}) share {shared[first]:,.0f} m2",
            source=layer.source,
            row=b + 1,
            field="geometry",
            cure="take the ground from one of them, or have it repaired",
        )


def _report(
    found: Overlaid, names: NDArray[np.object_], layer: PolygonLayer, use: Ints, plane: LocalPlane
) -> dict[str, Any]:
    gone = names[shapely.is_missing(found.cells)].tolist()
    left_out = np.delete(layer.ids, use).tolist()
    before, after = (flatten(plane, shapes) for shapes in (layer.geometry[use], found.atoms))
    grown = float(shapely.area(after).sum() - shapely.area(before).sum())
    return {
        "atoms": len(use),
        "left_out": {"count": len(left_out), "ids": left_out[:_LISTED]},
        "cut": len(found.cut),
        "dropped": {"count": len(gone), "ids": gone[:_LISTED], "slivers": len(found.slivers)},
        "slivers_m2": round(max(grown, 0.0), 1),
    }
