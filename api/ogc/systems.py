"""Coordinate systems by their OGC names, each with the order of axes it is defined with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from gridsvc.crs import normalise
from gridsvc.errors import InvalidInput

__all__ = ["CRS84", "System", "system", "systems_of"]

_OGC = "http://www.opengis.net/def/crs"
_URI = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/(?:0|[\d.]+)/(\d{4,6})")
_CRS84 = {f"{_OGC}/OGC/1.3/CRS84", f"{_OGC}/OGC/0/CRS84", f"{_OGC}/OGC/1.3/CRS84h"}
_CHINA = (73.0, 3.0, 136.0, 54.0)


@dataclass(frozen=True, slots=True)
class System:
    """A coordinate system.

    Attributes
    ----------
    uri : str
    name : str
        As `gridsvc.crs` calls it.
    north_first : bool
        Latitude or northing comes before longitude or easting.
    """

    uri: str
    name: str
    north_first: bool


CRS84 = System(f"{_OGC}/OGC/1.3/CRS84", "wgs84", north_first=False)
"""WGS-84, longitude first: what is meant unless something else is said."""


def systems_of(box: tuple[float, float, float, float]) -> list[str]:
    """Names of the systems a layer in `box` can be had in: the CGCS2000 zones which meet it among them."""
    found = [CRS84.uri, _epsg(4326), _epsg(3857)]
    west, south, east, north = box
    if west < _CHINA[2] and east > _CHINA[0] and south < _CHINA[3] and north > _CHINA[1]:
        found.append(_epsg(4490))
        for first, width, count in ((4491, 6, 11), (4502, 6, 11), (4513, 3, 21), (4534, 3, 21)):
            middles = ((first + k, 75 + width * k) for k in range(count))
            found += [_epsg(code) for code, m in middles if m - width / 2 <= east and m + width / 2 >= west]
    return found


def _epsg(code: int) -> str:
    return f"{_OGC}/EPSG/0/{code}"


def system(text: str, field: str, offered: list[str]) -> System:
    """The system somebody names by its URI, its URN or as ``EPSG:n``.

    Raises
    ------
    InvalidInput
        It is not among those `offered`.
    """
    uri = _uri(text.strip("[]"))
    if uri not in offered:
        raise InvalidInput(
            f"not offered: {text[:80]!r}",
            field=field,
            cure="take one of the collection's crs, such as " + CRS84.uri,
        )
    if uri == CRS84.uri:
        return CRS84
    name = f"EPSG:{uri.rsplit('/', 1)[1]}"
    return System(uri, normalise(name), _north_first(name))


def _uri(text: str) -> str:
    if text in _CRS84 or text.lower().endswith("crs84"):
        return CRS84.uri
    match = _URI.fullmatch(text)
    if match is not None:
        return _epsg(int(match[1]))
    plain = re.fullmatch(r"(?:urn:ogc:def:crs:)?EPSG:(?:[\d.]*:)?(\d{4,6})", text, re.IGNORECASE)
    return text if plain is None else _epsg(int(plain[1]))


@lru_cache(maxsize=128)
def _north_first(name: str) -> bool:
    from pyproj import CRS

    axes = CRS.from_user_input(name).axis_info
    return bool(axes) and axes[0].direction.lower() == "north"
