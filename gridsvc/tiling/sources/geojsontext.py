"""GeoJSON files: whole documents, or one feature a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import UnreadableFile
from gridsvc.tiling.sources.geojson import (
    GEOMETRIES,
    columns_of,
    has_open_ring,
    named_crs,
    not_geojson,
    one_geometry,
    rings_closed,
    rows_from_geojson,
)
from gridsvc.tiling.sources.repeats import members_in, refuse_repeats
from gridsvc.tiling.sources.rows import Limits, Rows

__all__ = ["read_geojson", "read_lines"]

_FEATURE = re.compile(rb'"Feature"')
_BLOCK = 1 << 20
_AT_ONCE = 2_000  # features whose texts are parsed together
_SMALL = 8_000_000  # bytes; up to here what the fast parser refuses is tried with one which takes more
_BYTE = re.compile(r"\(byte (\d+)\)")
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Text = bytes | msgspec.Raw
Wrong = Callable[[int], UnreadableFile]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def read_geojson(path: Path, limits: Limits) -> Rows:
    """Read a GeoJSON file.

    Raises
    ------
    UnreadableFile
        Not JSON, or not GeoJSON; a member stands twice.
    InvalidGeometry
        A geometry which cannot be built, or too many vertices; with its row.
    """
    _check_positions(path, limits)
    text = _utf8(path.read_bytes())
    try:
        document = _members.decode(text)
        features = _features(document, text, path.name)
    except _FAULTS as error:
        if len(text) > _SMALL:
            raise _not_json(path.name, error, text) from None
        return rows_from_geojson(_parsed(text, path.name), path.name, limits)

    def wrong(row: int) -> UnreadableFile:
        return UnreadableFile("is no Feature", source=path.name, row=row, cure="write an object for each")

    rows = _rows(features, path.name, limits, wrong)
    return replace(rows, crs=named_crs({"crs": _value(document.get("crs"))}))


def read_lines(path: Path, limits: Limits) -> Rows:
    """Read a file with one Feature a line (RFC 8142, with or without its record separators).

    Raises
    ------
    UnreadableFile, InvalidGeometry
        As `read_geojson`, with the line.
    """
    _check_positions(path, limits)
    text = _utf8(path.read_bytes())
    lines = [line for line in text.replace(b"\x1e", b"").splitlines() if line.strip()]

    def wrong(row: int) -> UnreadableFile:
        what = "is not a GeoJSON Feature"
        return UnreadableFile(what, source=path.name, row=row, cure="write one Feature a line")

    return _rows(lines, path.name, limits, wrong)


def _check_positions(path: Path, limits: Limits) -> None:
    """Refuse too many positions before any is parsed: each opens a bracket, and few other things do."""
    seen = rows = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            seen += block.count(b"[")
            rows += len(_FEATURE.findall(block))
            if seen > 2 * limits.vertices:
                raise limits.too_many_vertices(max(rows, 1), path.name)


def _utf8(raw: bytes) -> bytes:
    """UTF-8 without mark, of UTF-8 or of UTF-16 with a mark."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").encode()
    return raw.removeprefix(b"\xef\xbb\xbf")


def _features(document: dict[str, msgspec.Raw], text: bytes, source: str) -> Sequence[Text]:
    """The features of a document, whatever it is."""
    kind = _value(document.get("type"))
    if kind == "Feature":
        return [text]
    if kind in GEOMETRIES:
        return [b'{"geometry":%b}' % text]
    name = {"FeatureCollection": "features", "GeometryCollection": "geometries"}.get(str(kind))
    if name is None or name not in document:
        raise not_geojson(source)
    _check_head(document, name, text, source)
    found = _list.decode(document[name])
    return found if name == "features" else [b'{"geometry":%b}' % bytes(raw) for raw in found]


def _check_head(document: dict[str, msgspec.Raw], name: str, text: bytes, source: str) -> None:
    """Refuse members which stand twice beside the features, or features which do."""
    body = bytes(document[name])
    at = text.rindex(body)
    others = sum(members_in(_value(value)) for key, value in document.items() if key != name)
    refuse_repeats(text[:at] + b"[]" + text[at + len(body) :], len(document) + others, source)


def _rows(features: Sequence[Text], source: str, limits: Limits, wrong: Wrong) -> Rows:
    limits.check_features(len(features), source)
    geometry = np.empty(len(features), object)
    given: list[tuple[Any, Any]] = []
    opened: list[int] = []
    vertices = 0
    for start in range(0, len(features), _AT_ONCE):
        shapes: list[bytes | None] = []
        for row, feature in enumerate(features[start : start + _AT_ONCE], start + 1):
            shape, properties, name = _feature(feature, row, source, wrong)
            shapes.append(shape)
            given.append((properties, name))
        # A position opens a bracket, and at least two of three brackets are those of positions.
        least = [0 if shape is None else shape.count(b"[") * 2 // 3 for shape in shapes]
        vertices = limits.check_vertices(least, source, first=start, before=vertices)
        geometry[start : start + _AT_ONCE] = _built(shapes, start, source, opened)
    notes = rings_closed(opened)
    return limits.check(Rows(shapely.force_2d(geometry), columns_of(given), None, source, notes=notes))


def _feature(feature: Text, row: int, source: str, wrong: Wrong) -> tuple[bytes | None, Any, Any]:
    """Text of the geometry, properties and id of a feature."""
    try:
        members = _members.decode(feature)
        properties, name = _value(members.get("properties")), _value(members.get("id"))
    except _FAULTS:
        raise wrong(row) from None
    shape = bytes(members.get("geometry", b"null"))
    refuse_repeats(bytes(feature), len(members) + 2 + members_in(properties), source, row)
    return None if shape == b"null" else shape, properties, name


def _built(texts: list[bytes | None], start: int, source: str, opened: list[int]) -> NDArray[np.object_]:
    """Geometries of texts; notes the rows which had open rings."""
    with np.errstate(all="ignore"):  # numbers too large are refused by the check, with their row
        found = np.asarray(shapely.from_geojson(np.array(texts, object), on_invalid="ignore"), object)
    for at in np.flatnonzero(shapely.is_missing(found)).tolist():
        if (text := texts[at]) is not None:
            value = _loaded(text)
            found[at] = one_geometry(value, start + at + 1, source)
            if has_open_ring(value):
                opened.append(start + at + 1)
    return found


def _loaded(text: bytes) -> Any:
    """A parsed geometry; what no parser takes builds no geometry either."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}


def _value(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)


def _not_json(source: str, error: Exception, text: bytes) -> UnreadableFile:
    """The error of a large text, with the row it stops in."""
    if isinstance(error, msgspec.ValidationError):
        return not_geojson(source)
    place = _BYTE.search(str(error))
    row = None if place is None else len(_FEATURE.findall(text, 0, int(place[1]))) or None
    return UnreadableFile("is not JSON", source=source, row=row, cure="export it again")


def _parsed(text: bytes, source: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        deep = ", or nested too deep" if isinstance(error, RecursionError) else ""
        raise UnreadableFile(f"is not JSON{where}{deep}", source=source, cure="export it again") from None
