"""What looks wrong with a layer's coordinates. Hints only: nothing is ever changed by them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import normalise, to_wgs84
from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.rows import Rows

__all__ = ["Hint", "hints_of", "zone_of"]

Hint = dict[str, str]
Floats = NDArray[np.float64]

_NAMED = {
    "gcj02": re.compile(r"gcj[-_ ]?0?2|火星|高德|amap|autonavi|tencent|腾讯", re.IGNORECASE),
    "bd09": re.compile(r"bd[-_ ]?09|baidu|百度", re.IGNORECASE),
}
_CHINA = (73.0, 3.0, 136.0, 54.5)  # west, south, east, north, roughly
_DEGREE = 400.0  # no angle is larger
_SAMPLE = 200  # points which are tried both ways
_OFF = 8.0  # degrees beyond the area a system is made for, where it is still used now and then
_FIRST, _LAST, _MIDDLE = (
    13e6,
    46e6,
    500_000.0,
)  # eastings with a zone number, and what its middle has behind it


def hints_of(rows: Rows, declared: str | None) -> list[Hint]:
    """What a layer by itself suggests of its coordinates.

    Parameters
    ----------
    declared : str or None
        The coordinate system the caller named; else what the file says counts, else WGS-84.
    """
    coords = np.asarray(shapely.get_coordinates(rows.geometry), np.float64)
    coords = coords[np.isfinite(coords).all(axis=1)]
    if len(coords) == 0:
        return []
    try:
        name = normalise(declared or rows.crs or "wgs84")
    except InvalidInput:
        return []
    if not _in_degrees(name):
        return _of_lengths(coords, name)
    if np.abs(coords).max() > _DEGREE:
        return [_metres(coords)]
    return [*_swapped(coords), *_by_name(rows, name, coords)]


def _in_degrees(name: str) -> bool:
    if not name.startswith("EPSG:"):
        return True
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_epsg(int(re.split(r"[:+]", name)[1])).is_geographic)
    except CRSError:
        return False


def _of_lengths(coords: Floats, name: str) -> list[Hint]:
    if (np.abs(coords) <= (180.0, 90.0)).all():
        message = f"all coordinates are those of degrees, but {name} is in metres: name wgs84, gcj02 or bd09"
        return [
            _hint(
                "degrees-as-metres",
                message,
                f"坐标值像经纬度，而 {name} 以米为单位：请改用 wgs84、gcj02 或 bd09",
            )
        ]
    return [_survey(float(np.median(coords[:, 1])))] if _lies_swapped(coords, name) else []


def _lies_swapped(coords: Floats, name: str) -> bool:
    """Whether the coordinates lie far from where their system is used, and near it once exchanged."""
    use = _area_of_use(name)
    if use is None:
        return False
    some = coords[:: max(1, len(coords) // _SAMPLE)]
    x, y = some[:, 0], some[:, 1]
    try:
        as_given, swapped = (_share_in(use, *to_wgs84(*pair, name)) for pair in ((x, y), (y, x)))
    except InvalidInput:  # lies to WGS-84 in no known way, which is told by itself
        return False
    return as_given < 0.1 and swapped > 0.9


def _area_of_use(name: str) -> tuple[float, float, float, float] | None:
    from pyproj import CRS

    area = CRS.from_epsg(int(re.split(r"[:+]", name)[1])).area_of_use
    return None if area is None else (area.west, area.south, area.east, area.north)


def _share_in(box: tuple[float, float, float, float], lon: Floats, lat: Floats) -> float:
    west, south, east, north = box
    off = (lon < west - _OFF) | (lon > east + _OFF) | (lat < south - _OFF) | (lat > north + _OFF)
    return float((np.isfinite(lon) & np.isfinite(lat) & ~off).mean())


def _metres(coords: Floats) -> Hint:
    x, y = (float(v) for v in np.median(coords, axis=0))
    if _is_northing(x) and _is_easting(y) and not (_is_easting(x) and _is_northing(y)):
        return _survey(y)
    code = zone_of(x) if _is_northing(y) else None
    named = _named_zone(x) if _is_northing(y) else ""
    cure, cure_zh = (
        (f"by the zone number in the easting it may be {named} (CGCS2000)", f"按横坐标带号，可能是 {named}")
        if named
        else ("name the system with EPSG:n", "请用 EPSG:n 指明坐标系")
    )
    if code == -1:
        cure = "it may be a CGCS2000 zone by central meridian: EPSG:4534 (75 E) to EPSG:4554 (135 E)"
        cure_zh = "可能是 CGCS2000 中央经线分带：EPSG:4534（75°E）至 EPSG:4554（135°E）"
    return _hint(
        "metres-as-degrees",
        f"the coordinates are metres, not degrees: {cure}",
        f"坐标以米为单位，不是经纬度：{cure_zh}",
    )


def _survey(easting: float) -> Hint:
    """Surveyors write X for the northing and Y for the easting."""
    found = _named_zone(easting)
    named = f"; by its zone number it may be {found}" if found else ""
    named_zh = f"；按带号可能是 {found}" if found else ""
    return _hint(
        "survey-axes",
        f"X looks like the northing and Y like the easting, as surveyors write them: exchange the two{named}",
        f"X 像纵坐标（北）、Y 像横坐标（东），即测量坐标习惯：请对调两列{named_zh}",
    )


def _is_northing(value: float) -> bool:
    """A northing of China, in metres from the equator."""
    return 300_000.0 < value < 6_100_000.0 and zone_of(value) != -1


def _is_easting(value: float) -> bool:
    """An easting of China; with a zone number it has eight digits, whatever these are."""
    return zone_of(value) is not None or _FIRST <= value < _LAST


def _named_zone(easting: float) -> str:
    """The systems which an easting with a zone number may be of; "" for one without."""
    code = zone_of(easting)
    if code is not None:
        return f"EPSG:{code}" if code > 0 else ""
    if not _FIRST <= easting < _LAST:
        return ""
    # Far from the middle of its zone, which is this number's or the next one's.
    beside = {zone_of(number * 1e6 + _MIDDLE) for number in (easting // 1e6, easting // 1e6 + 1)}
    return " or ".join(f"EPSG:{found}" for found in sorted(beside - {None, -1}, key=str))


def zone_of(easting: float) -> int | None:
    """The CGCS2000 system of an easting in metres.

    Returns
    -------
    int or None
        The EPSG code of the zone whose number stands before the six digits; -1 for an easting without number;
        None for what is no easting.
    """
    number, rest = divmod(easting, 1_000_000.0)
    if not 150_000.0 <= rest <= 850_000.0:
        return None
    if number == 0:
        return -1
    if 25 <= number <= 45:
        return 4513 + int(number) - 25
    return 4491 + int(number) - 13 if 13 <= number <= 23 else None


def _inside(x: Floats, y: Floats) -> float:
    west, south, east, north = _CHINA
    return float(((x >= west) & (x <= east) & (y >= south) & (y <= north)).mean())


def _swapped(coords: Floats) -> list[Hint]:
    x, y = coords[:, 0], coords[:, 1]
    beyond = (np.abs(y) > 90.0) & (np.abs(x) <= 90.0)
    if beyond.mean() > 0.5 or (_inside(y, x) > 0.9 and _inside(x, y) < 0.1):
        return [
            _hint(
                "swapped-axes",
                "longitude and latitude look exchanged: write longitude first",
                "经度与纬度似乎写反：经度应在前",
            )
        ]
    return []


def _by_name(rows: Rows, name: str, coords: Floats) -> list[Hint]:
    """The file, its layer or a column says GCJ-02 or BD-09, and something else was declared."""
    texts = [rows.source, rows.layer, *rows.columns]
    for system, pattern in _NAMED.items():
        found = next((text for text in texts if pattern.search(text)), None)
        if found is not None and name != system and _inside(coords[:, 0], coords[:, 1]) > 0.5:
            shown = system.upper().replace("0", "-0")
            message = f"the name {found[:60]!r} speaks of {shown}, but the coordinates are taken as {name}"
            zh = f"名称“{found[:60]}”提到 {shown}，而坐标按 {name} 处理"
            return [
                _hint(
                    f"named-{system}",
                    f"{message}: if so, name crs={system}",
                    f"{zh}：若如此请指明 crs={system}",
                )
            ]
    return []


def _hint(code: str, message: str, message_zh: str) -> dict[str, Any]:
    return {"code": code, "message": message, "message_zh": message_zh}
