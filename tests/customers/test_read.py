from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from gridsvc.customers import Columns, Table, read_customers
from gridsvc.errors import InvalidInput, UnknownColumn, UnreadableFile

Reader = Callable[..., Table]


def test_usual_column_names_are_found(read: Reader) -> None:
    table = read("Customer_ID,Longitude,Latitude,area_code\nx,120.5,30.5,440305\n")
    assert table.columns == Columns("Customer_ID", "Longitude", "Latitude", "area_code")
    assert (table.ids[0], table.lon[0], table.lat[0], table.code[0]) == ("x", 120.5, 30.5, "440305")
    assert (table.source, table.crs) == ("customers.csv", "wgs84")


def test_chinese_names_in_a_gbk_file(read: Reader) -> None:
    table = read("用户编号,经度,纬度,名称\n007,120.1,30.1,某公司\n".encode("gbk"))
    assert table.ids.tolist() == ["007"]
    assert table.frame["名称"].tolist() == ["某公司"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(read: Reader, encoding: str, delimiter: str) -> None:
    text = "编号,经度,纬度\r\n户一,120.1,30.1\r\n".replace(",", delimiter)
    table = read(text.encode(encoding))
    assert (table.ids[0], table.lon[0], table.lat[0]) == ("户一", 120.1, 30.1)


def test_ids_are_opaque_text(read: Reader) -> None:
    table = read("id,lon,lat\n0012,1,2\n 1e5 ,1,2\n,1,2\nNA,1,2\n")
    assert table.ids.tolist() == ["0012", "1e5", "", "NA"]


def test_without_an_id_column_rows_are_numbered(read: Reader) -> None:
    table = read("lon,lat\n1,2\n3,4\n")
    assert table.ids.tolist() == ["1", "2"]
    assert table.columns.id is None


def test_a_row_with_text_or_infinity_is_bad_and_one_with_nothing_is_missing(read: Reader) -> None:
    table = read("lon,lat\nx,30\n120,inf\n120,1e999\nNA,30\n,\n120,30\n120.5E,30\n")
    assert table.raw_bad.tolist() == [True, True, True, False, False, False, True]
    assert np.isnan(table.lon).tolist() == [True, False, False, True, True, False, True]
    assert not np.isinf(table.lat).any()


def test_the_premise_column_is_never_guessed(read: Reader) -> None:
    text = "lon,lat,premise\n1,2,p\n"
    assert read(text).premise is None
    assert read(text, Columns(place_key="premise")).premise.tolist() == ["p"]


@pytest.mark.parametrize("role", ["id", "lon", "lat", "code", "place_key"])
def test_a_named_column_which_is_not_there_lists_those_which_are(read: Reader, role: str) -> None:
    with pytest.raises(UnknownColumn, match=r"customers\.csv, nope: .*the columns are: id, lon, lat"):
        read("id,lon,lat\n1,2,3\n", Columns(**{role: "nope"}))


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", UnreadableFile, "is empty"),
        (b" \n\n", UnreadableFile, "is empty"),
        (b"id,lon,lat\n", InvalidInput, "no data rows"),
        (b"id,lon,lat", InvalidInput, "no data rows"),
        (b"id,lon,lat\n1,2,3\n1,2,3,4\n", UnreadableFile, r"row 2: 4 fields, but the header has 3; put"),
        (b"id,lon,lat\n1,2\n", UnreadableFile, "row 1: 2 fields"),
        (b'id,lon,lat\n1,2,"3\n4,5,6\n', UnreadableFile, "never closed"),
        (b"id,lon,lon\n1,2,3\n", InvalidInput, "two columns have this name"),
        (b"id,name\n1,2\n", InvalidInput, "no lon column found; name it with --lon, --lat or --code"),
        (b"id,lon\n1,2\n", InvalidInput, "no lat column found"),
        (b"PK\x03\x04abc", UnreadableFile, "workbook or an archive; save the sheet as CSV"),
        (b"\x00\x01\x02", UnreadableFile, "is not text"),
        (b"\x81\xff\xff,b\n", UnreadableFile, "neither UTF-8 nor GB 18030"),
        (b"PAR1 this is no table", UnreadableFile, "is not csv, as its name says"),
    ],
)
def test_a_bad_file_is_refused_with_place_and_cure(
    read: Reader, content: bytes, error: type[InvalidInput], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        read(content)
    assert caught.value.cure
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".geojson"])
def test_broken_files_of_other_formats_are_refused(tmp_path: Path, suffix: str) -> None:
    content = {".parquet": b"PAR1xxxx", ".gpkg": b"SQLite format 3\0xxxx", ".geojson": b'{"type": 1'}[suffix]
    path = tmp_path / f"c{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=f"^c{suffix}: "):
        read_customers(path)


def test_a_file_which_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^none\.csv: there is no such file"):
        read_customers(tmp_path / "none.csv")


def points(crs: int = 4326) -> geopandas.GeoDataFrame:
    where = geopandas.GeoSeries([shapely.Point(120.1, 30.1), None, shapely.Point(120.3, 30.1)], crs=4326)
    return geopandas.GeoDataFrame(
        {"id": ["007", "8", "9"], "kwh": [1.5, 2.5, None]}, geometry=where.to_crs(crs)
    )


def write(frame: geopandas.GeoDataFrame, path: Path) -> Path:
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path)
    return path


@pytest.mark.parametrize("name", ["c.geojson", "c.gpkg", "c.parquet"])
def test_points_of_geometry_files(tmp_path: Path, name: str) -> None:
    table = read_customers(write(points(), tmp_path / name))
    np.testing.assert_allclose(table.lon, [120.1, np.nan, 120.3])
    np.testing.assert_allclose(table.lat, [30.1, np.nan, 30.1])
    assert table.ids.tolist() == ["007", "8", "9"]
    assert not table.raw_bad.any()
    assert table.crs == "wgs84"
    assert "geometry" not in table.frame


@pytest.mark.parametrize("name", ["c.gpkg", "c.parquet"])
def test_a_file_tells_its_own_crs_unless_one_is_given(tmp_path: Path, name: str) -> None:
    path = write(points(32650), tmp_path / name)
    assert read_customers(path).crs == "EPSG:32650"
    assert read_customers(path, crs="gcj02").crs == "gcj02"


def test_shapes_are_refused_and_a_single_one_is_a_bad_row(tmp_path: Path) -> None:
    box = shapely.box(120, 30, 121, 31)
    with pytest.raises(InvalidInput, match="holds shapes, not points"):
        read_customers(write(geopandas.GeoDataFrame(geometry=[box], crs=4326), tmp_path / "a.gpkg"))
    mixed = geopandas.GeoDataFrame(geometry=[box, shapely.MultiPoint([(120.1, 30.1)])], crs=4326)
    table = read_customers(write(mixed, tmp_path / "b.geojson"))
    assert table.raw_bad.tolist() == [True, False]
    assert table.lon[1] == 120.1


def test_several_layers_are_refused(tmp_path: Path) -> None:
    for layer in ("a", "b"):
        points().to_file(tmp_path / "c.gpkg", layer=layer)
    with pytest.raises(InvalidInput, match=r"has several layers \(a, b\)"):
        read_customers(tmp_path / "c.gpkg")


def test_plain_parquet_keeps_whole_number_ids_whole(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": [12.0, None], "lon": [120.1, np.inf], "lat": [30.1, 30.2], "code": [440305, 440306]}
    )
    frame.to_parquet(tmp_path / "c.parquet")
    table = read_customers(tmp_path / "c.parquet")
    assert table.ids.tolist() == ["12", ""]
    assert table.code.tolist() == ["440305", "440306"]
    assert table.raw_bad.tolist() == [False, True]
