"""Files made to hurt, or spoilt as files are in practice; each with what must come of it.

``rows`` says how many rows the right answer has; ``fault`` is a pattern of the refusal, which names the row
and field where there is one. None of these lies in the repository: they are made where they are needed.
"""

from __future__ import annotations

import io
import json
import math
import sqlite3
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

__all__ = ["CASES", "Case"]

Make = Callable[[Path], None]
BOX = shapely.box(116.0, 39.0, 116.1, 39.1)
EAST = shapely.box(116.1, 39.0, 116.2, 39.1)
VERTICES = 10_000_000


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    make: Make
    rows: int | None = None
    fault: str | None = None
    row: int | None = None
    child_only: bool = False  # would take the reader's own process with it
    form: tuple[tuple[str, str], ...] = ()


CASES: list[Case] = []


def case(file: str, **expected: Any) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        name = make.__name__.replace("_", "-")
        CASES.append(Case(name, file, make, **expected))
        return make

    return add


def text(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def features(*shapes: Any, **more: Any) -> str:
    rows = [
        {
            "type": "Feature",
            "properties": {"code": f"{i:03}"},
            "geometry": s if s is None or isinstance(s, dict) else shapely.geometry.mapping(s),
        }
        for i, s in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows, **more})


def polygon(*xy: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(p) for p in xy]]}


def frame(*shapes: Any, crs: Any = 4326, **columns: Any) -> Any:
    import geopandas

    return geopandas.GeoDataFrame(
        columns or {"code": [f"{i:03}" for i in range(len(shapes))]}, geometry=list(shapes), crs=crs
    )


def zipped(path: Path, *entries: tuple[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def shapefile(folder: Path, table: Any, **options: Any) -> dict[str, bytes]:
    table.to_file(folder / "made.shp", **options)
    found = {p.suffix: p.read_bytes() for p in folder.glob("made.*")}
    for p in folder.glob("made.*"):
        p.unlink()
    return found


def halved(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


# --- GeoJSON


@case("bowtie.geojson", rows=2)  # read; that it crosses itself is told where it is used
def bow_tie_of_250_vertices(path: Path) -> None:
    xy = np.random.default_rng(1).uniform(0, 0.1, (250, 2)) + np.array((116, 39))
    text(path, features(BOX, polygon(*xy.tolist(), xy[0].tolist())))


@case("many.geojson", fault=r"row 2, geometry: up to here the layer has more than 4,000,000 vertices", row=2)
def ten_million_vertices(path: Path) -> None:
    ring = b",".join([b"[1,2]"] * 1000)
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        file.write(b'{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}},')
        file.write(b'{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[')
        file.write(b",".join([ring] * (VERTICES // 1000)) + b"]}}]}")


@case("nan.geojson", fault=r"row 2, geometry: a coordinate is not a finite number", row=2)
def nan(path: Path) -> None:
    text(path, features(BOX, polygon((116, 39), (math.nan, 39.1), (116.1, 39.1), (116, 39))))


@case("after.geojson", fault=r"row 2, geometry: a coordinate is not a finite number", row=2)
def nan_behind_a_missing_geometry(path: Path) -> None:
    text(path, features(None, polygon((116, 39), (math.nan, 39.1), (116.1, 39.1), (116, 39))))


@case("inf.geojson", fault=r"row 1, geometry: a coordinate is not a finite number", row=1)
def infinity(path: Path) -> None:
    text(path, features(polygon((116, 39), (math.inf, 39.1), (116.1, 39.1), (116, 39)), BOX))


@case("huge.geojson", fault=r"row 1, geometry: a coordinate is not a finite number", row=1)
def huge_exponents(path: Path) -> None:
    text(
        path, features(polygon((116, 39), (1e300, 39.1), (116.1, 39.1), (116, 39))).replace("1e+300", "1e400")
    )


@case("digits.geojson", fault=r"is not JSON")
def a_number_of_100000_digits(path: Path) -> None:
    text(path, features(BOX).replace("116.1", "9" * 100_000))


@case("antimeridian.geojson", fault=r"row 1, geometry: longitude 181 is outside -180 to 180", row=1)
def beyond_the_antimeridian(path: Path) -> None:
    text(path, features(polygon((179, 39), (181, 39), (181, 40), (179, 39))))


@case("split.geojson", rows=1)
def split_at_the_antimeridian(path: Path) -> None:
    text(path, features(shapely.multipolygons([shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1)])))


@case("pole.geojson", rows=1)
def a_cap_round_the_pole(path: Path) -> None:
    text(path, features(shapely.box(-180, 89, 180, 90)))


@case("overpole.geojson", fault=r"row 1, geometry: latitude 91 is outside", row=1)
def over_the_pole(path: Path) -> None:
    text(path, features(polygon((116, 89), (116.1, 91), (116.1, 89), (116, 89))))


@case("mixed.geojson", rows=3)
def mixed_kinds(path: Path) -> None:
    text(path, features(BOX, shapely.Point(116, 39), shapely.LineString([(116, 39), (117, 39)])))


@case("collection.geojson", rows=1)
def a_geometry_collection(path: Path) -> None:
    text(path, features(shapely.geometrycollections([BOX, shapely.Point(116, 39)])))


@case("open.geojson", rows=1)  # a ring which is not closed can only be meant in one way
def an_unclosed_ring(path: Path) -> None:
    text(path, features(polygon((116, 39), (116.1, 39), (116.1, 39.1), (116, 39.1))))


@case("short.geojson", fault=r"row 1, geometry: geometry cannot be built from its coordinates", row=1)
def a_ring_of_two(path: Path) -> None:
    text(path, features(polygon((116, 39), (116.1, 39.1)), BOX))


@case("words.geojson", fault=r"row 2, geometry: geometry cannot be built", row=2)
def words_for_coordinates(path: Path) -> None:
    text(path, features(BOX, {"type": "Polygon", "coordinates": [[["a", "b"]] * 4]}))


@case("deep.geojson", fault=r"is not JSON|nested too deep|cannot be built", child_only=True)
def nesting_of_100000(path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    text(
        path,
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":'
        '{"type":"Polygon","coordinates":' + deep + "}}]}",
    )


@case(
    "collections.geojson", fault=r"did not survive|nested too deep|cannot be built|not JSON", child_only=True
)
def collections_in_collections(path: Path) -> None:
    head, tail = '{"type":"GeometryCollection","geometries":[', "]}"
    text(path, features(None).replace("null", head * 50_000 + tail * 50_000))


@case("twice.geojson", rows=1)
def duplicate_keys(path: Path) -> None:
    text(path, features(BOX).replace('"code": "000"', '"code": "000", "code": "001"'))


@case("case.geojson", fault=r"Code: differs from 'code' in case only; rename one of them")
def names_which_differ_in_case(path: Path) -> None:
    text(path, features(BOX).replace('"code": "000"', '"code": "000", "Code": "001"'))


@case("wide.geojson", fault=r"has 10,000 columns, more than 1,000")
def ten_thousand_columns(path: Path) -> None:
    properties = json.dumps({f"c{i}": i for i in range(10_000)})
    text(path, features(BOX).replace('{"code": "000"}', properties))


@case("empty.geojson", rows=0)
def no_features(path: Path) -> None:
    text(path, features())


@case("nothing.geojson", fault=r"is empty; export it again")
def no_bytes(path: Path) -> None:
    text(path, b"")


@case("null.geojson", rows=2)
def a_missing_geometry(path: Path) -> None:
    text(path, features(BOX, None))


@case("flat.geojson", rows=1)
def without_area(path: Path) -> None:
    text(path, features(polygon((116, 39), (116.1, 39.1), (116.2, 39.2), (116, 39))))


@case("heights.geojson", rows=1)
def three_dimensions(path: Path) -> None:
    text(path, features(shapely.force_3d(BOX, 50.0)))


@case("metres.geojson", fault=r"row 1, geometry: coordinates such as .* look like metres", row=1)
def metres_as_degrees(path: Path) -> None:
    text(path, features(shapely.box(500_000, 4_400_000, 500_100, 4_400_100)))


@case("mars.geojson", fault=r"crs: names a coordinate system which has no EPSG code")
def an_unknown_system(path: Path) -> None:
    text(path, features(BOX, crs={"type": "name", "properties": {"name": "urn:mars:2000"}}))


@case("nocode.geojson", fault=r"EPSG:999999 is no coordinate system of maps")
def a_code_there_is_not(path: Path) -> None:
    text(path, features(BOX, crs={"type": "name", "properties": {"name": "EPSG:999999"}}))


@case("utf16.geojson", rows=1)
def json_in_utf16(path: Path) -> None:
    text(path, features(BOX).encode("utf-16"))


@case("lines.geojsonl", fault=r"row 2: is not a GeoJSON Feature; write one Feature a line", row=2)
def a_broken_line(path: Path) -> None:
    line = json.dumps(json.loads(features(BOX))["features"][0])
    text(path, f"{line}\n{line[:40]}\n")


# --- archives


@case("bomb.zip", fault=r"unpacks to more than 512 MB")
def zip_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.geojson", "w") as file,
    ):
        for _ in range(600):
            file.write(b" " * 1_000_000)


@case("liar.zip", fault=r"damaged or locked|unpacks to more|not JSON|takes more", child_only=True)
def an_archive_which_lies_of_its_size(path: Path) -> None:
    zipped(path, ("a.geojson", b" " * 3_000_000))
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 100)))


@case("up.zip", fault=r"entry 1 leads out of the archive")
def path_traversal(path: Path) -> None:
    zipped(path, ("../../a.geojson", features(BOX).encode()))


@case("link.zip", fault=r"entry 1 leads out of the archive")
def a_symbolic_link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("a.geojson")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")


@case("nested.zip", fault=r"holds another archive, but no layer")
def nested_archives(path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.geojson", features(BOX))
    zipped(path, ("inner.zip", inner.getvalue()))


@case("papers.zip", fault=r"holds no layer")
def an_archive_of_papers(path: Path) -> None:
    zipped(path, ("read.me", b"hello"))


@case("crowd.zip", fault=r"holds 3,000 files")
def thousands_of_entries(path: Path) -> None:
    zipped(path, *((f"{i}.txt", b"") for i in range(3000)))


@case("cut.zip", fault=r"is a damaged or locked archive")
def a_truncated_archive(path: Path) -> None:
    zipped(path, ("a.geojson", features(BOX).encode()))
    halved(path)


@case("two.zip", fault=r"layer: has several layers; name one with .*: a, b")
def two_layers(path: Path) -> None:
    zipped(path, ("a.geojson", features(BOX).encode()), ("b.geojson", features(EAST).encode()))


# --- Shapefiles


@case("gbk.zip", rows=1)
def gbk_without_cpg(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, name=["海淀区中关村街道"]), encoding="GBK")
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items() if suffix != ".cpg"))


@case("cpg.zip", rows=1)
def a_wrong_cpg(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, name=["海淀区中关村街道"]), encoding="GBK") | {".cpg": b"UTF-8"}
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items()))


@case("bytes.zip", fault=r"is in no encoding known here")
def text_in_no_encoding(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, name=["aaaa"]))
    parts[".dbf"] = parts[".dbf"].replace(b"aaaa", b"\x80\xff\xff\x80")
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items() if suffix != ".cpg"))


@case("noshx.zip", rows=1)
def without_index(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX))
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items() if suffix != ".shx"))


@case("cut.shp", fault=r"cannot be read as a layer|geometry|rows")
def a_shapefile_cut_off(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, EAST))
    text(path, parts[".shp"][:120])


# --- GeoPackage, FlatGeobuf, GeoParquet


@case("cut.gpkg", fault=r"cannot be read as a layer")
def a_truncated_geopackage(path: Path) -> None:
    frame(*[BOX] * 500).to_file(path)
    halved(path, 0.2)


@case("vrt.gpkg", fault=r"is not a \.gpkg file inside")
def a_vrt_in_disguise(path: Path) -> None:
    text(
        path,
        '<OGRVRTDataSource><OGRVRTLayer name="passwd"><SrcDataSource>/etc/passwd</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
    )


@case("arcs.gpkg", fault=r"row 1, geometry: is drawn with arcs", row=1)
def curves(path: Path) -> None:
    frame(BOX).to_file(path, layer="a")
    curve = bytes.fromhex("0108000000") + struct.pack("<I6d", 3, 116, 39, 116.05, 39.05, 116.1, 39)
    blob = b"GP\x00\x01" + struct.pack("<i", 4326) + curve
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{name}"')
        connection.execute("update a set geom = ?", (blob,))


@case("several.gpkg", fault=r"layer: has several layers; name one with .*: a, b")
def several_layers_in_a_geopackage(path: Path) -> None:
    frame(BOX).to_file(path, layer="a")
    frame(EAST).to_file(path, layer="b", mode="a")


@case("nocrs.gpkg", rows=1)
def a_geopackage_without_system(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame(BOX, crs=None).to_file(path)


@case("plain.gpkg", fault=r"cannot be read as a layer with geometry")
def a_geopackage_without_geometry(path: Path) -> None:
    import pandas
    import pyogrio

    pyogrio.write_dataframe(pandas.DataFrame({"note": ["x"]}), path, layer="notes")


@case("measured.csv", rows=1)
def measures_along_a_line(path: Path) -> None:
    text(path, 'code,wkt\n1,"LINESTRING M (116 39 1, 117 39 2)"\n')


@case("cut.fgb", fault=r"cannot be read as a layer")
def a_truncated_flatgeobuf(path: Path) -> None:
    frame(*[BOX] * 500).to_file(path)
    halved(path)


@case("cut.parquet", fault=r"cannot be read as a layer")
def a_truncated_geoparquet(path: Path) -> None:
    frame(BOX).to_parquet(path)
    halved(path)


@case("bomb.parquet", fault=r"takes more than|takes longer than|unpacks to more", child_only=True)
def a_parquet_bomb(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame(BOX).to_parquet(path)
    geo = (pq.read_schema(path).metadata or {})[b"geo"]
    n = 900_000
    first = pa.array(np.zeros(n, np.int32))
    words = pa.DictionaryArray.from_arrays(first, pa.array(["x" * 2000]))
    shapes = pa.DictionaryArray.from_arrays(first, pa.array([shapely.to_wkb(BOX)]))
    table = pa.table({"a": words, "geometry": shapes})
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({b"geo": geo})


# --- KML


KML = (
    '<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'
)
PLACE = "<Placemark><name>{name}</name><Point><coordinates>{at}</coordinates></Point></Placemark>"


@case("laughs.kml", fault=r"declares entities, which KML has no use for")
def a_billion_laughs_in_kml(path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    place = PLACE.format(name="&a9;", at="116,39")
    text(path, KML.format(head=f"<!DOCTYPE kml [{entities}]>", body=place))


@case("outside.kml", fault=r"declares entities")
def an_entity_which_opens_a_file(path: Path) -> None:
    head = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    text(path, KML.format(head=head, body=PLACE.format(name="&x;", at="116,39")))


@case("cut.kml", fault=r"cannot be read as a layer")
def a_truncated_kml(path: Path) -> None:
    text(path, KML.format(head="", body=PLACE.format(name="a", at="116,39") * 50)[:2000])


# --- tables


@case("formula.csv", rows=2)
def formulas_in_text(path: Path) -> None:
    text(
        path,
        'code,lon,lat,note\n001,116,39,"=HYPERLINK(""http://x"")"\n002,116,39,@SUM(1)*cmd|x!A0\n',
    )


@case("nul.csv", fault=r"row 2: is not text", row=2)
def a_nul_in_text(path: Path) -> None:
    text(path, b"code,lon,lat\n1,116,39\n2,116\0,39\n")


@case("utf16.csv", rows=1)
def utf16_with_mark(path: Path) -> None:
    text(path, "名称,经度,纬度\r\n甲,116,39\r\n".encode("utf-16"))


@case("newlines.csv", rows=3)
def mixed_newlines(path: Path) -> None:
    text(path, b"code,lon,lat\r\n1,116,39\n2,116,39\r\n3,116,39")


@case("gbk.csv", rows=1)
def gbk_in_csv(path: Path) -> None:
    text(path, "名称,经度,纬度\n海淀区,116,39\n".encode("gbk"))


@case("quote.csv", fault=r"a quotation mark is never closed|cannot be read as CSV")
def an_open_quotation(path: Path) -> None:
    text(path, 'code,lon,lat,note\n1,116,39,"never\n2,116,39,x\n')


@case("words.csv", fault=r"row 2, lon: is text, not a number", row=2)
def words_in_a_column_of_numbers(path: Path) -> None:
    text(path, "code,lon,lat\n1,116,39\n2,east,39\n")


@case("places.csv", fault=r"no column tells where its rows lie")
def no_coordinates(path: Path) -> None:
    text(path, "code,name\n1,a\n")


@case("wkt.csv", fault=r"row 2, wkt: is not well-known text", row=2)
def broken_wkt(path: Path) -> None:
    text(path, 'code,wkt\n1,POINT (116 39)\n2,"POLYGON ((116 39, 117 39"\n')


@case("deepwkt.csv", fault=r"row 1, wkt: is not well-known text", row=1)
def wkt_nested_deep(path: Path) -> None:
    text(path, 'code,wkt\n1,"' + "GEOMETRYCOLLECTION (" * 20_000 + ")" * 20_000 + '"\n')


@case("laughs.xlsx", fault=r"cannot be read as a workbook|takes more|takes longer", child_only=True)
def a_billion_laughs_in_a_workbook(path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    workbook(path, f"<!DOCTYPE worksheet [{entities}]>", "&a9;")


@case("macro.xlsm", rows=1)
def macros_and_links_to_elsewhere(path: Path) -> None:
    workbook(
        path,
        "",
        "甲",
        ("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0macro"),
        ("xl/externalLinks/externalLink1.xml", b"<externalLink/>"),
    )


@case("sheet.xlsx", fault=r"unpacks to more than|takes more|takes longer", child_only=True)
def a_workbook_bomb(path: Path) -> None:
    row = b"<row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", BOOK)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(600):
                sheet.write(row * (1_000_000 // len(row)))


BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
)


def workbook(path: Path, head: str, word: str, *more: tuple[str, bytes]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("name", "lon", "lat"), ("MARK", 116, 39)):
        sheet.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    first = parts["xl/worksheets/sheet1.xml"].decode().replace("MARK", word)
    parts["xl/worksheets/sheet1.xml"] = (head + first).encode()
    zipped(path, *parts.items(), *more)
