"""What a file says of its coordinate system, as one of our names."""

from __future__ import annotations

import re

from gridsvc.crs import normalise
from gridsvc.errors import InvalidInput

__all__ = ["named_system"]

_CGCS2000 = re.compile(r"CGCS[ _]?2000|China[ _]Geodetic[ _]Coordinate[ _]System[ _]2000", re.IGNORECASE)
_ZONES = [*range(4491, 4555)]


def named_system(said: str | None, source: str) -> tuple[str | None, dict[str, str] | None]:
    """The name of a coordinate system given as code, well-known text or PROJJSON; None where nothing is said.

    Returns
    -------
    (crs, note)
        `note` tells where a system without a code was recognised by what it does.

    Raises
    ------
    InvalidInput
        It has no EPSG code and none could be found.
    """
    if said is None:
        return None, None
    try:
        return normalise(said), None
    except InvalidInput:
        pass
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(said)
        authority = system.to_authority(min_confidence=70)
    except CRSError:
        authority, system = None, None
    if authority is not None and authority[0] in {"EPSG", "OGC"}:
        return normalise(":".join(authority)), None
    code = None if system is None or not _CGCS2000.search(system.to_wkt()) else _zone(system)
    if code is None:
        raise InvalidInput(
            "names a coordinate system which has no EPSG code",
            source=source,
            field="crs",
            cure="name it yourself (crs), or convert the file to EPSG:4326",
        )
    return f"EPSG:{code}", {
        "code": "system-recognised",
        "message": f"its CGCS2000 system has no code; by its parameters it is EPSG:{code}",
        "message_zh": f"文件中的 CGCS2000 坐标系没有代码；按其参数识别为 EPSG:{code}",
    }


def _zone(system: object) -> int | None:
    """The CGCS2000 zone with the same central meridian and false easting."""
    from pyproj import CRS

    assert isinstance(system, CRS)  # noqa: S101 - the caller has made it
    if system.is_geographic:
        return 4490
    wanted = _parameters(system)
    found = [code for code in _ZONES if wanted and _parameters(CRS.from_epsg(code)) == wanted]
    return found[0] if found else None


def _parameters(system: object) -> tuple[float, ...]:
    operation = getattr(system, "coordinate_operation", None)
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return ()
    return tuple(round(float(p.value), 6) for p in sorted(operation.params, key=lambda p: p.code or p.name))
