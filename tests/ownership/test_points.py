"""A batch's body becomes points, or is refused with the place of the fault."""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput, TooLarge
from gridsvc.ownership.careful import read_careful
from gridsvc.ownership.points import LIMIT, MAX_BYTES, parse

JSON = "application/json"
STREAM = "application/vnd.apache.arrow.stream"
FILE = "application/vnd.apache.arrow.file"


def json_of(document: Any) -> bytes:
    return json.dumps(document).encode()


def arrow_of(table: pa.Table, *, file: bool = False, chunk: int | None = None, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    opened = pa.ipc.new_file if file else pa.ipc.new_stream
    with opened(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, chunk)
    return sink.getvalue().to_pybytes()


def refused(body: bytes, media_type: str = JSON) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse(body, media_type)
    return caught.value


# --- all forms say the same

numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-180, 180))
rows = st.lists(st.tuples(numbers, numbers), max_size=20)


@settings(deadline=None)  # the first example brings pyarrow in
@given(rows)
def test_each_form_gives_the_same_points(asked: list[tuple[Any, Any]]) -> None:
    lat, lon = [a for a, _ in asked], [b for _, b in asked]
    objects = [{"lat": a, "lon": b} for a, b in asked]
    table = pa.table({"lon": pa.array(lon, pa.float64()), "lat": pa.array(lat, pa.float64())})
    bodies = {
        "columns": [(json_of({"lat": lat, "lon": lon}), JSON)],
        "objects": [(json_of(objects), JSON)],
        "points": [(json_of({"points": objects}), f"{JSON}; charset=utf-8")],
        "arrow": [
            (arrow_of(table), STREAM),
            (arrow_of(table, chunk=3), STREAM),
            (arrow_of(table, file=True), FILE),
        ],
    }
    expected = np.array(lon, np.float64), np.array(lat, np.float64)
    for form, given_ in bodies.items():
        for body, media_type in given_:
            batch = parse(memoryview(body), media_type)
            assert batch.form == form
            assert batch.lon.dtype == batch.lat.dtype == np.float64
            np.testing.assert_array_equal(batch.lon, expected[0])
            np.testing.assert_array_equal(batch.lat, expected[1])


# --- the quick way takes nothing which the careful way would read otherwise

TOKENS = [
    "1",
    "-0",
    "28.6",
    "1e5",
    "1E+2",
    "1e-999",
    "null",
    "9" * 30,
    "0.1000000000000000055511151231257827",
]
BAD_VALUES = ["true", '"5"', '"\\u0035"', "[1]", "{}", '{"lat":1}', "1e999", "-1e999", "9" * 400, "[[[]]]"]
NO_JSON = ["1.", "01", "-", "+1", ".5", "NaN", "-Infinity", "1_0", "١٢", "0x1", "--1", "1e", "nul", "", "'1'"]
values = st.sampled_from([*TOKENS * 4, *BAD_VALUES, *NO_JSON])
names = st.sampled_from(['"lat"', '"lon"', '"l\\u0061t"', '"points"', '"strict"', '"line"', '"other"', "lat"])
blanks = st.sampled_from(["", "", "", " ", "\n\t", "\ufeff", "\x0b"])
axes = st.lists(values, max_size=3).map(lambda items: f"[{','.join(items)}]")
objects = st.lists(st.tuples(names, values), min_size=1, max_size=3).map(
    lambda members: "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"
)
plain = st.tuples(values, values).map(lambda p: f'{{"lat":{p[0]},"lon":{p[1]}}}')
lists = st.lists(st.one_of(plain, plain, plain, objects), max_size=3).map(
    lambda items: f"[{','.join(items)}]"
)
members = st.one_of(
    st.tuples(st.just('"lat"'), axes),
    st.tuples(st.just('"lon"'), axes),
    st.tuples(st.just('"points"'), lists),
    st.tuples(st.sampled_from(['"strict"', '"line"', '"territory"', '"min_seq"', '"lang"', '"x"']), values),
    st.tuples(st.sampled_from(['"line"', '"lang"']), st.sampled_from(['"en"', '"a,b"', '"\\"lat"', '"中"'])),
)
bodies = st.one_of(
    lists,
    st.lists(members, max_size=4).map(lambda m: "{" + ",".join(f"{name}:{v}" for name, v in m) + "}"),
)


def outcome(read: Any) -> Any:
    try:
        lon, lat, form, options = read()
    except InvalidInput as error:
        return type(error), error.row, error.field
    return np.stack([lon, lat]).tobytes(), form, options


@settings(deadline=None)  # the first example brings pyarrow in
@given(blanks, bodies, blanks)
def test_the_quick_way_agrees_with_the_careful_one(before: str, body: str, behind: str) -> None:
    raw = (before + body + behind).encode()

    def quick() -> Any:
        batch = parse(raw, JSON)
        return batch.lon, batch.lat, batch.form, batch.options

    assert outcome(quick) == outcome(lambda: read_careful(raw, LIMIT))


@settings(deadline=None)  # the first example brings pyarrow in
@given(st.one_of(st.binary(max_size=60), bodies.map(str.encode)), st.sampled_from([JSON, STREAM, FILE]))
def test_any_bytes_are_a_batch_or_invalid_input(body: bytes, media_type: str) -> None:
    try:
        batch = parse(body, media_type)
    except InvalidInput:
        return
    assert len(batch.lon) == len(batch.lat) <= LIMIT


@settings(deadline=None)  # the first example brings pyarrow in
@given(st.data())
def test_any_damage_to_an_arrow_table_is_invalid_input_or_other_numbers(data: st.DataObject) -> None:
    table = pa.table({"lat": [1.0, 2.0, None], "lon": pa.array([1, 2, 3], pa.int16())})
    body = bytearray(arrow_of(table, file=data.draw(st.booleans())))
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
        body[at] = data.draw(st.integers(0, 255))
    try:
        parse(bytes(body), STREAM)
    except InvalidInput:
        return


# --- a bad value spoils its own row only


@pytest.mark.parametrize("value", BAD_VALUES)
@pytest.mark.parametrize("axis", ["lat", "lon"])
def test_a_value_which_is_no_number_spoils_its_row(value: str, axis: str) -> None:
    good = '"lon":3' if axis == "lat" else '"lat":3'
    columns = f'{{"{axis}":[1,{value},2],{good.replace("3", "[3,3,3]")}}}'
    points = f'[{{"{axis}":1,{good}}},{{"{axis}":{value},{good}}},{{"{axis}":2,{good}}}]'
    for body in (columns, points, f'{{"points":{points}}}'):
        batch = parse(body.encode(), JSON)
        spoilt, whole = (batch.lat, batch.lon) if axis == "lat" else (batch.lon, batch.lat)
        np.testing.assert_array_equal(spoilt, [1, math.nan, 2])
        np.testing.assert_array_equal(whole, [3, 3, 3])


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.float16()])
def test_nulls_and_what_is_not_finite_spoil_their_rows(kind: pa.DataType) -> None:
    given_ = np.array([1.5, 0, math.nan, math.inf], kind.to_pandas_dtype())
    lat = pa.array(given_, kind, mask=np.array([False, True, False, False]))
    batch = parse(arrow_of(pa.table({"lat": lat, "lon": pa.array([1, 2, 3, None], pa.uint8())})), STREAM)
    np.testing.assert_array_equal(batch.lat, [1.5, math.nan, math.nan, math.nan])
    np.testing.assert_array_equal(batch.lon, [1, 2, 3, math.nan])


# --- a fault of the whole is told with its place


@pytest.mark.parametrize(
    ("body", "row", "field"),
    [
        ('{"lat":[1,2,3],"lon":[1,2]}', 3, "lon"),
        ('{"lat":[1],"lon":[1,2]}', 2, "lat"),
        ('{"lat":[1]}', None, "lon"),
        ("{}", None, "lat"),
        ('{"lat":1,"lon":[1]}', None, "lat"),
        ('{"lat":[1],"lon":{}}', None, "lon"),
        ('{"lat":[1],"lon":null}', None, "lon"),
        ('{"lat":[1],"lat":[2],"lon":[1]}', None, "lat"),
        ('{"lat":[1],"l\\u0061t":[2],"lon":[1]}', None, "lat"),
        ('{"lat":[1],"lon":[1],"line":"a","line":"b"}', None, "line"),
        ('{"lat":[1],"lon":[1],"altitude":[1]}', None, "altitude"),
        ('{"lat":[1],"lon":[1],"points":[]}', None, "points"),
        ('{"points":{}}', None, "points"),
        ('{"points":[{"lat":1,"lon":2}],"points":[]}', None, "points"),
        ('[{"lat":1,"lon":2},{"lat":1}]', 2, "lon"),
        ('[{"lat":1,"lon":2},{"lat":1,"lat":1,"lon":2}]', 2, "lat"),
        ('[{"lat":1,"lon":2},{"lat":1,"lon":2,"id":7}]', 2, "id"),
        ('[{"lat":1,"lon":2},[1,2]]', 2, "points"),
        ('[{"lat":1,"lon":2},null]', 2, "points"),
        ('{"lat":[1],"lon":[1]', None, "body"),
        ('{"lat":[1],"lon":[1]}}', None, "body"),
        ('{"lat":[1],"lon":[NaN]}', None, "body"),
        ('{"lat":[١٢],"lon":[1]}', None, "body"),
        ('{"lat":[1_0.5],"lon":[1]}', None, "body"),
        ("\ufeff[]", None, "body"),
        ("[" * 100_000, None, "body"),
        ('{"lat":[' + "[" * 100_000, None, "body"),
        ("12", None, "body"),
        ('"lat"', None, "body"),
        ("", None, "body"),
    ],
)
def test_a_fault_is_named_with_its_place(body: str, row: int | None, field: str) -> None:
    error = refused(body.encode())
    assert (error.row, error.field) == (row, field)
    assert error.cure


@pytest.mark.parametrize("body", [b'{"lat":[1],"lon":[1]}', b'[{"lat":1,"lon":2}]', b'{"points":[]}'])
def test_half_a_body_is_refused(body: bytes) -> None:
    parse(body, JSON)
    for length in range(len(body)):
        refused(body[:length])
    for more in (b"1", b"{}", b",", b"\x00"):
        refused(body + more)


def test_other_encodings_are_refused() -> None:
    text = '{"lat":[1],"lon":[1],"line":"é"}'
    assert parse(text.encode(), JSON).options == {"line": "é"}
    for encoding in ("latin-1", "utf-16", "utf-32"):
        assert refused(text.encode(encoding)).field == "body"
    assert refused(b"[]", f"{JSON}; charset=gbk").field == "Content-Type"


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_kinds_of_bodies_are_refused(media_type: str) -> None:
    assert refused(b"[]", media_type).field == "Content-Type"


NUMBERS = {"lat": pa.array([1.0, 2.0]), "lon": pa.array([3.0, 4.0])}


@pytest.mark.parametrize(
    ("table", "field"),
    [
        (pa.table({"lat": [1.0]}), "lon"),
        (pa.Table.from_arrays([*NUMBERS.values(), NUMBERS["lat"]], names=["lat", "lon", "lat"]), "lat"),
        (pa.table({**NUMBERS, "lat": ["1", "2"]}), "lat"),
        (pa.table({**NUMBERS, "lon": [True, False]}), "lon"),
        (pa.table({**NUMBERS, "lon": pa.array([None, None])}), "lon"),
        (pa.table({**NUMBERS, "lon": pa.array([1, 2], pa.decimal128(5))}), "lon"),
        (pa.table({**NUMBERS, "lat": [[1.0], [2.0]]}), "lat"),
        (pa.table({**NUMBERS, "customer": ["a", "b"]}), "customer"),
        (pa.table({**NUMBERS, "lat": NUMBERS["lat"].dictionary_encode()}), "body"),
    ],
)
def test_an_arrow_table_of_another_form_is_refused(table: pa.Table, field: str) -> None:
    for file in (False, True):
        assert refused(arrow_of(table, file=file), STREAM).field == field


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_an_arrow_table_which_unfolds_is_refused(codec: str) -> None:
    table = pa.table({"lat": np.zeros(5000), "lon": np.zeros(5000)})
    assert "compressed" in str(refused(arrow_of(table, compression=codec), STREAM))


@pytest.mark.parametrize("file", [False, True])
def test_half_an_arrow_table_is_refused(file: bool) -> None:
    body = arrow_of(pa.table(NUMBERS), file=file, chunk=1)
    assert len(parse(body, STREAM).lat) == 2
    for length in range(len(body)):
        assert refused(body[:length], STREAM).field == "body"
    refused(body + b"\x00", STREAM)
    refused(body + body, STREAM)


def test_an_arrow_table_which_claims_more_rows_than_it_has_is_refused() -> None:
    body = arrow_of(pa.table({"lat": np.ones(77), "lon": np.ones(77)}))
    claims = struct.pack("<q", 77)
    assert body.count(claims) == 3  # of the batch and of each column
    assert refused(body.replace(claims, struct.pack("<q", 99_999)), STREAM).field == "body"


# --- limits


def many(n: int) -> dict[str, tuple[bytes, str]]:
    ones, table = [1] * n, pa.table({"lat": np.ones(n), "lon": np.ones(n)})
    objects_ = [{"lat": 1, "lon": 1}] * n
    return {
        "columns": (json_of({"lat": ones, "lon": ones}), JSON),
        "objects": (json_of(objects_), JSON),
        "points": (json_of({"points": objects_}), JSON),
        "arrow": (arrow_of(table), STREAM),
    }


@pytest.mark.parametrize("form", ["columns", "objects", "points", "arrow"])
def test_a_batch_has_at_most_100_000_points(form: str) -> None:
    assert len(parse(*many(LIMIT)[form]).lat) == LIMIT == 100_000
    for n in (LIMIT + 1, LIMIT + 1000):
        error = refused(*many(n)[form])
        assert isinstance(error, TooLarge)
        assert error.field == "lat"
        assert "100,000" in str(error.cure)


def test_a_batch_has_at_most_so_many_bytes() -> None:
    assert isinstance(refused(b"[]".ljust(MAX_BYTES + 1)), TooLarge)
    assert len(parse(b"[]".ljust(1000), JSON).lat) == 0


# --- options


def with_options(**options: Any) -> dict[str, Any]:
    quick = parse(json_of({**options, "lat": [1], "lon": [2]}), JSON)
    careful = parse(json_of({**options, "lat": ["bad"], "lon": [2]}), JSON)
    points = parse(json_of({**options, "points": []}), JSON)
    assert quick.options == careful.options == points.options
    return quick.options


def test_options_come_with_their_types() -> None:
    assert with_options() == {}
    assert with_options(
        territory="t", line="base", crs="gcj02", min_seq=7, strict=True, lang="zh", as_known=None
    ) == {"territory": "t", "line": "base", "crs": "gcj02", "min_seq": 7, "strict": True, "lang": "zh"}
    assert with_options(as_of="2026-12-01T00:00:00Z")["as_of"] == datetime(2026, 12, 1, tzinfo=UTC)
    assert with_options(as_known="2026-12-01T08:00+08:00")["as_known"] == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("territory", 1),
        ("territory", "a\nb"),
        ("line", None),
        ("crs", ["wgs84"]),
        ("as_of", "tomorrow"),
        ("as_of", 1_790_000_000),
        ("as_known", True),
        ("min_seq", "7"),
        ("min_seq", -1),
        ("min_seq", 1.5),
        ("min_seq", 2**70),
        ("min_seq", True),
        ("strict", "true"),
        ("strict", 1),
        ("strict", None),
        ("lang", "fr"),
    ],
)
def test_options_of_another_type_are_refused(name: str, value: Any) -> None:
    for points in ({"lat": [1], "lon": [2]}, {"lat": ["bad"], "lon": [2]}, {"points": []}):
        assert refused(json_of({**points, name: value})).field == name


def test_a_lone_surrogate_is_no_text() -> None:
    assert refused(b'{"points":[],"line":"\\ud800"}').field == "line"


def test_reading_json_brings_no_arrow_in() -> None:
    code = (
        "from gridsvc.ownership import columns, points; import sys;"
        "points.parse(b'[{\"lat\":1,\"lon\":true}]', 'application/json');"
        "print(sorted({'pyarrow', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
