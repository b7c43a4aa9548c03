"""The careful way through a JSON batch: names the fault, or spoils the rows which hold no number."""

from __future__ import annotations

import json
import math
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, TooLarge
from gridsvc.ownership.options import OPTIONS, checked_options

__all__ = ["read_careful"]

Floats = NDArray[np.float64]
Read = tuple[Floats, Floats, Literal["columns", "objects", "points"], dict[str, Any]]

_AXES = ("lat", "lon")
_CURE = 'send {"lat": [...], "lon": [...]} or [{"lat": ..., "lon": ...}, ...]'


def read_careful(body: bytes, limit: int) -> Read:
    """Read a JSON batch of at most `limit` points: lon, lat, form and options.

    Raises
    ------
    TooLarge
        There are more points.
    InvalidInput
        It is not JSON, or not a batch.
    """
    document = _document(body)
    if _is_list(document):
        return *_points(document, limit), "objects", {}
    if not isinstance(document, _Members):
        raise InvalidInput("the body is neither an object nor a list", field="body", cure=_CURE)
    members = document.once("the body")
    _known(members, {*_AXES, "points", *OPTIONS})
    options = checked_options({name: members[name] for name in OPTIONS if name in members})
    if "points" not in members:
        return *_columns(members, limit), "columns", options
    if any(axis in members for axis in _AXES):
        raise InvalidInput("points stand beside columns", field="points", cure="send one or the other")
    if not _is_list(members["points"]):
        raise InvalidInput("points is not a list", field="points", cure=_CURE)
    return *_points(members["points"], limit), "points", options


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object in order, those included which come twice."""

    def once(self, where: str, row: int | None = None) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, value in self:
            if name in members:
                raise InvalidInput(
                    f"a member comes twice in {where}", row=row, field=_shown(name), cure="send it once"
                )
            members[name] = value
        return members


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value, _Members)


def _document(body: bytes) -> Any:
    if body.startswith(b"\xef\xbb\xbf"):
        raise InvalidInput("the body starts with a byte-order mark", field="body", cure="send it without")
    try:
        text = body.decode("utf-8")
        return json.loads(
            text, object_pairs_hook=_Members, parse_int=_whole, parse_float=float, parse_constant=_no_constant
        )
    except UnicodeDecodeError as fault:
        raise InvalidInput(f"byte {fault.start} is not UTF-8", field="body", cure="send UTF-8") from None
    except json.JSONDecodeError as fault:
        raise InvalidInput(
            f"not JSON: {fault.msg} at character {fault.pos}",
            field="body",
            cure="send one whole JSON document",
        ) from None
    except RecursionError:
        raise InvalidInput("the body is nested too deep", field="body", cure=_CURE) from None


def _no_constant(name: str) -> NoReturn:
    raise InvalidInput(f"{name} is not JSON", field="body", cure="send null where there is no number")


def _whole(digits: str) -> float | int:
    # Python refuses to make an int of thousands of digits; as a coordinate it is infinite all the same.
    return int(digits) if len(digits) <= 20 else float(digits)


def _known(members: dict[str, Any], names: set[str], row: int | None = None) -> None:
    for name in members:
        if name not in names:
            raise InvalidInput(
                "an unknown member",
                row=row,
                field=_shown(name),
                cure=f"leave it out; known are {', '.join(sorted(names))}",
            )


def _shown(name: str) -> str:
    """A name which came from outside, short and printable."""
    return "".join(c if c.isprintable() else "?" for c in name[:40])


def _columns(members: dict[str, Any], limit: int) -> tuple[Floats, Floats]:
    for axis in _AXES:
        if axis not in members:
            raise InvalidInput(f"{axis} is missing", field=axis, cure=_CURE)
        if not _is_list(members[axis]):
            raise InvalidInput(f"{axis} is not a list", field=axis, cure=_CURE)
    lat, lon = members["lat"], members["lon"]
    _few(max(len(lat), len(lon)), limit)
    if len(lat) != len(lon):
        raise InvalidInput(
            f"lat has {len(lat)} values and lon {len(lon)}; they must be as many",
            row=min(len(lat), len(lon)) + 1,
            field="lat" if len(lat) < len(lon) else "lon",
            cure="send a latitude and a longitude for each point",
        )
    return _floats(lon), _floats(lat)


def _points(points: list[Any], limit: int) -> tuple[Floats, Floats]:
    _few(len(points), limit)
    found = [_point(point, row) for row, point in enumerate(points, 1)]
    return _floats([point["lon"] for point in found]), _floats([point["lat"] for point in found])


def _point(point: Any, row: int) -> dict[str, Any]:
    if not isinstance(point, _Members):
        raise InvalidInput("a point is not an object", row=row, field="points", cure=_CURE)
    members = point.once("a point", row)
    _known(members, set(_AXES), row)
    for axis in _AXES:
        if axis not in members:
            raise InvalidInput(
                f"{axis} is missing", row=row, field=axis, cure="send null where it is unknown"
            )
    return members


def _few(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(
            f"the batch has {count:,} points",
            field="lat",
            cure=f"split it into batches of at most {limit:,} points",
        )


def _floats(values: list[Any]) -> Floats:
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: Any) -> float:
    """The number, or NaN for what is none: null, text, true, a list, an object, 1e999."""
    if type(value) in {float, int} and math.isfinite(value):
        return float(value)
    return math.nan
