"""Files found by thinking like an attacker, or like a program with a fault."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from tests.tiling.hostile.case import BOX, EAST, case, features, frame, polygon, shapefile, text, zipped

TOO_MANY = r"row {row}, geometry: up to here the layer has more than 1,000,000 vertices"
TOO_LARGE = r"row {row}, geometry: has more than 200,000 vertices"


def circle(corners: int, lon: float = 116.0) -> Any:
    angle = np.linspace(0.0, 2.0 * np.pi, corners, endpoint=False)
    xy = np.column_stack([lon + 0.3 * np.cos(angle), 39 + 0.3 * np.sin(angle)])
    return shapely.polygons(np.vstack([xy, xy[:1]]))


# --- too many vertices, in each format


@case("one.parquet", fault=TOO_LARGE.format(row=1), row=1)
def a_geoparquet_feature_of_millions_of_vertices(path: Path) -> None:
    frame(circle(3_800_000)).to_parquet(path)


@case("rows.parquet", fault=TOO_MANY.format(row=15), row=15)
def a_geoparquet_of_ten_million_vertices(path: Path) -> None:
    frame(*[circle(100_000)] * 100).to_parquet(path)


@case("second.parquet", fault=TOO_LARGE.format(row=2), row=2)
def a_geoparquet_whose_second_feature_is_huge(path: Path) -> None:
    frame(BOX, circle(300_000), EAST).to_parquet(path)


@case("second.fgb", fault=TOO_LARGE.format(row=2), row=2)
def a_flatgeobuf_whose_second_feature_is_huge(path: Path) -> None:
    frame(BOX, circle(1_000_000), EAST).to_file(path, SPATIAL_INDEX="NO")


@case("rows.fgb", fault=r"geometry: up to here the layer has more than 1,000,000 vertices", row=15)
def a_flatgeobuf_of_millions_of_vertices(path: Path) -> None:
    frame(*(circle(99_999, 100 + i) for i in range(20))).to_file(path, SPATIAL_INDEX="NO")


@case("second.gpkg", fault=TOO_LARGE.format(row=2), row=2)
def a_geopackage_whose_second_feature_is_huge(path: Path) -> None:
    frame(BOX, circle(2_000_000), EAST).to_file(path)


@case("second.shp.zip", fault=TOO_LARGE.format(row=2), row=2)
def a_shapefile_whose_second_feature_is_huge(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, circle(1_000_000), EAST))
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items()))


@case("second.kml", fault=TOO_LARGE.format(row=2), row=2)
def a_kml_whose_second_feature_is_huge(path: Path) -> None:
    ring = " ".join(["116.1,39.1,0", "116.2,39.2,0"] * 1_000_000)
    place = "<Placemark><LineString><coordinates>{}</coordinates></LineString></Placemark>"
    body = place.format("1,2 3,4") + place.format(ring)
    text(path, f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>')


@case("second.csv", fault=TOO_LARGE.format(row=2), row=2)
def a_text_whose_second_geometry_is_huge(path: Path) -> None:
    text(path, f'code,wkt\n1,"{BOX.wkt}"\n2,"{shapely.to_wkt(circle(400_000))}"\n')


@case("long.csv", rows=1)
def a_row_of_megabytes(path: Path) -> None:
    text(path, f'code,wkt\n1,"{shapely.to_wkt(circle(100_000), rounding_precision=-1)}"\n')


@case("single.geojson", rows=1)
def one_large_feature_by_itself(path: Path) -> None:
    shape = shapely.to_geojson(shapely.multipolygons([circle(190_000)]))
    note = json.dumps("x" * 10_000_000)
    text(path, f'{{"type":"Feature","properties":{{"note":{note}}},"geometry":{shape}}}')


# --- what stands in a large file, and is still named


def large(path: Path, *bad: str) -> None:
    """A file of 20 MB whose last features are these texts."""
    good = json.dumps(json.loads(features(BOX))["features"][0] | {"note": "x" * 900})
    rows = ",\n".join([good] * 20_000 + list(bad))
    text(path, f'{{"type":"FeatureCollection","features":[{rows}]}}')


def feature(geometry: str) -> str:
    return f'{{"type":"Feature","properties":{{}},"geometry":{geometry}}}'


@case("largenan.geojson", fault=r"row 20001: is not JSON", row=20_001)
def nan_in_a_large_file(path: Path) -> None:
    large(path, feature('{"type":"Point","coordinates":[NaN,39]}'))


@case("largebad.geojson", fault=r"row 20001, geometry: geometry cannot be built", row=20_001)
def a_spoilt_geometry_in_a_large_file(path: Path) -> None:
    large(path, feature('{"type":"Polygon","coordinates":[[[1,2],[3,4]]]}'))


@case("largeopen.geojson", rows=20_001)
def an_open_ring_in_a_large_file(path: Path) -> None:
    large(path, feature('{"type":"Polygon","coordinates":[[[1,2],[3,4],[3,5],[1,5]]]}'))


@case("largetwice.geojson", fault=r"row 20001, geometry: this member stands twice", row=20_001)
def two_geometries_of_one_feature(path: Path) -> None:
    large(path, '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"geometry":null}')


@case("large16.geojson", rows=20_000)
def a_large_file_in_utf16(path: Path) -> None:
    large(path)
    path.write_bytes(path.read_text().encode("utf-16"))


# --- JSON


@case("twofeatures.geojson", fault=r"features: this member stands twice")
def two_lists_of_features(path: Path) -> None:
    one = features(BOX)
    text(path, one[:-1] + ', "features": []}')


@case("spaced.geojson", fault=r"row 1, code: this member stands twice", row=1)
def repeated_members_behind_blanks(path: Path) -> None:
    text(path, features(BOX).replace('"code": "000"', '"code"  \n : "000", "code":"001"'))


@case("colons.geojson", rows=1)
def colons_in_text(path: Path) -> None:
    text(path, features(BOX).replace('"000"', json.dumps('a": "b": "c":')))


@case("surrogate.geojson", fault=r"row 2, code: holds what is no text", row=2)
def half_a_character(path: Path) -> None:
    text(path, features(BOX, EAST).replace('"001"', '"\\ud800"'))


@case("nulchar.geojson", fault=r"row 1, code: holds what is no text", row=1)
def a_nul_character(path: Path) -> None:
    text(path, features(BOX).replace('"000"', '"a\\u0000b"'))


@case("bigint.geojson", fault=r"row 1, code: is a number of more than 19 digits", row=1)
def an_integer_beyond_64_bits(path: Path) -> None:
    text(path, features(BOX).replace('"000"', "123456789012345678901234567890"))


@case("deepvalue.geojson", fault=r"nested too deep|is not JSON|row 1", child_only=True)
def a_value_nested_100000_deep(path: Path) -> None:
    text(path, features(BOX).replace('"000"', "[" * 100_000 + "]" * 100_000))


@case("deepobject.geojson", fault=r"nested too deep|is not JSON|row 1", child_only=True)
def a_value_nested_500_objects_deep(path: Path) -> None:
    text(path, features(BOX).replace('"000"', '{"a":' * 500 + "1" + "}" * 500))


@case("objects.geojson", rows=1)
def objects_for_values(path: Path) -> None:
    text(path, features(BOX).replace('"000"', '{"a": [1, {"b": null}]}'))


@case("array.geojson", fault=r"is not GeoJSON")
def an_array(path: Path) -> None:
    text(path, "[1, 2]")


@case("number.geojson", fault=r"is not GeoJSON")
def a_number(path: Path) -> None:
    text(path, "17")


@case("nofeatures.geojson", fault=r"is not GeoJSON")
def features_which_are_none(path: Path) -> None:
    text(path, '{"type": "FeatureCollection", "features": 7}')


@case("strange.geojson", fault=r"row 2: is no Feature|is not GeoJSON", row=2)
def a_feature_which_is_a_text(path: Path) -> None:
    text(path, features(BOX)[:-2] + ', "x"]}')


@case("tail.geojson", fault=r"is not JSON")
def two_documents(path: Path) -> None:
    text(path, features(BOX) * 2)


@case("five.geojson", fault=r"row 1, geometry: geometry cannot be built", row=1)
def positions_of_five_numbers(path: Path) -> None:
    text(path, features(polygon(*[(x, y, 1, 2, 3) for x, y in BOX.exterior.coords])))


@case("onenumber.geojson", fault=r"row 1, geometry: geometry cannot be built", row=1)
def positions_of_one_number(path: Path) -> None:
    text(path, features(polygon(*[(1,)] * 4)))


@case("nullposition.geojson", fault=r"row 1, geometry: geometry cannot be built", row=1)
def a_position_of_null(path: Path) -> None:
    text(path, features({"type": "Point", "coordinates": [None, 39]}))


@case("kind.geojson", fault=r"row 1, geometry: geometry cannot be built", row=1)
def a_kind_there_is_not(path: Path) -> None:
    text(path, features({"type": "Blob", "coordinates": [116, 39]}))


@case("crsdeep.geojson", fault=r"crs: names a coordinate system", child_only=True)
def a_system_of_a_megabyte(path: Path) -> None:
    name = "PROJCS[" * 140_000
    text(path, features(BOX, crs={"type": "name", "properties": {"name": name}}))


# --- containers


@case("view.gpkg", fault=r"takes longer than|cannot be read as a layer", child_only=True)
def a_geopackage_whose_layer_never_ends(path: Path) -> None:
    frame(BOX).to_file(path, layer="a")
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select x, null geom from c"
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{name}"')
        connection.execute("alter table a rename to b")
        connection.execute(f"create view a as select x as fid, geom from ({endless})")


def with_blob(path: Path, blob: bytes) -> None:
    frame(BOX).to_file(path, layer="a", SPATIAL_INDEX="NO")
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{name}"')
        connection.execute("update a set geom = ?", (blob,))


HEAD = b"GP\x00\x01" + struct.pack("<i", 4326)


@case("liar.gpkg", fault=r"row 1, geometry: geometry cannot be built", row=1, child_only=True)
def a_ring_which_lies_of_its_length(path: Path) -> None:
    with_blob(path, HEAD + struct.pack("<BIII", 1, 3, 1, 0x7FFFFFFF))


@case("collections.gpkg", fault=r"row 1|cannot be read|did not survive|nested", child_only=True)
def binary_collections_in_collections(path: Path) -> None:
    with_blob(path, HEAD + struct.pack("<BII", 1, 7, 1) * 100_000 + struct.pack("<BIdd", 1, 1, 1, 2))


def of_binary(path: Path, *values: bytes | None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame(BOX).to_parquet(path)
    geo = (pq.read_schema(path).metadata or {})[b"geo"]
    table = pa.table({"code": ["x"] * len(values), "geometry": pa.array(values, pa.binary())})
    pq.write_table(table.replace_schema_metadata({b"geo": geo}), path)


@case("deep.parquet", fault=r"row 1|did not survive|nested|cannot be read", child_only=True)
def collections_in_collections_in_geoparquet(path: Path) -> None:
    of_binary(path, struct.pack("<BII", 1, 7, 1) * 100_000 + struct.pack("<BIdd", 1, 1, 1, 2))


@case("liar.parquet", fault=r"row 2, geometry: geometry cannot be built|takes more", row=2, child_only=True)
def binary_which_lies_of_its_length(path: Path) -> None:
    of_binary(path, shapely.to_wkb(BOX), struct.pack("<BIII", 1, 3, 1, 0x7FFFFFFF))


@case("short.parquet", fault=r"row 3, geometry: geometry cannot be built", row=3)
def binary_cut_off(path: Path) -> None:
    of_binary(path, shapely.to_wkb(BOX), None, shapely.to_wkb(BOX)[:-9])


@case("geo.parquet", fault=r"cannot be read as a layer with geometry")
def geoparquet_whose_account_names_another_column(path: Path) -> None:
    import pyarrow.parquet as pq

    frame(BOX).to_parquet(path)
    table = pq.read_table(path)
    geo = json.dumps({"primary_column": "shape", "columns": {"shape": {"encoding": "WKB"}}})
    pq.write_table(table.replace_schema_metadata({b"geo": geo.encode()}), path)


@case("numbers.parquet", fault=r"holds no geometry|cannot be read as a layer")
def geoparquet_whose_geometry_is_numbers(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    geo = json.dumps({"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}})
    pq.write_table(pa.table({"geometry": [1, 2]}).replace_schema_metadata({b"geo": geo.encode()}), path)


@case("lengths.fgb", fault=r"cannot be read as a layer|row 1|has 1,000,001 rows", child_only=True)
def a_flatgeobuf_with_lengths_made_up(path: Path) -> None:
    frame(*[BOX] * 10).to_file(path, SPATIAL_INDEX="NO")
    content = bytearray(path.read_bytes())
    at = 12 + struct.unpack_from("<I", content, 8)[0]
    content[at : at + 4] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(bytes(content))


@case("zeros.fgb", fault=r"cannot be read as a layer")
def a_flatgeobuf_of_zeros(path: Path) -> None:
    text(path, b"fgb\x03fgb\x01" + bytes(6_000_000))


# --- Shapefiles and archives


def spoilt(path: Path, **changed: bytes) -> None:
    parts = shapefile(path.parent, frame(BOX, EAST, name=["a", "b"]))
    parts |= {f".{suffix}": content for suffix, content in changed.items()}
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items()))


@case("prj.zip", fault=r"cannot be read as a layer", child_only=True)
def a_projection_of_ten_megabytes(path: Path) -> None:
    spoilt(path, prj=b'PROJCS["' + b"x" * 10_000_000)


@case("dbf.zip", rows=2)  # the shapes count; a table without columns tells nothing of them
def a_table_which_lies_of_its_width(path: Path) -> None:
    spoilt(path, dbf=struct.pack("<BBBBIHH", 3, 120, 1, 1, 0x7FFFFFFF, 65, 1) + bytes(100))


@case("overlap.zip", fault=r"unpacks to more than|damaged|two files of one name")
def entries_which_share_their_bytes(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b" " * 50_000_000)
        first = archive.filelist[0]
        for i in range(20):
            entry = zipfile.ZipInfo(f"b{i}.geojson")
            entry.header_offset, entry.file_size = first.header_offset, first.file_size
            entry.compress_size, entry.CRC, entry.compress_type = first.compress_size, first.CRC, 8
            archive.filelist.append(entry)


@case("locked.zip", fault=r"damaged or locked")
def an_archive_with_a_password(path: Path) -> None:
    zipped(path, ("a.geojson", features(BOX).encode()))
    content = bytearray(path.read_bytes())
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + flags] |= 1
    path.write_bytes(bytes(content))


@case("inner.zip", fault=r"row 2, geometry: a coordinate is not a finite number", row=2)
def a_fault_inside_an_archive(path: Path) -> None:
    bad = features(BOX, polygon((116, 39), (float("nan"), 39.1), (116.1, 39.1), (116, 39)))
    zipped(path, ("folder/层.geojson", bad.encode()))


# --- tables


@case("nan.csv", fault=r"row 2, geometry: a coordinate is not a finite number", row=2)
def nan_for_a_coordinate(path: Path) -> None:
    text(path, "code,lon,lat\n1,116,39\n2,nan,39\n")


@case("inf.csv", fault=r"row 1, geometry: a coordinate is not a finite number", row=1)
def infinity_for_a_coordinate(path: Path) -> None:
    text(path, "code,lon,lat\n1,1e400,39\n")


@case("half.csv", fault=r"row 2, geometry: a coordinate is not a finite number", row=2)
def half_a_coordinate(path: Path) -> None:
    text(path, "code,lon,lat\n1,116,39\n2,116,\n")


@case("nanwkt.csv", fault=r"row 1", row=1)
def nan_in_text(path: Path) -> None:
    text(path, "code,wkt\n1,POINT (nan 39)\n")


@case("header.csv", fault=r"columns or more, more than 1,000")
def a_header_of_200000_columns(path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(200_000))
    text(path, f"{names}\n{',' * 199_999}\n")


@case("commas.csv", fault=r"columns or more, more than 1,000")
def a_header_of_a_million_commas(path: Path) -> None:
    text(path, "," * 1_000_000 + "\n")


@case("manyrows.csv", fault=r"has 1,200,000 rows, more than 1,000,000", row=1_000_001)
def more_rows_than_a_million(path: Path) -> None:
    text(path, "lon,lat\n" + "1,2\n" * 1_200_000)


@case("line.csv", fault=r"row 1, geometry: a coordinate is not a finite number", row=1)
def a_line_of_forty_megabytes(path: Path) -> None:
    text(path, 'code,lon,lat\n1,116,"' + "3" * 40_000_000 + '"\n')


@case("srid.csv", fault=r"EPSG:999999 is no coordinate system|no coordinate system")
def a_srid_there_is_not(path: Path) -> None:
    text(path, "code,wkt\n1,SRID=999999;POINT (1 2)\n")
