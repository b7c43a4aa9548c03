from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gridsvc.customers import Placement, PlaceOptions, Table, Verdict, place, write_todo
from gridsvc.tiling.tiling import Tiling

Reader = Callable[..., Table]

TEXT = (
    "id,lon,lat,cell\n"
    "a,120.05,30.05,\n"
    "=1+1,-120.05,30.05,\n"
    "+8613,x,30.05,\n"
    "@b,=cmd(),30.05,\n"
    "-c,,,B1\n"
    "d,120.05,30.05,\n"
)


def nowhere_but_120(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return np.where(lon > 120, 0, -1)


def placed(read: Reader, tiling: Tiling) -> tuple[Table, Placement]:
    table = read(TEXT)
    selected = np.array([True] * 5 + [False])
    return table, place(table, tiling, nowhere_but_120, PlaceOptions(selected=selected))


def test_it_lists_what_a_person_must_look_at(read: Reader, tiling: Tiling) -> None:
    out = io.StringIO()
    assert write_todo(out, *placed(read, tiling)) == 4
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert list(rows[0]) == ["row", "id", "verdict", "reason", "cure", "lon", "lat"]
    assert [row["row"] for row in rows] == ["2", "3", "4", "5"]
    assert [row["verdict"] for row in rows] == [
        "outside",
        "bad-coordinate",
        "bad-coordinate",
        "placed-by-code",
    ]
    assert rows[0]["reason"] == Verdict.OUTSIDE.reason
    assert rows[0]["cure"] == Verdict.OUTSIDE.cure


def test_no_cell_starts_a_formula_and_numbers_stay_numbers(read: Reader, tiling: Tiling) -> None:
    out = io.StringIO()
    write_todo(out, *placed(read, tiling))
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["id"] for row in rows] == ["'=1+1", "+8613", "'@b", "'-c"]
    assert [row["lon"] for row in rows] == ["-120.05", "x", "'=cmd()", ""]


def test_suspect_rows_are_listed(read: Reader, tiling: Tiling) -> None:
    table = read("id,lon,lat\na,120.05,30.05\nb,120.05,30.05\n")
    out = io.StringIO()
    write_todo(out, table, place(table, tiling, nowhere_but_120, PlaceOptions(suspect_rows=2)))
    assert out.getvalue().count("suspect-location") == 2


def test_a_file_is_written_whole_and_opens_in_excel(read: Reader, tiling: Tiling, tmp_path: Path) -> None:
    target = tmp_path / "todo.csv"
    target.write_text("old")
    write_todo(target, *placed(read, tiling))
    assert target.read_bytes().startswith(b"\xef\xbb\xbfrow,id,")
    assert not list(tmp_path.glob("*.part"))
