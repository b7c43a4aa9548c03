"""Each wrong input: one line that names the place and the cure, exit code 2, nothing half written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SQUARE, Run, collection, polygon


def _tile(boundary: object, *more: object, resolution: object = 8) -> tuple[object, ...]:
    return ("tile", "--boundary", boundary, "--h3-res", resolution, *more, "-o", "cells.parquet")


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_unknown_column(refused: Any, square: Path, customers: Path) -> None:
    line = refused(*_tile(square, "--customers", customers, "--measure", "use=sum:volts"))
    assert "volts" in line
    assert "kwh" in line


def test_unreadable_file(refused: Any, tmp_path: Path, square: Path) -> None:
    noise = tmp_path / "noise.geojson"
    noise.write_bytes(b"\x00\x01\x02")
    assert "noise.geojson" in refused(*_tile(noise))
    parquet = tmp_path / "c.parquet"
    parquet.write_bytes(b"PAR1 no")
    assert "c.parquet" in refused(*_tile(square, "--customers", parquet))
    assert "nowhere.geojson" in refused(*_tile("nowhere.geojson"))


def test_empty_file(refused: Any, tmp_path: Path, square: Path) -> None:
    empty = _file(tmp_path, "empty.csv", "")
    assert "empty" in refused(*_tile(square, "--customers", empty))
    header = _file(tmp_path, "header.csv", "id,lon,lat\n")
    assert "header.csv" in refused(*_tile(square, "--customers", header))
    assert "empty.geojson" in refused(*_tile(_file(tmp_path, "empty.geojson", "")))


def test_boundary_without_area(refused: Any, tmp_path: Path) -> None:
    line = [[0.0, 0.0], [0.1, 0.0], [0.0, 0.0], [0.0, 0.0]]
    flat = _file(tmp_path, "flat.geojson", json.dumps(collection(polygon(line))))
    assert "flat.geojson" in refused(*_tile(flat))


def test_self_crossing_polygon(refused: Any, tmp_path: Path) -> None:
    bow = [[0.0, 0.0], [0.1, 0.1], [0.1, 0.0], [0.0, 0.1], [0.0, 0.0]]
    crossed = _file(tmp_path, "bow.geojson", json.dumps(collection(polygon(SQUARE), polygon(bow))))
    assert "bow.geojson, row 2" in refused(*_tile(crossed))


@pytest.mark.parametrize("latitude", [91, -90.5])
def test_latitude_91(refused: Any, tmp_path: Path, square: Path, latitude: float) -> None:
    ring = [[0.0, 0.0], [0.1, 0.0], [0.1, latitude], [0.0, 0.0]]
    high = _file(tmp_path, "high.geojson", json.dumps(collection(polygon(ring))))
    assert "high.geojson, row 1" in refused(*_tile(high))
    points = _file(tmp_path, "points.csv", f"id,lon,lat\n1,0.05,{latitude}\n")
    line = refused(*_tile(square, "--customers", points))
    assert "points.csv, row 1, lat" in line


def test_swapped_axes(refused: Any, tmp_path: Path, square: Path) -> None:
    # Places of the square stay in it with lon and lat exchanged; those of this strip do not.
    strip = [[0.3, 0.0], [0.4, 0.0], [0.4, 0.1], [0.3, 0.1], [0.3, 0.0]]
    territory = _file(tmp_path, "strip.geojson", json.dumps(collection(polygon(strip))))
    rows = "".join(f"{i},0.05,0.3{i}\n" for i in range(1, 9))
    swapped = _file(tmp_path, "swapped.csv", "id,lon,lat\n" + rows)
    line = refused(*_tile(territory, "--customers", swapped))
    assert "exchanged" in line
    assert "--lon" in line


def test_not_a_number(refused: Any, tmp_path: Path, square: Path) -> None:
    nan = _file(tmp_path, "nan.csv", "id,lon,lat,kwh\n1,nan,0.05,3\n2,0.05,NaN,4\n")
    assert "nan.csv, row 1" in refused(*_tile(square, "--customers", nan))
    gaps = _file(tmp_path, "gaps.csv", "id,lon,lat,kwh\n1,0.05,0.05,\n2,0.05,0.06,4\n")
    line = refused(*_tile(square, "--customers", gaps, "--measure", "kwh=sum:kwh"))
    assert "gaps.csv, row 1" in line
    assert "--missing" in line


def test_duplicate_ids(refused: Any, tmp_path: Path, square: Path) -> None:
    layer = collection(polygon(SQUARE, code="7"), polygon(SQUARE, code="7"))
    twice = _file(tmp_path, "twice.geojson", json.dumps(layer))
    line = refused("tile", "--polygons", twice, "--id-field", "code", "-o", "cells.parquet")
    assert "twice.geojson, row 2, code" in line
    points = _file(tmp_path, "points.csv", "id,lon,lat\n" + "1,0.05,0.05\n" * 9)
    assert "points.csv, row 2" in refused(*_tile(square, "--customers", points))
    cells = _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\na,2,0,1\n")
    edges = _file(tmp_path, "edges.csv", "a,b\na,b\n")
    line = refused("balance", cells, "--adjacency", edges, "--grids", 1, "--measure", "n", "-o", "g.csv")
    assert "cells.csv, row 3, cell" in line


def test_more_grids_than_cells(refused: Any, tmp_path: Path) -> None:
    cells = _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\n")
    edges = _file(tmp_path, "edges.csv", "a,b\na,b\n")
    line = refused("balance", cells, "--adjacency", edges, "--grids", 3, "--measure", "n", "-o", "g.csv")
    assert "3 grids" in line
    assert "2 cells" in line


def test_too_fine_a_resolution(refused: Any, tmp_path: Path) -> None:
    ring = [[-5.0, 50.0], [5.0, 50.0], [5.0, 56.0], [-5.0, 56.0], [-5.0, 50.0]]
    land = _file(tmp_path, "land.geojson", json.dumps(collection(polygon(ring))))
    line = refused(*_tile(land, resolution=12))
    assert "5,000,000" in line
    assert "resolution" in line


@pytest.mark.parametrize("tolerance", ["5", "1", "-1%", "five"])
def test_tolerance_that_could_mean_two_things(refused: Any, tmp_path: Path, tolerance: str) -> None:
    cells = _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\n")
    edges = _file(tmp_path, "edges.csv", "a,b\na,b\n")
    command = (
        "balance",
        cells,
        "--adjacency",
        edges,
        "--grids",
        1,
        "--measure",
        f"n:{tolerance}",
        "-o",
        "g.csv",
    )
    assert "tolerance" in refused(*command)


def test_cells_without_geometry_or_edges(refused: Any, tmp_path: Path) -> None:
    cells = _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\n")
    assert "--adjacency" in refused("balance", cells, "--grids", 1, "--measure", "n", "-o", "g.csv")


def test_cells_or_edges_without_rows(refused: Any, tmp_path: Path) -> None:
    full, header = "cell,x,y,n\na,0,0,1\nb,1,0,1\n", "cell,x,y,n\n"
    for cells, edges, said in (
        (header, "a,b\na,b\n", "cells.csv: holds no rows"),
        ("", "a,b\na,b\n", "cells.csv: is empty"),
        (full, "", "edges.csv: is empty"),
        (full, "a,b\n", "2 parts"),
    ):
        _file(tmp_path, "cells.csv", cells)
        _file(tmp_path, "edges.csv", edges)
        command = ("balance", "cells.csv", "--adjacency", "edges.csv", "--grids", 1, "--measure", "n")
        assert said in refused(*command, "-o", "g.csv")


@pytest.mark.parametrize(
    ("row", "said"),
    [("b,b", "row 2, b: cell 'b' beside itself"), ("b,c,-1", "row 2, length: -1"), ("z,a", "row 2, a")],
)
def test_edges_which_are_none(refused: Any, tmp_path: Path, row: str, said: str) -> None:
    _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\nc,2,0,1\n")
    length = ",length" if row.count(",") == 2 else ""
    _file(tmp_path, "edges.csv", f"a,b{length}\na,b{',1' if length else ''}\n{row}\n")
    command = ("balance", "cells.csv", "--adjacency", "edges.csv", "--grids", 1, "--measure", "n")
    assert said in refused(*command, "-o", "g.csv")


def test_edges_both_ways_count_once(run: Run, tmp_path: Path) -> None:
    _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\nc,2,0,1\nd,3,0,1\n")
    once = _file(tmp_path, "once.csv", "a,b\na,b\nb,c\nc,d\n")
    twice = _file(tmp_path, "twice.csv", "a,b\na,b\nb,a\nb,c\nc,d\nd,c\nd,c\n")
    reports = []
    for edges in (once, twice):
        command = ("balance", "cells.csv", "--adjacency", edges, "--grids", 2, "--measure", "n")
        said = run(*command, "-o", "g.csv", "--json")
        assert said.code == 0, said.err
        reports.append((said.json["overall"], (tmp_path / "g.csv").read_bytes()))
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "nowhere/g.csv"), "output: cannot write g.csv"),
        (("-o", "g.csv", "--report", "nowhere/r.json"), "report: cannot write r.json"),
        (("-o", "g.csv", "--report", "g.csv"), "report: g.csv is the output too"),
        (("-o", "g.csv", "--frontier", "nowhere/f"), "frontier: cannot write f"),
    ],
)
def test_files_which_could_not_be_written_are_refused_before_the_work(
    refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    from gridsvc.cli import balance as module

    monkeypatch.setattr(module, "solve_tiling", None)
    cells = _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\n")
    edges = _file(tmp_path, "edges.csv", "a,b\na,b\n")
    assert said in refused("balance", cells, "--adjacency", edges, "--grids", 1, "--measure", "n", *options)


def test_an_edge_to_nowhere(refused: Any, tmp_path: Path) -> None:
    cells = _file(tmp_path, "cells.csv", "cell,x,y,n\na,0,0,1\nb,1,0,1\n")
    edges = _file(tmp_path, "edges.csv", "a,b\na,b\na,z\n")
    line = refused("balance", cells, "--adjacency", edges, "--grids", 1, "--measure", "n", "-o", "g.csv")
    assert "edges.csv, row 2, b" in line


def test_usage(run: Run) -> None:
    for arguments in (["tile"], ["balance"], ["lookup"], ["frobnicate"]):
        said = run(*arguments)
        assert said.code == 2
        assert said.err.startswith("gridsvc: ")


def test_errors_for_programs(run: Run, square: Path) -> None:
    said = run("tile", "--boundary", square, "--h3-res", "99", "-o", "cells.parquet", "--json")
    assert said.code == 2
    assert said.json["error"]["code"] == "invalid-input"
