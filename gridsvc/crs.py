"""Coordinate systems: everything inside the system is WGS-84 lon/lat; this is the only door.

GCJ-02 and BD-09 are computed here (PROJ does not know them); EPSG codes go through pyproj.
The formulas are written once and run with `math` on one point or with `numpy` on arrays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridsvc import epsg
from gridsvc.errors import InvalidInput

if TYPE_CHECKING:
    from pyproj import Proj

__all__ = [
    "LocalPlane",
    "describe",
    "from_wgs84",
    "geometry_from_wgs84",
    "geometry_to_wgs84",
    "layer_to_wgs84",
    "normalise",
    "point_to_wgs84",
    "to_wgs84",
]

Floats = NDArray[np.float64]

_NAMES = {
    "wgs84": "wgs84",
    "crs84": "wgs84",
    "ogccrs84": "wgs84",
    "urnogcdefcrsogc13crs84": "wgs84",
    "gcj02": "gcj02",
    "bd09": "bd09",
    "bd09ll": "bd09",
    "cgcs2000": "EPSG:4490",
}
_EPSG = re.compile(r"(?:urnogcdefcrs)?(?:epsg)?0*(\d{4,6})")
_CURE = "use wgs84, gcj02, bd09 or EPSG:n"

# The published constants of GCJ-02: Krasovsky 1940 ellipsoid and the rectangle in which it applies.
_A = 6378245.0
_EE = 0.00669342162296594323
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
_BD_PI = math.pi * 3000.0 / 180.0

# Each step of the inverse divides the error by at least 130 (GCJ-02) or 50 (BD-09), from 0.02 degree on:
# a fixed number of steps reaches rounding error and gives a point the same answer alone or in a batch.
_GCJ_STEPS = 7
_BD_STEPS = 9


def normalise(crs: str, parameters: str | None = None) -> str:
    """Canonical name of a coordinate system.

    Parameters
    ----------
    crs : str
        For instance ``WGS-84``, ``gcj02``, ``BD-09``, ``EPSG:4549``, ``epsg:4326`` or ``4326``.
    parameters : str, optional
        How the datum of an ``EPSG:n`` lies to WGS-84, where nobody has published that (Xian 1980, Beijing
        1954); see `gridsvc.epsg.with_parameters`. May also follow the code: ``EPSG:2383+towgs84=...``.

    Returns
    -------
    str
        ``wgs84``, ``gcj02``, ``bd09``, ``EPSG:n`` or ``EPSG:n+towgs84=...``.

    Raises
    ------
    InvalidInput
        For anything else. Whether an EPSG code exists is found out when it is first used.
    """
    head, plus, inline = str(crs).partition("+")
    given = parameters or plus + inline
    if given:
        return epsg.with_parameters(normalise(head), given)
    key = re.sub(r"[\s:_/.-]", "", head).lower()
    if key in _NAMES:
        return _NAMES[key]
    match = _EPSG.fullmatch(key)
    if match is None:
        raise InvalidInput(f"unknown coordinate system {str(crs)[:40]!r}", field="crs", cure=_CURE)
    code = int(match.group(1))
    return "wgs84" if code == 4326 else f"EPSG:{code}"


def to_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str = "wgs84") -> tuple[Floats, Floats]:
    """Coordinates in `crs` as WGS-84 longitude and latitude.

    Parameters
    ----------
    lon, lat : array_like, shape (n,), degrees, or metres of a projected `crs` (x = easting, y = northing)
    crs : str

    Returns
    -------
    lon, lat : float64 arrays, shape (n,), degrees
        NaN where the input is not finite or cannot be transformed; never infinite.

    Raises
    ------
    InvalidInput
        Unknown code, or a datum whose relation to WGS-84 is not known to below some tens of metres.
    """
    return _convert(lon, lat, crs, {"gcj02": _gcj_to_wgs, "bd09": _bd_to_wgs}, inverse=False)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """WGS-84 longitude and latitude as coordinates in `crs`; the inverse of `to_wgs84`."""
    return _convert(lon, lat, crs, {"gcj02": _wgs_to_gcj, "bd09": _wgs_to_bd}, inverse=True)


def layer_to_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """As `to_wgs84`, with one transform for the whole layer: of those which cover its extent the most
    accurate. Point by point a layer would be torn where the areas of two transforms meet.
    """
    name = normalise(crs)
    x, y = _finite(lon, lat)
    known = np.isfinite(x)
    if not name.startswith("EPSG:") or not known.any():
        return to_wgs84(x, y, name)
    return _finite(*epsg.for_extent(name, _rounded(x[known], y[known])).transformer.transform(x, y))


def _rounded(x: Floats, y: Floats) -> tuple[float, float, float, float]:
    """The extent of points, rounded outwards so that layers of one place share a transform."""
    step = 0.1 if max(np.abs(x).max(), np.abs(y).max()) <= 400.0 else 10_000.0
    west, south = (math.floor(float(v.min()) / step) * step for v in (x, y))
    east, north = (math.ceil(float(v.max()) / step) * step for v in (x, y))
    return west, south, east, north


def describe(crs: str, extent: Sequence[float] | None = None) -> dict[str, Any]:
    """How coordinates of `crs` are taken to WGS-84: ``name``, ``transform`` and ``accuracy_m``.

    Parameters
    ----------
    extent : sequence of 4 float, optional
        West, south, east, north of the layer, in its own coordinates.

    Raises
    ------
    InvalidInput
        There is no way of known accuracy.
    """
    name = normalise(crs)
    if not name.startswith("EPSG:"):
        title = {"wgs84": "none needed", "gcj02": "inverse of GCJ-02", "bd09": "inverse of BD-09"}[name]
        return {"name": name, "transform": title, "accuracy_m": 0.0 if name == "wgs84" else 0.01}
    if extent is None:
        epsg.of_points(name, inverse=False)
        return {"name": name, "transform": None, "accuracy_m": None}
    west, south, east, north = extent
    found = epsg.for_extent(name, _rounded(np.array([west, east]), np.array([south, north])))
    return {"name": name, "transform": found.title, "accuracy_m": found.accuracy}


def point_to_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """One point in `crs` as WGS-84 lon, lat, without array overhead; NaN if it has no answer."""
    name = crs if crs == "wgs84" else normalise(crs)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return math.nan, math.nan
    if name == "wgs84":
        return lon, lat
    if name == "gcj02":
        return _gcj_point(lon, lat)
    if name == "bd09":
        # Far from any longitude the formula would overflow, and the answer means nothing anyway.
        near = abs(lon) < 1e4 and abs(lat) < 1e4
        return _gcj_point(*_bd_to_gcj(lon, lat, math)) if near else (math.nan, math.nan)
    x, y = epsg.of_points(name, inverse=False).transform(lon, lat)
    return (x, y) if math.isfinite(x) and math.isfinite(y) else (math.nan, math.nan)


def geometry_to_wgs84(geoms: NDArray[np.object_], crs: str) -> NDArray[np.object_]:
    """Shapely geometries, object array of any shape, given in `crs`, as WGS-84; missing ones stay None."""
    return _transform_geometry(geoms, lambda x, y: to_wgs84(x, y, crs))


def geometry_from_wgs84(geoms: NDArray[np.object_], crs: str) -> NDArray[np.object_]:
    """WGS-84 shapely geometries, object array of any shape, in `crs`; missing ones stay None."""
    return _transform_geometry(geoms, lambda x, y: from_wgs84(x, y, crs))


@dataclass(frozen=True, slots=True)
class LocalPlane:
    """Equal-area plane in metres around a centre (Lambert azimuthal, WGS-84 ellipsoid).

    Attributes
    ----------
    lon0, lat0 : float, degrees
        The centre, which projects to (0, 0).
    """

    lon0: float
    lat0: float

    def project(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """WGS-84 degrees, shape (n,), as x, y in metres; NaN where not finite or at the antipode."""
        x, y = _plane(self.lon0, self.lat0)(_floats(lon), _floats(lat))
        return _finite(x, y)

    def unproject(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Metres of this plane, shape (n,), as WGS-84 lon, lat in degrees; the inverse of `project`."""
        lon, lat = _plane(self.lon0, self.lat0)(_floats(x), _floats(y), inverse=True)
        return _finite(lon, lat)

    def geometry(self, geoms: NDArray[np.object_]) -> NDArray[np.object_]:
        """WGS-84 shapely geometries, object array of any shape, in this plane."""
        return _transform_geometry(geoms, self.project)


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, np.float64)


def _finite(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """NaN in both arrays wherever either is not finite."""
    a, b = _floats(x), _floats(y)
    bad = ~(np.isfinite(a) & np.isfinite(b))
    return (np.where(bad, np.nan, a), np.where(bad, np.nan, b)) if bad.any() else (a, b)


Converter = Callable[[Floats, Floats], tuple[Floats, Floats]]


def _convert(
    lon: ArrayLike, lat: ArrayLike, crs: str, own: dict[str, Converter], *, inverse: bool
) -> tuple[Floats, Floats]:
    name = normalise(crs)
    x, y = _finite(lon, lat)
    if name == "wgs84":
        return x, y
    if name in own:
        with np.errstate(invalid="ignore", over="ignore"):
            return _finite(*own[name](x, y))
    return _finite(*epsg.of_points(name, inverse=inverse).transform(x, y))


def _transform_geometry(geoms: NDArray[np.object_], convert: Converter) -> NDArray[np.object_]:
    import shapely

    out: NDArray[np.object_] = shapely.transform(np.asarray(geoms, object), convert, interleaved=False)
    return out


# --- GCJ-02 and BD-09 -------------------------------------------------------------------------------


def _gcj_shift(lon: Any, lat: Any, m: Any) -> tuple[Any, Any]:
    """What GCJ-02 adds to a WGS-84 point, in degrees; `m` is `math` or `numpy`.

    Source: the publicly known polynomial-and-sines formula of GCJ-02.
    """
    x, y = lon - 105.0, lat - 35.0
    root = m.sqrt(m.fabs(x))
    px, py = x * math.pi, y * math.pi
    common = 20.0 * m.sin(6.0 * px) + 20.0 * m.sin(2.0 * px)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (common + 20.0 * m.sin(py) + 40.0 * m.sin(py / 3.0)) * 2.0 / 3.0
    north = north + (160.0 * m.sin(py / 12.0) + 320.0 * m.sin(py / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (common + 20.0 * m.sin(px) + 40.0 * m.sin(px / 3.0)) * 2.0 / 3.0
    east = east + (150.0 * m.sin(px / 12.0) + 300.0 * m.sin(px / 30.0)) * 2.0 / 3.0
    phi = lat / 180.0 * math.pi
    sine = m.sin(phi)
    magic = 1.0 - _EE * sine * sine
    root = m.sqrt(magic)
    meridian = _A * (1.0 - _EE) / (magic * root)
    return east * 180.0 / (_A / root * m.cos(phi) * math.pi), north * 180.0 / (meridian * math.pi)


def _inside_china(lon: Any, lat: Any) -> Any:
    """Whether the GCJ-02 rectangle covers the WGS-84 point or points."""
    return (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)


def _unshift(lon: Any, lat: Any, m: Any) -> tuple[Any, Any]:
    """Inverse of adding `_gcj_shift`, by fixed-point iteration."""
    wlon, wlat = lon, lat
    for _ in range(_GCJ_STEPS):
        east, north = _gcj_shift(wlon, wlat, m)
        wlon, wlat = lon - east, lat - north
    return wlon, wlat


def _wgs_to_gcj(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    inside = _inside_china(lon, lat)
    east, north = _gcj_shift(lon, lat, np)
    return np.where(inside, lon + east, lon), np.where(inside, lat + north, lat)


def _gcj_to_wgs(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    # In a strip of less than a kilometre along the rectangle two WGS-84 points share one GCJ-02 point;
    # the one inside is meant. Elsewhere this is the exact inverse.
    wlon, wlat = _unshift(lon, lat, np)
    inside = _inside_china(wlon, wlat)
    return np.where(inside, wlon, lon), np.where(inside, wlat, lat)


def _gcj_point(lon: float, lat: float) -> tuple[float, float]:
    # The shift is below 0.1 degree, so points farther out need no iteration (and cannot overflow it).
    if not (_WEST - 0.1 <= lon <= _EAST + 0.1 and _SOUTH - 0.1 <= lat <= _NORTH + 0.1):
        return lon, lat
    wlon, wlat = _unshift(lon, lat, math)
    return (wlon, wlat) if _inside_china(wlon, wlat) else (lon, lat)


def _gcj_to_bd(lon: Any, lat: Any, m: Any) -> tuple[Any, Any]:
    """BD-09 of GCJ-02 points; `m` is `math` or `numpy`. Source: the publicly known polar formula."""
    z = m.sqrt(lon * lon + lat * lat) + 0.00002 * m.sin(lat * _BD_PI)
    theta = m.atan2(lat, lon) + 0.000003 * m.cos(lon * _BD_PI)
    return z * m.cos(theta) + 0.0065, z * m.sin(theta) + 0.006


def _bd_to_gcj(lon: Any, lat: Any, m: Any) -> tuple[Any, Any]:
    """Inverse of `_gcj_to_bd`, by fixed-point iteration (the usual closed form is off by up to a metre)."""
    glon, glat = lon - 0.0065, lat - 0.006
    for _ in range(_BD_STEPS):
        blon, blat = _gcj_to_bd(glon, glat, m)
        glon, glat = lon - (blon - glon), lat - (blat - glat)
    return glon, glat


def _wgs_to_bd(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _gcj_to_bd(*_wgs_to_gcj(lon, lat), np)


def _bd_to_wgs(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _gcj_to_wgs(*_bd_to_gcj(lon, lat, np))


@lru_cache(maxsize=64)
def _plane(lon0: float, lat0: float) -> Proj:
    from pyproj import Proj

    return Proj(proj="laea", lon_0=lon0, lat_0=lat0, ellps="WGS84", units="m")
