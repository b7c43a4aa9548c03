"""Transforms between EPSG codes and WGS-84 through PROJ, without a network: of known accuracy, or none."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gridsvc.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyproj import CRS, Transformer

__all__ = ["CGCS2000", "Operation", "for_extent", "of_points", "with_parameters"]

# The CGCS2000 family: its datum agrees with WGS-84 to below a metre, which PROJ calls 'ballpark'.
CGCS2000 = frozenset({4490, *range(4491, 4555)})

# Published transforms of these hold for a basin or a bay; survey offices give out those of their district.
_BY_PARAMETERS = ("Xian 1980", "Beijing 1954", "New Beijing")
_PARAMETERS = 7
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_CURE = "use wgs84, gcj02, bd09 or EPSG:n"


@dataclass(frozen=True, slots=True)
class Operation:
    """One way from a coordinate system to WGS-84.

    Attributes
    ----------
    transformer : Transformer
        x first.
    title : str
        What the transform is called.
    accuracy : float or None, metres
        As its source states it; None with parameters of the caller's own.
    """

    transformer: Transformer
    title: str
    accuracy: float | None


def with_parameters(name: str, parameters: str) -> str:
    """The name of a coordinate system together with how its datum lies to WGS-84.

    Parameters
    ----------
    name : str
        ``EPSG:n``.
    parameters : str
        Seven numbers as PROJ's ``+towgs84`` has them (dx, dy, dz in metres; rx, ry, rz in seconds of arc,
        position vector; scale in ppm), with or without ``+towgs84=``; or a PROJ string which holds it.

    Raises
    ------
    InvalidInput
        Not seven numbers, or for a system which needs none.
    """
    code = int(name.removeprefix("EPSG:")) if name.startswith("EPSG:") else 0
    if code == 0 or code in CGCS2000:
        raise InvalidInput(f"{name} takes no parameters", field="crs_parameters", cure="leave them out")
    text = parameters.partition("+towgs84=")[2].split(" ", 1)[0] or parameters
    numbers = [part.strip() for part in text.split(",")]
    if len(numbers) != _PARAMETERS or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise InvalidInput(
            "not the seven parameters of a datum",
            field="crs_parameters",
            cure="give dx,dy,dz,rx,ry,rz,scale in metres, seconds of arc and ppm (position vector)",
        )
    return f"EPSG:{code}+towgs84={','.join(f'{float(number):.12g}' for number in numbers)}"


@lru_cache(maxsize=64)
def of_points(name: str, *, inverse: bool) -> Transformer:
    """The best transform there is for each point by itself."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    code, parameters = _parts(name)
    system = _system(name, code)
    if parameters:
        return _bound(system, parameters, inverse=inverse)
    if _needs_parameters(system):
        raise _unknown(name)
    pair = (4326, code) if inverse else (code, 4326)
    try:
        return Transformer.from_crs(*pair, always_xy=True, allow_ballpark=code in CGCS2000)
    except ProjError:
        raise _unknown(name) from None


@lru_cache(maxsize=256)
def for_extent(name: str, extent: tuple[float, float, float, float]) -> Operation:
    """The one transform for a whole layer: of those which cover its extent, the most accurate.

    Parameters
    ----------
    extent : (west, south, east, north)
        In the layer's own coordinates.

    Raises
    ------
    InvalidInput
        No transform of known accuracy covers the extent.
    """
    code, parameters = _parts(name)
    system = _system(name, code)
    if parameters:
        return Operation(_bound(system, parameters, inverse=False), f"given parameters {parameters}", None)
    if code in CGCS2000:
        return Operation(of_points(name, inverse=False), "CGCS2000 taken as WGS-84 (below 1 m)", 1.0)
    if _needs_parameters(system):
        raise _unknown(name)
    found = [t for t in _candidates(system, _degrees(system, extent)) if t.accuracy >= 0.0]
    if not found:
        raise _unknown(name)
    best = min(found, key=lambda transformer: transformer.accuracy)
    return Operation(best, _title(best.description), float(best.accuracy))


def _candidates(system: CRS, box: tuple[float, ...]) -> Sequence[Transformer]:
    from pyproj.exceptions import ProjError
    from pyproj.transformer import AreaOfInterest, TransformerGroup

    try:
        with warnings.catch_warnings():  # that a better grid could be had from elsewhere
            warnings.simplefilter("ignore", UserWarning)
            group = TransformerGroup(
                system, 4326, always_xy=True, area_of_interest=AreaOfInterest(*box), allow_ballpark=False
            )
    except ProjError:
        return ()
    return [transformer for transformer in group.transformers if _covers(transformer, box)]


def _covers(transformer: Transformer, box: tuple[float, ...]) -> bool:
    area: Any = transformer.area_of_use
    if area is None or area.west > area.east:
        return True
    west, south, east, north = box
    slack = 0.5  # areas of use are drawn with a coarse pencil, and layers hang over coasts
    return bool(
        area.west - slack <= west
        and area.south - slack <= south
        and area.east + slack >= east
        and area.north + slack >= north
    )


def _degrees(system: CRS, extent: tuple[float, float, float, float]) -> tuple[float, ...]:
    """The extent in degrees of the system's own datum, cut to the globe."""
    from pyproj import Transformer

    base = system.geodetic_crs
    box = extent
    if base is not None and not system.is_geographic:
        box = Transformer.from_crs(system, base, always_xy=True).transform_bounds(*extent)
    west, south, east, north = (max(-180.0, min(180.0, float(value))) for value in box)
    return west, max(-90.0, south), max(west, east), min(90.0, max(south, north))


def _parts(name: str) -> tuple[int, str]:
    code, _, parameters = name.removeprefix("EPSG:").partition("+towgs84=")
    return int(code), parameters


def _system(name: str, code: int) -> CRS:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_epsg(code)
    except CRSError:
        system = None
    if system is None or not (system.is_geographic or system.is_projected):  # heights, geocentric x y z
        raise InvalidInput(f"{name} is no coordinate system of maps", field="crs", cure=_CURE)
    return system


def _needs_parameters(system: CRS) -> bool:
    base = system.geodetic_crs
    return base is not None and base.name.startswith(_BY_PARAMETERS)


def _bound(system: CRS, parameters: str, *, inverse: bool) -> Transformer:
    from pyproj import CRS, Transformer
    from pyproj.crs import BoundCRS
    from pyproj.crs.coordinate_operation import ToWGS84Transformation

    shift = ToWGS84Transformation(system.geodetic_crs, *map(float, parameters.split(",")))
    bound = BoundCRS(source_crs=system, target_crs=CRS.from_epsg(4326), transformation=shift)
    world: CRS = CRS.from_epsg(4326)
    source, target = (world, bound) if inverse else (bound, world)
    return Transformer.from_crs(source, target, always_xy=True)


def _unknown(name: str) -> InvalidInput:
    return InvalidInput(
        f"how {name} lies relative to WGS-84 is not known here (it may be off by 100 m and more)",
        field="crs",
        cure="give crs_parameters (dx,dy,dz,rx,ry,rz,scale) of your survey office, or convert the data to "
        "EPSG:4490 or EPSG:4326 with them",
    )


def _title(description: str) -> str:
    parts = (part for part in description.split(" + ") if not part.startswith("axis order change"))
    return " + ".join(parts) or "none needed"
