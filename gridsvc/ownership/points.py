"""A batch's body -> points: JSON columns, JSON objects or Arrow, as arrays of longitudes and latitudes.

Two ways lead through JSON. The quick one decodes typed and reads almost every body; what it does not take, or
takes without proof that no name came twice, goes the careful way, which finds the bad rows or the fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import TooLarge, UnknownForm
from gridsvc.ownership.options import OPTIONS, Options, options_of

__all__ = ["ARROW", "LIMIT", "MAX_BYTES", "Batch", "Form", "parse", "too_many"]

Form = Literal["columns", "objects", "points", "arrow"]

LIMIT = 100_000
"""Points in one batch."""

MAX_BYTES = 32 << 20
"""Bytes in one batch: 100,000 objects with every digit and generous blanks stay below a third of it."""

ARROW = {"application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"}
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Batch:
    """Points as they were asked for.

    Attributes
    ----------
    lon, lat : float64 arrays, shape (n,)
        As given, in the batch's coordinate system; NaN where a row holds no finite number.
    form : {"columns", "objects", "points", "arrow"}
        How they came: columns, a bare list of objects, objects under ``points``, or an Arrow table.
    options : dict
        What the body says beside the points, by the names of `Options`; only what was given.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    form: Form
    options: dict[str, Any] = field(default_factory=dict)


class _Point(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    lat: float | None
    lon: float | None


class _Body(Options, forbid_unknown_fields=True):
    lat: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    lon: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    points: list[_Point] | msgspec.UnsetType = msgspec.UNSET


_list = msgspec.json.Decoder(list[_Point])
_body = msgspec.json.Decoder(_Body)


def parse(body: bytes | memoryview, media_type: str) -> Batch:
    """Read a batch.

    Parameters
    ----------
    media_type : str
        Its Content-Type, with or without parameters.

    Raises
    ------
    UnknownForm
        Neither JSON nor Arrow.
    TooLarge
        More than `LIMIT` points, or more than `MAX_BYTES`.
    InvalidInput
        The body as a whole is not a batch. A single value which is no number only makes its row NaN.
    """
    kind, _, parameters = (part.strip().lower() for part in media_type.partition(";"))
    if kind != _JSON and kind not in ARROW:
        raise UnknownForm(
            "batches come as JSON or Arrow",
            field="Content-Type",
            cure=f"send {_JSON} or {min(ARROW, key=len)} or application/vnd.apache.arrow.stream",
        )
    if len(body) > MAX_BYTES:
        raise TooLarge(f"the batch has more than {MAX_BYTES >> 20} MB", field="lat", cure=_SPLIT)
    if kind in ARROW:
        from gridsvc.ownership.arrow_points import read_arrow

        return Batch(*read_arrow(body), form="arrow")
    _check_charset(parameters)
    return _json(bytes(body))


_SPLIT = f"split it into batches of at most {LIMIT:,} points"


def too_many(count: int | None = None) -> TooLarge:
    """The refusal of a batch with `count` points, or with more than anybody counted."""
    said = f"more than {LIMIT:,}" if count is None else f"{count:,}"
    return TooLarge(f"the batch has {said} points", field="lat", cure=_SPLIT)


def _check_charset(parameters: str) -> None:
    name, _, value = parameters.partition("=")
    if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8", "us-ascii"}:
        raise UnknownForm("JSON is UTF-8", field="Content-Type", cure="send it as UTF-8")


def _json(body: bytes) -> Batch:
    text = np.frombuffer(body, np.uint8)
    # A point takes two commas. Counted before anything is decoded, so that no body makes a large list.
    if np.count_nonzero(text == ord(",")) > 2 * LIMIT + len(OPTIONS):
        raise too_many()
    quotes = int(np.count_nonzero(text == ord('"')))
    quick = _quick(body, quotes)
    if quick is not None:
        return quick
    from gridsvc.ownership.careful import read_careful

    return Batch(*read_careful(body, LIMIT))


def _quick(body: bytes, quotes: int) -> Batch | None:
    """The batch, if it is one of plain numbers and nulls in which no name comes twice.

    Each name and each text takes two quotation marks, and more only if it holds some itself: if there are
    just as many as what was decoded needs, then nothing was read over.
    """
    try:
        if body.lstrip(b" \t\r\n")[:1] == b"[":
            points = _list.decode(body)
            return _of_points(points, "objects", {}) if quotes == 4 * len(points) else None
        found = _body.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    given = found.given()
    needed = 2 * (len(given) + sum(isinstance(value, str) for value in given.values()))
    if isinstance(found.points, list):
        whole = found.lat is found.lon is msgspec.UNSET and quotes == needed + 2 + 4 * len(found.points)
        return _of_points(found.points, "points", options_of(given)) if whole else None
    if not isinstance(found.lat, list) or not isinstance(found.lon, list) or quotes != needed + 4:
        return None
    if len(found.lat) != len(found.lon) or len(found.lat) > LIMIT:
        return None
    return Batch(_floats(found.lon), _floats(found.lat), "columns", options_of(given))


def _of_points(points: list[_Point], form: Form, options: dict[str, Any]) -> Batch:
    if len(points) > LIMIT:
        raise too_many(len(points))
    return Batch(_floats([p.lon for p in points]), _floats([p.lat for p in points]), form, options)


def _floats(values: list[float | None]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # None becomes NaN
