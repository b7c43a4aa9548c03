"""A layer on its way into a file: in the file's coordinate system, counted as it passes, with a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.exchange.antimeridian import extent_around
from gridsvc.exchange.layer import Flow, Kind, Part, Shape

__all__ = ["MANIFEST", "OFFSET", "Outgoing"]

MANIFEST = "gridsvc:manifest"
"""Under this name a file carries its manifest, where it can carry one."""

OFFSET = {"gcj02": "GCJ-02", "bd09": "BD-09"}
"""Systems which no registry has a code for: a file must never pass for WGS-84 by saying nothing."""


Shapes = NDArray[np.object_]
_POLYGON = 3


@dataclass
class _Tally:
    """What was found out while rows passed."""

    count: int = 0
    boxes: list[NDArray[np.float64]] = field(default_factory=list)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)


class Outgoing:
    """A flow bound for a file.

    Parameters
    ----------
    flow : Flow
    crs : str
        Coordinate system of the file.
    manifest : mapping
        What is known of the file before it is written.
    """

    def __init__(self, flow: Flow, crs: str = "wgs84", manifest: Mapping[str, Any] | None = None) -> None:
        self.crs = crs_.normalise(crs)
        crs_.from_wgs84(0.0, 0.0, self.crs)  # refuses what is no system before the first byte
        self._flow, self._said = flow, dict(manifest or {})
        self._tally = _Tally()

    @property
    def name(self) -> str:
        """What the layer is called, with its system where no code can tell it."""
        return f"{self._flow.name}_{self.crs}" if self.crs in OFFSET else self._flow.name

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What each column holds."""
        return self._flow.kinds

    @property
    def shape(self) -> Shape:
        """What all geometries are."""
        return self._flow.shape

    @property
    def gaps(self) -> bool:
        """Whether rows may be without geometry."""
        return self._flow.gaps

    @property
    def code(self) -> str | None:
        """The EPSG code of the file's system; None for GCJ-02 and BD-09, which have none."""
        return None if self.crs in OFFSET else "EPSG:4326" if self.crs == "wgs84" else self.crs

    @property
    def box(self) -> list[float] | None:
        """West, south, east, north of what has passed; None where nothing with an extent has.

        In WGS-84, what spans the 180th meridian has its west in the east, as RFC 7946 tells it.
        """
        boxes = np.array(self._tally.boxes)
        if self.crs == "wgs84" or not len(boxes):
            return extent_around(boxes)
        return [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]

    def parts(
        self, prepare: Callable[[NDArray[np.object_]], NDArray[np.object_]] | None = None
    ) -> Iterator[Part]:
        """The rows in the file's system; `prepare` is done to their geometries before they are counted."""
        for geometry, columns in self._flow.parts:
            shapes = geometry if self.crs == "wgs84" else crs_.geometry_from_wgs84(geometry, self.crs)
            shapes = shapes if prepare is None else prepare(shapes)
            self._pass(shapes)
            yield shapes, columns

    def through(self, kinds: Mapping[str, Kind], change: Callable[[Part], Part]) -> Outgoing:
        """The same file with other values in its columns, which are then of other kinds."""
        flow = replace(self._flow, kinds=kinds, parts=map(change, self._flow.parts))
        changed = Outgoing(flow, self.crs, self._said)
        changed._tally = self._tally
        return changed

    def note(self, column: str, **said: Any) -> None:
        """Tell in the manifest what became of a column in the file."""
        self._tally.notes[column] = said

    def _pass(self, shapes: NDArray[np.object_]) -> None:
        tally = self._tally
        tally.count += len(shapes)
        single = (shapely.get_type_id(shapes) <= _POLYGON).all()
        bounds = shapely.bounds(shapes if single else shapely.get_parts(shapes))  # nan where there is nothing
        for side in (bounds[:, 2] <= 0.0, bounds[:, 2] > 0.0):
            if side.any():
                low, high = bounds[side, :2].min(axis=0), bounds[side, 2:].max(axis=0)
                tally.boxes.append(np.concatenate([low, high]))

    def known(self) -> dict[str, Any]:
        """What the manifest says before any row has passed."""
        note = {"crs_note": f"coordinates are {OFFSET[self.crs]}, not WGS-84"} if self.crs in OFFSET else {}
        notes = self._tally.notes
        columns = {name: {"kind": kind, **notes.get(name, {})} for name, kind in self.kinds.items()}
        return {**self._said, "crs": self.crs, **note, "columns": columns}

    def manifest(self, **more: Any) -> dict[str, Any]:
        """What the file says of itself; whole once all rows have passed."""
        return {**self.known(), "features": self._tally.count, "bbox": self.box, **more}
