"""Carve-outs drawn as polygons: places owned apart, whatever cells lie under them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from gridsvc.errors import InvalidGeometry, InvalidInput, TooLarge
from gridsvc.tiling.check import checked_polygons
from gridsvc.tiling.load import Rows, rows_from_file, rows_from_geojson

__all__ = [
    "SOURCE",
    "CarveOut",
    "carve_outs_from_geojson",
    "merged",
    "read_carve_outs",
    "require_free_codes",
    "require_inside",
]

SOURCE = "carve_outs"
"""What a list of carve-outs is called in errors, where it is no file."""

_MOST = 10_000
_LONGEST = {"code": 40, "name": 200, "team": 200, "reason": 500}
_SLIVER = 2e-7
"""Degrees, about 2 cm: rounding in GeoJSON makes neighbours overlap by less, and that is no overlap."""

Prefer = Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class CarveOut:
    """A place taken out of the grids and owned apart.

    Attributes
    ----------
    code : str
        Unique among the carve-outs and grids of its plan.
    team : str or None
        Id of the owning team; None leaves it to the fallback.
    reason : str
        Why it is owned apart.
    polygon : Polygon or MultiPolygon
        Valid, WGS-84 degrees, longitude first.
    """

    code: str
    name: str
    team: str | None
    reason: str
    polygon: Polygon | MultiPolygon


# --- reading


def read_carve_outs(source: Path, crs: str | None = None) -> tuple[CarveOut, ...]:
    """Carve-outs of a file in any format of `gridsvc.tiling.read`; see `carve_outs_from_geojson`."""
    return _carve_outs(rows_from_file(source), crs)


def carve_outs_from_geojson(
    obj: object, crs: str | None = None, source: str = SOURCE
) -> tuple[CarveOut, ...]:
    """Carve-outs of a GeoJSON FeatureCollection, which may be empty.

    Each feature is a polygon or multipolygon with properties ``code``, ``name``, ``reason`` and, if known,
    ``team``; other properties are ignored.

    Raises
    ------
    UnreadableFile
        Not GeoJSON.
    InvalidGeometry
        A geometry is missing, no polygon or not valid, or two overlap. `row` is the feature (1 is the first).
    InvalidInput
        A property is missing, no text or too long, or a code stands twice.
    TooLarge
        There are more than 10,000.
    """
    return _carve_outs(rows_from_geojson(obj, source), crs)


def _carve_outs(rows: Rows, crs: str | None) -> tuple[CarveOut, ...]:
    n = len(rows.geometry)
    if n > _MOST:
        raise TooLarge(f"{n:,} carve-outs", source=rows.source, cure=f"give at most {_MOST:,}")
    if not n:
        return ()
    geometry = checked_polygons(rows.geometry, crs or rows.crs or "wgs84", rows.source)
    found = tuple(
        CarveOut(
            code=_text(rows, row, "code"),
            name=_text(rows, row, "name"),
            team=_optional_text(rows, row, "team"),
            reason=_text(rows, row, "reason"),
            polygon=polygon,
        )
        for row, polygon in enumerate(geometry)
    )
    _require_once(found, rows.source)
    _require_apart(found, rows.source)
    return found


def _text(rows: Rows, row: int, field: str) -> str:
    value = _optional_text(rows, row, field)
    if value is None:
        raise _fault(rows.source, row, field, "missing", "give each carve-out a text")
    return value


def _optional_text(rows: Rows, row: int, field: str) -> str | None:
    value: Any = rows.columns[field][row] if field in rows.columns else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise _fault(rows.source, row, field, "not a text", "put it in quotes, or store the column as text")
    text = (value or "").strip()
    if len(text) > _LONGEST[field]:
        what = f"{len(text):,} characters long"
        raise _fault(rows.source, row, field, what, f"give at most {_LONGEST[field]}")
    return text or None


def _fault(source: str, row: int, field: str, message: str, cure: str) -> InvalidInput:
    return InvalidInput(message, source=source, row=row + 1, field=field, cure=cure)


# --- what must hold


def _require_once(found: Sequence[CarveOut], source: str) -> None:
    first: dict[str, int] = {}
    for row, carved in enumerate(found):
        before = first.setdefault(carved.code, row)
        if before != row:
            what = f"{carved.code!r} is the code of feature {before + 1} already"
            raise _fault(source, row, "code", what, "give each carve-out its own code")


def _require_apart(found: Sequence[CarveOut], source: str) -> None:
    pairs = _overlaps(found)
    if pairs:
        before, row = min(pairs, key=lambda pair: pair[::-1])
        raise InvalidGeometry(
            f"overlaps carve-out {found[before].code!r} (feature {before + 1})",
            source=source,
            row=row + 1,
            field="geometry",
            cure="cut one of the two back, or make them one",
        )


def _overlaps(carve_outs: Sequence[CarveOut]) -> list[tuple[int, int]]:
    """Pairs of positions, the smaller first, of carve-outs which share ground."""
    polygons = np.array([carved.polygon for carved in carve_outs], dtype=object)
    a, b = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared: NDArray[np.object_] = shapely.intersection(polygons[a], polygons[b])
    length = shapely.length(shared)
    wide = 2.0 * shapely.area(shared) > _SLIVER * length
    return list(zip(a[wide].tolist(), b[wide].tolist(), strict=True))


def require_free_codes(carve_outs: Sequence[CarveOut], grids: Collection[str], source: str = SOURCE) -> None:
    """Raise `InvalidInput` where a carve-out has the code of a grid."""
    for row, carved in enumerate(carve_outs):
        if carved.code in grids:
            what = f"{carved.code!r} is the code of a grid of the plan"
            raise _fault(source, row, "code", what, "give the carve-out another code")


def require_inside(carve_outs: Sequence[CarveOut], territory: MultiPolygon, source: str = SOURCE) -> None:
    """Raise `InvalidGeometry` where a carve-out does not touch the territory."""
    shapely.prepare(territory)
    for row, carved in enumerate(carve_outs):
        if not shapely.intersects(territory, carved.polygon):
            raise InvalidGeometry(
                f"carve-out {carved.code!r} lies outside the territory",
                source=source,
                row=row + 1,
                field="geometry",
                cure="check its coordinates and their system, or leave it out",
            )


# --- merging


def merged(
    base: Sequence[CarveOut],
    mine: Sequence[CarveOut],
    theirs: Sequence[CarveOut],
    prefer: Prefer | None = None,
) -> tuple[tuple[CarveOut, ...], tuple[str, ...]]:
    """What both sides changed since `base`, in one list; carve-outs are matched by their codes.

    Parameters
    ----------
    prefer : {"mine", "theirs"}, optional
        Whose stays where both changed one, or where one of each share ground; mine unless said.

    Returns
    -------
    carve_outs : tuple of CarveOut
        In my order, theirs which are new behind them.
    clashes : tuple of str
        Codes on which both sides do not agree, ascending.
    """
    was, here, there = ({c.code: c for c in side} for side in (base, mine, theirs))
    kept, clashes = list[CarveOut](), set[str]()
    for code in dict.fromkeys([*here, *there]):
        before, own, other = was.get(code), here.get(code), there.get(code)
        taken = own if other in (own, before) else other
        if own != other and before not in (own, other):
            clashes.add(code)
            taken = other if prefer == "theirs" else own
        if taken is not None:
            kept.append(taken)
    dropped = set[str]()
    for pair in _overlaps(kept):
        a, b = sorted((kept[i] for i in pair), key=lambda c: here.get(c.code) != c)  # mine first
        clashes |= {a.code, b.code}
        dropped.add(a.code if prefer == "theirs" else b.code)
    return tuple(c for c in kept if c.code not in dropped), tuple(sorted(clashes))
