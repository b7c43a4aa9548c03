"""A GeoPackage of several layers, each with a style which QGIS takes up by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import quoteattr

import orjson

from gridsvc.exchange.gdal import write_with
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.exchange.style import PALETTE, Style
from gridsvc.exchange.texts import xml_text

__all__ = ["write_geopackage"]

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

# The standard's own place for what is said of a layer; GDAL and QGIS show it.
_METADATA = """
CREATE TABLE IF NOT EXISTS gpkg_metadata (
    id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset',
    md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml',
    metadata TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (
    reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
    timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
    CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
    CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id)
);
"""
_EXTENSION = """
INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition, scope)
VALUES (?, NULL, 'gpkg_metadata', 'http://www.geopackage.org/spec121/#extension_metadata', 'read-write')
"""
_URI = "https://gridsvc.invalid/manifest"


def write_geopackage(path: Path, layers: Sequence[tuple[Outgoing, Style | None]]) -> None:
    """Write layers with their styles and manifests into a file which is not there yet.

    Parameters
    ----------
    layers : sequence of (Outgoing, Style or None)
        With names of their own.
    """
    for out, _ in layers:
        write_with("GPKG", path, out)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_METADATA)
        if any(style is not None for _, style in layers):
            connection.execute(_STYLES)
            connection.execute(_LISTED)
        for table in ("gpkg_metadata", "gpkg_metadata_reference"):
            connection.execute(_EXTENSION, (table,))
        for out, style in layers:
            if style is not None:
                connection.execute(_INSERT, (out.name, out.name, _qml(style)))
            _describe(connection, out)


def _describe(connection: sqlite3.Connection, out: Outgoing) -> None:
    """Tell what a layer is: in the list of contents for people, with its manifest for programs."""
    said = out.manifest(format="gpkg")
    text = orjson.dumps(said, option=orjson.OPT_UTC_Z).decode()
    insert = "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) VALUES (?, ?, ?, ?)"
    made = connection.execute(insert, ("dataset", _URI, "application/json", text)).lastrowid
    refer = "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, md_file_id) VALUES (?, ?, ?)"
    connection.execute(refer, ("table", out.name, made))
    if "crs_note" in said:
        describe = "UPDATE gpkg_contents SET description = ? WHERE table_name = ?"
        connection.execute(describe, (said["crs_note"], out.name))


def _qml(style: Style) -> str:
    """The style in QGIS's own words."""
    drawn = _single(style) if style.fill is None else _by_value(style)
    labels = "" if style.label is None else _labelling(style.label)
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.28" styleCategories="Symbology|Labeling" labelsEnabled="{int(bool(labels))}">'
        f"{drawn}{labels}</qgis>"
    )


def _by_value(style: Style) -> str:
    values = [xml_text(value) for value in style.values]
    categories = "".join(
        f'<category render="true" symbol="{i}" value={quoteattr(v)} label={quoteattr(v)}/>'
        for i, v in enumerate(values)
    )
    width, other = style.outline, len(values)
    symbols = "".join(_symbol(i, f"{PALETTE[i % len(PALETTE)]},110", width) for i in range(other))
    return (
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(xml_text(style.fill or ""))} '
        'enableorderby="0" forceraster="0">'
        f'<categories>{categories}<category render="true" symbol="{other}" value="" label=""/></categories>'
        f"<symbols>{symbols}{_symbol(other, '200,200,200,110', width)}</symbols></renderer-v2>"
    )


def _single(style: Style) -> str:
    return (
        '<renderer-v2 type="singleSymbol" enableorderby="0" forceraster="0">'
        f"<symbols>{_symbol(0, '255,255,255,0', style.outline)}</symbols></renderer-v2>"
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
