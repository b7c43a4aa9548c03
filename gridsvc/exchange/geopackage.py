"""A GeoPackage of several layers, each with a style which QGIS takes up by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from gridsvc.exchange.files import replace_whole, write_into
from gridsvc.exchange.layers import Layer

__all__ = ["Style", "write_geopackage"]

# QGIS and GDAL make the table like this, but GDAL leaves out columns of a limited length.
_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT,
    styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT,
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""
_LISTED = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, description)
VALUES ('layer_styles', 'attributes', 'layer_styles', 'styles of the layers, for QGIS')
"""
_INSERT = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,
    styleQML, styleSLD, useAsDefault)
VALUES ('', '', ?, 'geom', ?, ?, '', 1)
"""
_PALETTE = (
    "78,121,167",
    "242,142,43",
    "225,87,89",
    "118,183,178",
    "89,161,79",
    "237,201,72",
    "176,122,161",
    "255,157,167",
    "156,117,95",
    "186,176,172",
    "31,119,180",
    "188,189,34",
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn: filled by the values of a column, or in outline only, labelled by another.

    Attributes
    ----------
    fill : str or None
    label : str or None
    """

    fill: str | None = None
    label: str | None = None


def write_geopackage(path: Path, layers: Sequence[Layer], styles: Mapping[str, Style]) -> None:
    """Write layers in WGS-84 with their styles, under a temporary name and renamed.

    Parameters
    ----------
    layers : sequence of Layer
        With names of their own.
    styles : mapping of a layer's name to Style

    Raises
    ------
    InvalidInput
        The folder is not there or may not be written.
    """

    def write(draft: Path) -> None:
        for layer in layers:
            write_into(draft, layer)
        with closing(sqlite3.connect(draft)) as connection, connection:
            connection.execute(_STYLES)
            connection.execute(_LISTED)
            for layer in layers:
                style = _qml(layer, styles[layer.name])
                connection.execute(_INSERT, (layer.name, layer.name, style))

    replace_whole(path, write)


def _qml(layer: Layer, style: Style) -> str:
    """The style in QGIS's own words."""
    drawn = _single() if style.fill is None else _by_value(layer, style.fill)
    labels = "" if style.label is None else _labelling(style.label)
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.28" styleCategories="Symbology|Labeling" labelsEnabled="{int(bool(labels))}">'
        f"{drawn}{labels}</qgis>"
    )


def _by_value(layer: Layer, column: str) -> str:
    values = sorted({str(value) for value in layer.columns[column] if value is not None})
    categories = "".join(
        f'<category render="true" symbol="{i}" value={quoteattr(v)} label={quoteattr(v)}/>'
        for i, v in enumerate(values)
    )
    symbols = "".join(_symbol(i, f"{_PALETTE[i % len(_PALETTE)]},110", 0.5) for i in range(len(values)))
    other = len(values)
    return (
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(column)} enableorderby="0" forceraster="0">'
        f'<categories>{categories}<category render="true" symbol="{other}" value="" label=""/></categories>'
        f"<symbols>{symbols}{_symbol(other, '200,200,200,110', 0.5)}</symbols></renderer-v2>"
    )


def _single() -> str:
    return (
        '<renderer-v2 type="singleSymbol" enableorderby="0" forceraster="0">'
        f"<symbols>{_symbol(0, '255,255,255,0', 0.1)}</symbols></renderer-v2>"
    )


def _symbol(number: int, colour: str, width: float) -> str:
    options = {
        "color": colour,
        "outline_color": "60,60,60,255",
        "outline_style": "solid",
        "outline_width": str(width),
        "outline_width_unit": "MM",
        "style": "solid",
    }
    rows = "".join(f'<Option name="{name}" type="QString" value="{v}"/>' for name, v in options.items())
    return (
        f'<symbol type="fill" name="{number}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="SimpleFill" enabled="1" locked="0" pass="0"><Option type="Map">{rows}</Option>'
        "</layer></symbol>"
    )


def _labelling(column: str) -> str:
    return (
        '<labeling type="simple"><settings calloutType="simple">'
        f'<text-style fieldName={quoteattr(column)} fontSize="9" fontSizeUnit="Point" isExpression="0" '
        'textColor="30,30,30,255"><text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" '
        'bufferColor="255,255,255,255"/></text-style><placement placement="1"/></settings></labeling>'
    )
