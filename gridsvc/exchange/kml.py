"""KML: placemarks with names, values and a colour each group, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.exchange.style import PALETTE, Style
from gridsvc.exchange.texts import xml_text

__all__ = ["kml_pieces"]


def kml_pieces(out: Outgoing, style: Style) -> Iterator[bytes]:
    """A layer as KML 2.2; its manifest stands in the document's `ExtendedData`.

    Raises
    ------
    InvalidInput
        Another system than WGS-84 is asked for: KML has no other, and would be shown in a wrong place.
    """
    if out.crs != "wgs84":
        raise InvalidInput(
            f"KML is always WGS-84, not {out.crs}",
            field="crs",
            cure="leave it out, or choose another format",
        )
    return _pieces(out, style)


def _pieces(out: Outgoing, style: Style) -> Iterator[bytes]:
    names = list(out.kinds)
    colours = {value: at % len(PALETTE) for at, value in enumerate(style.values)}
    yield _head(out.name).encode()
    for shapes, columns in out.parts(_oriented):
        rows = zip(*columns, strict=True) if columns else (() for _ in shapes)
        marks = [
            _placemark(shape, dict(zip(names, row, strict=True)), style, colours)
            for shape, row in zip(shapes, rows, strict=True)
        ]
        yield "".join(marks).encode()
    said = orjson.dumps(out.manifest(format="kml"), option=orjson.OPT_UTC_Z).decode()
    data = f'<Data name="gridsvc:manifest"><value>{escape(said)}</value></Data>'
    yield f"<ExtendedData>{data}</ExtendedData></Document></kml>\n".encode()


def _oriented(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    turned: NDArray[np.object_] = shapely.orient_polygons(shapes)
    return turned


def _head(name: str) -> str:
    styles = "".join(_style(f"s{at}", colour) for at, colour in enumerate(PALETTE))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<name>{escape(name)}</name>{styles}{_style('other', '200,200,200')}"
    )


def _style(name: str, colour: str) -> str:
    """A fill of a colour given as red, green, blue; KML writes alpha, blue, green, red."""
    turned = "".join(f"{int(part):02x}" for part in reversed(colour.split(",")))
    return (
        f'<Style id="{name}"><LineStyle><color>ff3c3c3c</color><width>1.5</width></LineStyle>'
        f"<PolyStyle><color>80{turned}</color></PolyStyle></Style>"
    )


def _placemark(shape: Any, row: dict[str, Any], style: Style, colours: dict[str, int]) -> str:
    number = colours.get(str(row.get(style.fill or "")))
    look = "other" if number is None else f"s{number}"
    label = row.get(style.label or next(iter(row), ""))
    data = "".join(
        f"<Data name={quoteattr(xml_text(name))}><value>{escape(_text(value))}</value></Data>"
        for name, value in row.items()  # all of them: GDAL takes the first placemark's for those there are
    )
    name = "" if label is None else f"<name>{escape(_text(label))}</name>"
    return (
        f"<Placemark>{name}<styleUrl>#{look}</styleUrl><ExtendedData>{data}</ExtendedData>"
        f"{_geometry(shape)}</Placemark>"
    )


def _text(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - what is not a number is not there either
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return xml_text(str(value))


def _geometry(shape: Any) -> str:
    if shape is None or shape.is_empty:
        return ""
    parts = [_part(part) for part in shapely.get_parts(shape)]
    return parts[0] if len(parts) == 1 else f"<MultiGeometry>{''.join(parts)}</MultiGeometry>"


def _part(shape: Any) -> str:
    if shape.geom_type == "Point":
        return f"<Point>{_coordinates(shape)}</Point>"
    inner = "".join(f"<innerBoundaryIs>{_ring(ring)}</innerBoundaryIs>" for ring in shape.interiors)
    return f"<Polygon><outerBoundaryIs>{_ring(shape.exterior)}</outerBoundaryIs>{inner}</Polygon>"


def _ring(ring: Any) -> str:
    return f"<LinearRing>{_coordinates(ring)}</LinearRing>"


def _coordinates(shape: Any) -> str:
    pairs: Iterable[list[float]] = shapely.get_coordinates(shape).tolist()
    return f"<coordinates>{' '.join(f'{x!r},{y!r}' for x, y in pairs)}</coordinates>"
