"""Boundaries and polygon layers: every format, and every fault with its row and cure."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.tiling.read import (
    boundary_from_geojson,
    column_array,
    polygons_from_geojson,
    read_boundary,
    read_polygons,
)

BOX = shapely.box(116.0, 39.0, 116.1, 39.1)
EAST = shapely.box(116.1, 39.0, 116.2, 39.1)


def collection(*rows):
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": properties,
                "geometry": shape
                if shape is None or isinstance(shape, dict)
                else shapely.geometry.mapping(shape),
            }
            for shape, properties in rows
        ],
    }


def ring(*xy):
    return {"type": "Polygon", "coordinates": [list(map(list, xy))]}


def message(caught) -> str:
    return str(caught.value)


# --- what is read -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "fgb", "parquet"])
def test_every_format_gives_the_same_layer(tmp_path, suffix):
    import geopandas

    frame = geopandas.GeoDataFrame(
        {"code": ["0001", "0002"], "name": ["甲", None], "kwh": [1.5, 2.0]}, geometry=[BOX, EAST], crs=4326
    )
    path = tmp_path / f"layer.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    layer = read_polygons(path, "code", None)
    order = np.argsort(layer.ids)  # FlatGeobuf sorts its rows by place
    assert layer.ids[order].tolist() == ["0001", "0002"]
    assert layer.columns["name"][order].tolist() == ["甲", ""]
    assert layer.columns["kwh"].dtype == np.float64
    assert layer.columns["kwh"][order].tolist() == [1.5, 2.0]
    assert shapely.equals(layer.geometry[order], [BOX, EAST]).all()
    assert read_boundary(path, None).area == pytest.approx(0.02)
    assert layer.source == f"layer.{suffix}"


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb", "parquet", "geojson"])
def test_the_files_own_coordinate_system_is_used(tmp_path, suffix):
    import geopandas

    frame = geopandas.GeoDataFrame({"code": ["1"]}, geometry=[BOX], crs=4326).to_crs(32650)
    path = tmp_path / f"layer.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "geojson":
        frame.to_file(path, RFC7946="NO")
    else:
        frame.to_file(path)
    assert shapely.bounds(read_boundary(path, None)) == pytest.approx(BOX.bounds, abs=1e-6)


def test_the_callers_coordinate_system_overrules_the_files(tmp_path):
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps(collection((BOX, {}))))
    shifted = shapely.centroid(read_boundary(path, "gcj02"))
    assert 300 < shifted.distance(shapely.centroid(BOX)) * 111_195 < 800


def test_a_geopackage_which_opens_with_a_plain_table_is_read(tmp_path):
    import geopandas
    import pandas
    import pyogrio

    path = tmp_path / "two.gpkg"
    pyogrio.write_dataframe(pandas.DataFrame({"note": ["x"]}), path, layer="notes")
    pyogrio.write_dataframe(
        geopandas.GeoDataFrame({"code": ["1"]}, geometry=[BOX], crs=4326), path, layer="areas", append=True
    )
    assert read_polygons(path, "code", None).ids.tolist() == ["1"]


@pytest.mark.parametrize(
    "obj",
    [
        shapely.geometry.mapping(BOX),
        {"type": "Feature", "properties": None, "geometry": shapely.geometry.mapping(BOX)},
        collection((BOX, {})),
        {"type": "GeometryCollection", "geometries": [shapely.geometry.mapping(BOX)]},
    ],
)
def test_a_boundary_may_be_any_kind_of_geojson(obj):
    boundary = boundary_from_geojson(obj, None)
    assert boundary.geom_type == "MultiPolygon"
    assert shapely.equals(boundary, BOX)


def test_a_boundary_is_the_union_of_its_polygons_overlapping_or_not():
    assert boundary_from_geojson(collection((BOX, {}), (EAST, {})), None).area == pytest.approx(0.02)
    wide = shapely.box(116.05, 39.0, 116.2, 39.1)
    united = boundary_from_geojson(collection((BOX, {}), (wide, {})), None)
    assert united.area == pytest.approx(0.02)
    assert shapely.get_num_geometries(united) == 1


def test_heights_are_dropped():
    flat = boundary_from_geojson(shapely.geometry.mapping(shapely.force_3d(BOX, 55.0)), None)
    assert not shapely.has_z(flat)
    assert shapely.equals(flat, BOX)


def test_multipart_rows_are_one_cell():
    both = shapely.multipolygons([BOX, shapely.box(117, 39, 117.1, 39.1)])
    layer = polygons_from_geojson(collection((both, {"code": "x"})), "code", None)
    assert shapely.get_num_geometries(layer.geometry).tolist() == [2]


def test_ids_are_text_and_keep_their_zeros():
    layer = polygons_from_geojson(
        collection((BOX, {"code": "000110101001"}), (EAST, {"code": 110101})), " code".strip(), None
    )
    assert layer.ids.tolist() == ["000110101001", "110101"]
    assert all(type(i) is str for i in layer.ids)


def test_the_features_own_id_can_be_used():
    obj = collection((BOX, {}))
    obj["features"][0]["id"] = "f1"
    assert polygons_from_geojson(obj, "id", None).ids.tolist() == ["f1"]


def test_columns_are_numbers_or_text():
    rows = collection((BOX, {"c": "a", "n": 1, "m": None, "t": "x"}), (EAST, {"c": "b", "n": 2.5, "m": 3}))
    columns = polygons_from_geojson(rows, "c", None).columns
    assert columns["n"].tolist() == [1.0, 2.5]
    assert np.isnan(columns["m"][0])
    assert columns["t"].tolist() == ["x", ""]
    assert "c" not in columns


def test_whole_numbers_stay_whole():
    found = column_array([110101000000, 110105000000])
    assert found.dtype == np.int64 and found.tolist() == [110101000000, 110105000000]
    assert column_array([1, 2.5]).dtype == np.float64
    assert np.isnan(column_array([1, None])).tolist() == [False, True]
    assert column_array([2**63, 1]).dtype == np.float64


def test_beijings_codes_stay_text_of_twelve_digits(beijing_layer):
    assert len(beijing_layer.ids) == 139
    assert all(isinstance(i, str) and len(i) == 12 for i in beijing_layer.ids)


# --- what is refused --------------------------------------------------------------------------------


def refused_file(tmp_path, name: str, content: bytes | None) -> str:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        read_boundary(path, None)
    assert str(tmp_path) not in message(caught)  # the file's name, not where it lies
    return message(caught)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("missing.geojson", None, "missing.geojson: cannot be opened"),
        ("empty.geojson", b"", "empty.geojson: is empty; export it again"),
        ("broken.geojson", b'{"type": "Feat', "broken.geojson: is not JSON (line 1)"),
        ("binary.geojson", b"\xff\xfe\x00", "is not JSON"),
        ("other.geojson", b"[1, 2]", "is not GeoJSON; give a Geometry"),
        ("word.geojson", b'{"type": "Topology"}', "is not GeoJSON"),
        ("text.gpkg", b"hello, not a database", "is not a .gpkg file inside; give GeoJSON"),
        ("cut.gpkg", b"SQLite format 3\x00" + b"\x00" * 100, "cannot be read as a layer"),
        ("cut.parquet", b"PAR1 and nothing more", "cannot be read as a layer"),
        ("cut.fgb", b"fgb\x03fgb\x00" + b"\x00" * 20, "cannot be read as a layer"),
        ("cut.shp", b"\x00\x00\x27\x0a" + b"\x00" * 96, "cannot be read as a layer"),
        ("table.doc", b"PK", "is no format known here (.doc)"),
        ("sneaky.gpkg", b"<OGRVRTDataSource/>", "is not a .gpkg file inside"),
    ],
)
def test_unreadable_files_say_so(tmp_path, name, content, text):
    assert text in refused_file(tmp_path, name, content)


def test_a_parquet_file_without_geometry_is_refused(tmp_path):
    import pandas

    pandas.DataFrame({"a": [1]}).to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(UnreadableFile, match=r"plain\.parquet: cannot be read as a layer with geometry"):
        read_boundary(tmp_path / "plain.parquet", None)


A = {"code": "a"}
B = {"code": "b"}
BOWTIE = ring((116, 39), (116.1, 39.1), (116.1, 39), (116, 39.1), (116, 39))
FIGURE = ring((116, 39), (116.2, 39), (116.2, 39.2), (116.1, 38.9), (116, 39.2), (116, 39))
LINE = ring((116, 39), (116.1, 39.1), (116.2, 39.2), (116, 39))
METRES = ring((500000, 4400000), (500100, 4400000), (500100, 4400100), (500000, 4400000))
SWAPPED = ring((39, 116), (39, 116.1), (39.1, 116.1), (39, 116))
HIGH = ring((116, 89), (116.1, 91), (116.1, 89), (116, 89))
WIDE = ring((179, 39), (181, 39), (181, 39.1), (179, 39))
NAN = ring((116, 39), (float("nan"), 39.1), (116.1, 39.1), (116, 39))
INF = ring((116, 39), (float("inf"), 39.1), (116.1, 39.1), (116, 39))
SHORT = ring((116, 39), (116.1, 39.1))
WORDS = {"type": "Polygon", "coordinates": "none"}


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (BOWTIE, "layer.geojson, row 2, geometry: polygon crosses or touches itself (Self-intersection"),
        (FIGURE, "row 2, geometry: polygon crosses or touches itself (Self-intersection"),
        (LINE, "row 2, geometry: polygon has no area; give it at least three corners"),
        (None, "row 2, geometry: geometry is missing or empty; give the row a polygon or remove it"),
        ({"type": "Polygon", "coordinates": []}, "row 2, geometry: geometry is missing or empty"),
        (shapely.Point(116, 39), "row 2, geometry: geometry is a Point, not a polygon"),
        (METRES, "row 2, geometry: coordinates such as 500000.0, 4400000.0 look like metres, not degrees"),
        (SWAPPED, "row 2, geometry: longitude and latitude look exchanged"),
        (HIGH, "row 2, geometry: latitude 91 is outside -90 to 90"),
        (WIDE, "row 2, geometry: longitude 181 is outside -180 to 180"),
        (NAN, "row 2, geometry: a coordinate is not a finite number"),
        (INF, "row 2, geometry: a coordinate is not a finite number"),
        (SHORT, "row 2, geometry: geometry cannot be built from its coordinates"),
        (WORDS, "row 2, geometry: geometry cannot be built from its coordinates"),
    ],
)
def test_a_bad_shape_names_its_row_and_cure(tmp_path, shape, text):
    path = tmp_path / "layer.geojson"
    path.write_text(json.dumps(collection((EAST, A), (shape, B))))
    for read in (lambda: read_polygons(path, "code", None), lambda: read_boundary(path, None)):
        with pytest.raises(InvalidGeometry) as caught:
            read()
        assert text in message(caught)
        assert caught.value.row == 2
        assert caught.value.cure


def test_a_bad_shape_in_a_geopackage_is_named_too(tmp_path):
    import geopandas

    bowtie = shapely.geometry.shape(BOWTIE)
    frame = geopandas.GeoDataFrame({"code": ["a", "b"]}, geometry=[EAST, bowtie], crs=4326)
    frame.to_file(tmp_path / "layer.gpkg")
    with pytest.raises(InvalidGeometry, match=r"layer\.gpkg, row 2, geometry: polygon crosses or touches"):
        read_polygons(tmp_path / "layer.gpkg", "code", None)


def test_a_long_self_crossing_outline_is_refused_at_once():
    rng = np.random.default_rng(2)
    xy = np.column_stack([rng.uniform(116, 117, 2000), rng.uniform(39, 40, 2000)])
    with pytest.raises(InvalidGeometry, match="crosses or touches itself"):
        boundary_from_geojson(ring(*xy.tolist(), xy[0].tolist()), None)


@pytest.mark.parametrize("obj", [collection(), collection((shapely.Point(1, 1), {})), collection((None, {}))])
def test_a_boundary_without_polygons_is_refused(obj):
    with pytest.raises(
        InvalidGeometry, match=r"boundary: holds no (rows|polygons); give a layer of polygons"
    ):
        boundary_from_geojson(obj, None)


def test_an_unknown_id_column_lists_those_there_are():
    with pytest.raises(UnknownColumn, match="there is no column 'kode'; take one of: code, name"):
        polygons_from_geojson(collection((BOX, {"code": "a", "name": "x"})), "kode", None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "polygons, row 2, code: id is missing; give each row an id"),
        ("  ", "row 2, code: id is missing"),
        (110101.0, "row 2, code: id 110101.0 is not text; store the column as text"),
        (True, "row 2, code: id True is not text"),
        (["a"], "row 2, code: id is not text"),
    ],
)
def test_a_bad_id_names_its_row_and_cure(value, text):
    with pytest.raises(InvalidInput) as caught:
        polygons_from_geojson(collection((BOX, A), (EAST, {"code": value})), "code", None)
    assert text in message(caught)


def test_a_duplicate_id_names_both_rows():
    rows = collection((BOX, A), (EAST, B), (shapely.box(0, 0, 1, 1), A))
    with pytest.raises(InvalidInput, match="row 3, code: id 'a' stands in rows 1 and 3; give each row"):
        polygons_from_geojson(rows, "code", None)


def test_metres_are_accepted_once_their_system_is_named():
    boundary = boundary_from_geojson(METRES, "EPSG:32650")
    assert shapely.centroid(boundary).x == pytest.approx(117.0, abs=0.01)


def test_an_unknown_coordinate_system_is_refused():
    with pytest.raises(InvalidInput, match="crs"):
        boundary_from_geojson(shapely.geometry.mapping(BOX), "mars")
    with pytest.raises(InvalidInput, match="crs"):
        boundary_from_geojson(shapely.geometry.mapping(BOX), "EPSG:999999")


def test_degrees_given_as_a_projected_system_are_refused():
    with pytest.raises(InvalidGeometry, match="row 1, geometry"):
        boundary_from_geojson(ring((1e9, 1e9), (1e9, 2e9), (2e9, 2e9), (1e9, 1e9)), "EPSG:32650")
