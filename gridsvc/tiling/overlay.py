"""Polygons laid over cells: what each of both keeps, edge by edge the same on both sides of each border.

Outlines are cut at all their crossings at once and the faces between them shared out. So two shapes which
touch have the same corners along their border, and borders can be found by comparing coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.tiling.plane import flatten

__all__ = ["Overlaid", "faces_of", "joined", "overlay"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Overlaid:
    """What polygons leave of cells.

    Attributes
    ----------
    cells : object array of (multi)polygons, shape (n_cells,)
        What is left of each; None for those of which nothing is left, or a sliver.
    atoms : object array of (multi)polygons, shape (n_atoms,)
        The polygons, with corners where borders of cells meet them, and with the slivers.
    near : int64 array
        Cells which a polygon touches, and those beside them: the others are as they were.
    cut : int64 array
        Cells which lost ground.
    slivers : int64 array
        Of these the cells whose last sliver went to a polygon.
    """

    cells: Shapes
    atoms: Shapes
    near: Ints
    cut: Ints
    slivers: Ints


def overlay(cells: Shapes, atoms: Shapes, plane: LocalPlane, sliver: Floats) -> Overlaid:
    """Take the ground of polygons out of cells.

    Parameters
    ----------
    cells : object array of valid (multi)polygons, shape (n_cells,), WGS-84
        They may overlap; ground of several stays ground of several.
    atoms : object array of valid (multi)polygons, shape (n_atoms,), WGS-84
        Without overlaps (not checked; the first has what several share).
    plane : LocalPlane
        To measure in.
    sliver : float64 array, shape (n_cells,), square metres
        A cell which keeps no more than this is given up, and what it keeps goes to the polygon it shares the
        longest border with.
    """
    near = _near(cells, atoms)
    faces = faces_of([*cells[near], *atoms])
    share = _Shares.of(faces, cells[near], atoms)
    area = shapely.area(flatten(plane, faces))
    left = np.bincount(share.cell, area[share.of_cell], len(near))
    lost = np.bincount(share.cell_lost, area[share.lost], len(near)) > 0.0
    given_up = lost & (left <= sliver[near])
    homes = _homes(share, faces, atoms, given_up)
    kept = ~given_up[share.cell]
    out = cells.copy()
    whole = joined(faces, share.of_cell[kept], share.cell[kept], len(near))
    changed = lost | ~shapely.is_empty(whole)
    out[near[changed]] = whole[changed]
    out[near[given_up]] = None
    atom_faces = np.concatenate([share.of_atom, homes[0]])
    owners = np.concatenate([share.atom, homes[1]])
    return Overlaid(
        out,
        joined(faces, atom_faces, owners, len(atoms)),
        near,
        near[lost],
        near[given_up & (left > 0.0)],
    )


def faces_of(shapes: list[shapely.Geometry]) -> Shapes:
    """The faces between all lines and outlines of polygons: object array of polygons, no two overlapping."""
    lines = [s if shapely.get_dimensions(s) == 1 else shapely.boundary(s) for s in shapes]
    noded = shapely.union_all(np.array(lines, object))
    found: Shapes = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return found


def joined(faces: Shapes, which: Ints, owner: Ints, n: int) -> Shapes:
    """Faces joined at equal edges to `n` multipolygons; `which` are faces, `owner` whose each is."""
    out = np.full(n, shapely.MultiPolygon(), object)
    order = np.argsort(owner, kind="stable")
    which, owner = which[order], owner[order]
    starts = np.searchsorted(owner, np.arange(n + 1))
    for row in np.flatnonzero(np.diff(starts)):
        mine = faces[which[starts[row] : starts[row + 1]]]
        one = mine[0] if len(mine) == 1 else shapely.coverage_union_all(mine)
        if not shapely.is_valid(one):
            one = shapely.union_all(mine)
        parts = shapely.get_parts(one)
        parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        out[row] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(list(parts))
    return out


@dataclass(frozen=True, slots=True)
class _Shares:
    """Whose each face is: pairs of a face and an atom, of a face and a cell, of a face and a loser."""

    of_atom: Ints
    atom: Ints
    of_cell: Ints
    cell: Ints
    lost: Ints
    cell_lost: Ints

    @classmethod
    def of(cls, faces: Shapes, cells: Shapes, atoms: Shapes) -> _Shares:
        points = shapely.point_on_surface(faces)
        face, atom = shapely.STRtree(atoms).query(points, predicate="intersects")
        face, first = np.unique(face, return_index=True)  # the query gives each point's polygons in order
        every = shapely.STRtree(cells).query(points, predicate="intersects")
        taken = np.isin(every[0], face)
        return cls(face, atom[first], *every[:, ~taken], *every[:, taken])


def _near(cells: Shapes, atoms: Shapes) -> Ints:
    """Cells which meet an atom, and those which meet these: new corners on their borders are theirs too."""
    tree = shapely.STRtree(cells)
    touched = np.unique(tree.query(atoms, predicate="intersects")[1])
    return np.union1d(touched, tree.query(cells[touched], predicate="intersects")[1]).astype(np.int64)


def _homes(share: _Shares, faces: Shapes, atoms: Shapes, given_up: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Faces of cells which are given up, and the atom each goes to."""
    left = np.unique(share.of_cell[given_up[share.cell]])
    if not len(left):
        return left, left
    outlines = shapely.boundary(joined(faces, share.of_atom, share.atom, len(atoms)))
    row, atom = shapely.STRtree(outlines).query(faces[left], predicate="intersects")
    border = shapely.length(shapely.intersection(shapely.boundary(faces[left[row]]), outlines[atom]))
    order = np.lexsort((atom, -border, row))
    row, first = np.unique(row[order], return_index=True)
    return left[row], atom[order][first]
