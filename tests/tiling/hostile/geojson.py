"""GeoJSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import shapely

from tests.tiling.hostile.case import (
    BOX,
    VERTICES,
    case,
    features,
    polygon,
    text,
)


@case("bowtie.geojson", rows=2)  # read; that it crosses itself is told where it is used
def bow_tie_of_250_vertices(path: Path) -> None:
    xy = np.random.default_rng(1).uniform(0, 0.1, (250, 2)) + np.array((116, 39))
    text(path, features(BOX, polygon(*xy.tolist(), xy[0].tolist())))


@case("many.geojson", fault=r"row 2, geometry: up to here the layer has more than 1,000,000 vertices", row=2)
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


@case("digits.geojson", fault=r"row 1, geometry: geometry cannot be built", row=1)
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


@case("twice.geojson", fault=r"row 1, code: this member stands twice in one object", row=1)
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
