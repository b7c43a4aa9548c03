"""GeoJSON (RFC 7946), written feature by feature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_

__all__ = ["feature_collection", "geometry_dict"]

DECIMALS = 7
"""About a centimetre; more digits claim a precision no layer has."""

_CHUNK = 500


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
    """Give a FeatureCollection in pieces.

    Parameters
    ----------
    geometry : object array of shapely geometries, WGS-84
    properties : iterable of mapping
        One for each geometry.
    crs : str
        Other than WGS-84 the coordinates are converted and the file says so in its member `gridsvc:crs`,
        since GeoJSON itself knows no other system.
    members : mapping, optional
        Further top-level members, such as the manifest.
    """
    name = crs_.normalise(crs)
    head = {"type": "FeatureCollection", **(members or {})}
    if name != "wgs84":
        head["gridsvc:crs"] = name
    yield orjson.dumps(head)[:-1] + b',"features":['
    rest = iter(properties)
    for start in range(0, len(geometry), _CHUNK):
        part = _prepare(crs_.geometry_from_wgs84(geometry[start : start + _CHUNK], name))
        texts = shapely.to_geojson(part)
        rows = [_feature(text, next(rest)) for text in texts]
        yield (b"," if start else b"") + b",".join(rows)
    yield b"]}\n"


def _feature(geometry: str, properties: Mapping[str, Any]) -> bytes:
    return b'{"type":"Feature","geometry":%b,"properties":%b}' % (
        geometry.encode(),
        orjson.dumps(properties, option=orjson.OPT_SERIALIZE_NUMPY),
    )


def _prepare(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    rounded: NDArray[np.object_] = shapely.transform(geometry, lambda xy: np.round(xy, DECIMALS))
    oriented: NDArray[np.object_] = shapely.orient_polygons(rounded)  # outer rings counter-clockwise
    return oriented
