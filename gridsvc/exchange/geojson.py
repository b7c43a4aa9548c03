"""GeoJSON (RFC 7946), written feature by feature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.exchange.outgoing import MANIFEST, OFFSET, Outgoing

__all__ = ["DECIMALS", "feature_collection", "geojson_pieces", "geometry_dict"]

DECIMALS = 7
"""About a centimetre; more digits claim a precision no layer has."""

_CHUNK = 500
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def geometry_dict(geometry: shapely.Geometry) -> dict[str, Any]:
    """One geometry as a GeoJSON object, rings oriented as RFC 7946 asks."""
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(_prepare(np.array([geometry], dtype=object))[0]))
    return found


def feature_collection(
    geometry: NDArray[np.object_],
    properties: Iterable[Mapping[str, Any]],
    *,
    crs: str = "wgs84",
    members: Mapping[str, Any] | None = None,
) -> Iterator[bytes]:
    """Write features piece by piece, so that a large layer never stands in memory as text.

    Parameters
    ----------
    geometry : object array of shapely geometries, shape (n,), WGS-84
    properties : iterable of mapping
        One a feature; values JSON can hold, and numbers of numpy.
    crs : str
        Other than WGS-84 the coordinates are converted and the file says so in its member `gridsvc:crs`,
        since GeoJSON itself knows no other system.
    members : mapping, optional
        Further top-level members.
    """
    name = crs_.normalise(crs)
    head = {"type": "FeatureCollection", **(members or {})}
    if name != "wgs84":
        head["gridsvc:crs"] = name
    yield orjson.dumps(head)[:-1] + b',"features":['
    rest = iter(properties)
    for start in range(0, len(geometry), _CHUNK):
        part = _prepare(crs_.geometry_from_wgs84(geometry[start : start + _CHUNK], name))
        rows = [_feature(text, next(rest)) for text in shapely.to_geojson(part)]
        yield (b"," if start else b"") + b",".join(rows)
    yield b"]}\n"


def geojson_pieces(out: Outgoing, *, decimals: int | None = DECIMALS) -> Iterator[bytes]:
    """A layer as GeoJSON with its extent and its manifest, which stand behind the features.

    Parameters
    ----------
    decimals : int or None
        Of the coordinates; None writes them as they are.
    """
    yield orjson.dumps(_head(out))[:-1] + b',"features":['
    names, joint = list(out.kinds), b""
    for shapes, columns in out.parts(partial(_prepare, decimals=decimals)):
        if not len(shapes):
            continue  # a part which holds nothing needs no comma
        rows = zip(*columns, strict=True) if columns else (() for _ in shapes)
        texts = shapely.to_geojson(shapes)
        pairs = zip(texts, rows, strict=True)
        yield joint + b",".join([_feature(text, dict(zip(names, row, strict=True))) for text, row in pairs])
        joint = b","
    box = b"" if out.box is None else b',"bbox":' + orjson.dumps(out.box)
    said = out.manifest(format="geojson", coordinate_decimals=decimals)
    yield b"]" + box + b"," + orjson.dumps({MANIFEST: said}, option=_OPTIONS)[1:] + b"\n"


def _head(out: Outgoing) -> dict[str, Any]:
    """The members which must be known before the features.

    RFC 7946 knows no system but WGS-84, so another one only comes where it was asked for. What GIS programs
    still understand of the older standard is told them; GCJ-02 and BD-09 have no name they would know.
    """
    head: dict[str, Any] = {"type": "FeatureCollection", "name": out.name}
    if out.crs != "wgs84":
        head["gridsvc:crs"] = out.crs
    if out.crs != "wgs84" and out.crs not in OFFSET:
        urn = f"urn:ogc:def:crs:EPSG::{out.crs.removeprefix('EPSG:')}"
        head["crs"] = {"type": "name", "properties": {"name": urn}}
    return head


def _feature(geometry: str | None, properties: Mapping[str, Any]) -> bytes:
    return b'{"type":"Feature","geometry":%b,"properties":%b}' % (
        b"null" if geometry is None else geometry.encode(),
        orjson.dumps(properties, option=_OPTIONS),
    )


def _prepare(geometry: NDArray[np.object_], decimals: int | None = DECIMALS) -> NDArray[np.object_]:
    rounded = geometry
    if decimals is not None:
        rounded = shapely.transform(geometry, lambda xy: np.round(xy, decimals))
    oriented: NDArray[np.object_] = shapely.orient_polygons(rounded)  # outer rings counter-clockwise
    return oriented
