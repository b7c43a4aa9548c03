"""Layers of polygons repaired when asked: crossings undone, overlaps decided, slivers given away.

Undoing crossings may take a polygon of some hundred corners minutes, so that is done in a process of its own
under limits of time and memory: ``python -m gridsvc.tiling.mending``.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidGeometry, InvalidInput
from gridsvc.tiling.faults import FATAL, Fault, Inspection
from gridsvc.tiling.load import Rows
from gridsvc.tiling.plane import flatten, local_plane
from gridsvc.tiling.read import PolygonLayer, column_array

__all__ = ["POLICIES", "Policy", "Repair", "faulty_layer", "repaired"]

Shapes = NDArray[np.object_]
Policy = Literal["lowest_id", "largest", "longest_border"]

POLICIES = {"lowest_id": "min_index", "largest": "max_area", "longest_border": "longest_border"}
"""Who gets ground which several polygons have."""

_SECONDS = 20.0  # of CPU
_PATIENCE = 10.0  # times these: a busy machine is not the polygon's fault
_MEMORY = 1 << 30  # bytes
_METRES = 110_000.0  # a degree of latitude
_TOLD = 0.5  # square metres
_CURES = {
    "missing_id": "give each row an id",
    "duplicate_id": "give each row its own id, or merge the rows into one multipolygon",
    "empty": "give the row a polygon or remove it",
    "not_polygon": "keep polygons only in this layer",
    "coordinates": "correct or remove the row",
    "no_area": "give it at least three corners which do not lie on one line",
    "invalid": "have it repaired, or repair it in a GIS (in QGIS: Fix geometries)",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """How a layer is repaired.

    Attributes
    ----------
    overlaps : {"lowest_id", "largest", "longest_border"}
        Who gets ground which several polygons have.
    sliver_m : float, metres
        Gaps narrower than this go to the neighbour with the longest border; wider ones stay.
    """

    overlaps: Policy = "lowest_id"
    sliver_m: float = 10.0


def faulty_layer(found: Inspection) -> InvalidGeometry | InvalidInput:
    """The error of a layer with fatal faults: the first one, and how many there are."""
    return _error(found.fatal, found.source)


def _error(fatal: tuple[Fault, ...], source: str) -> InvalidGeometry | InvalidInput:
    first = fatal[0]
    kind = InvalidInput if first.kind in {"missing_id", "duplicate_id"} else InvalidGeometry
    more = f" (and {len(fatal) - 1} more faults)" if len(fatal) > 1 else ""
    return kind(
        f"{first.what}{more}",
        source=source,
        row=first.row,
        field="id" if kind is InvalidInput else "geometry",
        cure=_CURES[first.kind],
        faults=[fault.record() for fault in fatal[:20]],
    )


def repaired(
    rows: Rows, found: Inspection, id_field: str, how: Repair
) -> tuple[PolygonLayer, dict[str, Any]]:
    """The layer as a valid coverage, and what was changed.

    Parameters
    ----------
    rows : Rows
        As they were inspected.
    found : Inspection

    Returns
    -------
    (layer, report) : PolygonLayer and dict
        ``policy``, ``made_valid``, and ``changed``: a row for each feature which lost or gained more than
        0.5 m2: ``id, row, before_m2`` (None if it was not valid), ``after_m2, lost_m2, gained_m2``.

    Raises
    ------
    InvalidGeometry, InvalidInput
        A fault which only people can decide (ids, rows without polygons, no area), a repair beyond the
        limits, or a feature which is left without ground.
    """
    beyond = tuple(fault for fault in found.fatal if fault.kind in FATAL - {"invalid"})
    if beyond:
        raise _error(beyond, found.source)
    before = found.geometry.copy()
    bad = np.flatnonzero(~shapely.is_valid(before))
    if len(bad):
        before[bad] = _made_valid(before[bad], bad, found)
    order = np.array(sorted(range(len(before)), key=found.ids.__getitem__))
    after = before.copy()
    after[order] = _clean(before[order], how)
    _require_ground(after, found)
    layer = PolygonLayer(
        np.array(found.ids, object),
        after,
        {name: column_array(values) for name, values in rows.columns.items() if name != id_field},
        found.source,
    )
    report = {
        "policy": how.overlaps,
        "sliver_m": how.sliver_m,
        "made_valid": len(bad),
        "changed": _difference(before, after, bad, found.ids),
    }
    return layer, report


def _clean(geometry: Shapes, how: Repair) -> Shapes:
    highest = float(np.abs(shapely.bounds(geometry)[:, [1, 3]]).max())
    width = how.sliver_m / (_METRES * np.cos(np.radians(min(highest, 89.0))))
    cleaned = shapely.coverage_clean(geometry, gap_width=width, merge_strategy=POLICIES[how.overlaps])
    out: Shapes = np.asarray(cleaned, object)
    return out


def _require_ground(after: Shapes, found: Inspection) -> None:
    gone = np.flatnonzero(shapely.is_empty(after) | (shapely.area(after) == 0.0))
    if len(gone):
        row = int(gone[0])
        raise InvalidGeometry(
            f"all ground of {found.ids[row]!r} is that of other features",
            source=found.source,
            row=row + 1,
            field="geometry",
            cure="take the row out, or correct the others",
        )
    if not shapely.is_valid(after).all() or not shapely.coverage_is_valid(after):
        raise InvalidGeometry(
            "does not fit together even when repaired",
            source=found.source,
            field="geometry",
            cure="snap and clean the layer in a GIS",
        )


def _difference(
    before: Shapes, after: Shapes, bad: NDArray[np.int64], ids: list[str]
) -> list[dict[str, Any]]:
    plane = local_plane(after)
    old, new = flatten(plane, before), flatten(plane, after)
    # In degrees, where lines with new corners are the same lines; in the plane they are bent otherwise.
    lost, gained = (
        shapely.area(plane.geometry(shapely.difference(one, other)))
        for one, other in ((before, after), (after, before))
    )
    invalid = set(bad.tolist())
    return [
        {
            "id": ids[at],
            "row": at + 1,
            "before_m2": None if at in invalid else round(float(shapely.area(old[at])), 1),
            "after_m2": round(float(shapely.area(new[at])), 1),
            "lost_m2": round(float(lost[at]), 1),
            "gained_m2": round(float(gained[at]), 1),
        }
        for at in np.union1d(np.flatnonzero((lost > _TOLD) | (gained > _TOLD)), bad).tolist()
    ]


def _made_valid(shapes: Shapes, rows: NDArray[np.int64], found: Inspection) -> Shapes:
    """Valid polygons of invalid ones, by a process under limits."""
    text = "\n".join(shapely.to_wkb(shapes, hex=True).tolist())
    try:
        done = subprocess.run(  # noqa: S603 - our own module; what is mended comes on its input
            [sys.executable, "-m", "gridsvc.tiling.mending", str(_SECONDS)],
            input=text,
            capture_output=True,
            text=True,
            timeout=_SECONDS * _PATIENCE + 10.0,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        row = int(rows[0])
        raise InvalidGeometry(
            f"cannot be repaired within {_SECONDS:g} s and {_MEMORY >> 20} MB",
            source=found.source,
            row=row + 1,
            field="geometry",
            cure="repair it in a GIS (in QGIS: Fix geometries) and load it again",
        ) from None
    mended: Shapes = shapely.from_wkb(np.array(done.stdout.split(), object))
    return mended


def _polygonal(shape: Any) -> Any:
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape, method="structure")))
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])


def _main() -> None:
    import resource
    import signal

    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, also within a library
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    shapes = shapely.from_wkb(np.array(sys.stdin.read().split(), object))
    sys.stdout.write("\n".join(shapely.to_wkb(_polygonal(shape), hex=True) for shape in shapes))


if __name__ == "__main__":
    _main()
