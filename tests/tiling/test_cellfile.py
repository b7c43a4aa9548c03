"""Cells from CSV files of points and edges, as other programs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridsvc.errors import GridsvcError
from gridsvc.tiling.cellfile import read_cells, read_labels

CELLS = "cell,x,y,area,perimeter,n\nb,100,0,10000,400,3\na,0,0,10000,400,2\nc,200,0,10000,400,5\n"
EDGES = "a,b,length\na,b,100\nb,c,40\nb,a,100\n"


def _read(folder: Path, cells: str = CELLS, edges: str = EDGES):
    (folder / "cells.csv").write_text(cells, encoding="utf-8-sig")
    (folder / "edges.csv").write_text(edges)
    return read_cells(folder / "cells.csv", folder / "edges.csv")


def test_cells_in_metres_keep_their_numbers_and_edges(tmp_path: Path) -> None:
    tiling = _read(tmp_path)
    assert tiling.names() == ["a", "b", "c"]
    assert tiling.x.tolist() == [0, 100, 200]
    assert tiling.columns["n"].tolist() == [2, 3, 5]
    a, b, length = tiling.adjacency.pairs()
    assert list(zip(a, b, length, strict=True)) == [(0, 1, 100.0), (1, 2, 40.0)]


def test_cells_in_degrees_lie_where_they_say(tmp_path: Path) -> None:
    tiling = _read(tmp_path, "cell,lon,lat,n\na,113.0,28.0,1\nb,113.01,28.0,1\n", "a,b\na,b\n")
    assert np.diff(tiling.x)[0] == pytest.approx(982, rel=0.01)  # 0.01 degree of longitude at 28 north
    assert tiling.origin == pytest.approx((113.005, 28.0))


@pytest.mark.parametrize("place", ["x,y", "lon,lat"])
def test_without_sizes_cells_are_equal_discs(tmp_path: Path, place: str) -> None:
    text = f"cell,{place},n\na,0,0,1\nb,1,0,1\nc,0,1,1\nd,1,1,1\n"
    tiling = _read(tmp_path, text, "a,b\na,b\n")
    assert len(set(tiling.area)) == 1
    assert tiling.area.sum() == pytest.approx(np.ptp(tiling.x) * np.ptp(tiling.y))
    assert tiling.perimeter == pytest.approx(2 * np.sqrt(np.pi * tiling.area))


def test_cells_may_have_no_area(tmp_path: Path) -> None:
    assert _read(tmp_path, CELLS.replace("b,100,0,10000,400", "b,100,0,0,0")).area.tolist() == [1e4, 0, 1e4]


@pytest.mark.parametrize(
    ("cells", "edges", "said"),
    [
        (CELLS, "a,b\na,b\na,z\n", ["edges.csv, row 2, b", "'z'"]),
        (CELLS, "a,b\na,b\n,b\n", ["edges.csv, row 2, a", "no cell"]),
        (CELLS, "a,b\na,b\nc,c\n", ["edges.csv, row 2, b", "beside itself"]),
        (CELLS, "a,b,length\na,b,wide\n", ["edges.csv, row 1, length", "'wide'"]),
        (CELLS, "a,b,length\na,b,1\nb,c,-1\n", ["edges.csv, row 2, length", "0 or more"]),
        (CELLS, "a,b\na,b,1,2\n", ["edges.csv, row 1", "4 fields"]),
        (CELLS, "from,to\na,b\n", ["edges.csv, a", "from, to"]),
        (CELLS, "", ["edges.csv", "empty"]),
        (CELLS.replace("c,200", "c,far"), EDGES, ["cells.csv", "x", "text"]),
        (CELLS.replace("c,200", "c,"), EDGES, ["cells.csv, row 3, x"]),
        (CELLS.replace("c,200,0,10000", "c,200,0,-1"), EDGES, ["cells.csv, row 3, area", "negative"]),
        ("cell,lon,n\na,1,1\n", EDGES, ["cells.csv, x", "lon and lat"]),
        ("cell,lon,lat\na,1,1\nb,1,91\n", EDGES, ["cells.csv, row 2, lat", "91"]),
    ],
)
def test_each_wrong_row_is_named(tmp_path: Path, cells: str, edges: str, said: list[str]) -> None:
    with pytest.raises(GridsvcError) as error:
        _read(tmp_path, cells, edges)
    for words in said:
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cell,grid\na,1\nb,1\n", "1 cells have no grid, c"),
        ("cell,grid\na,1\nb,1\nb,2\nc,1\n", "row 3, cell: cell b comes a second time"),
        ("cell,grid\na,1\nb,\nc,1\n", "cell b has no grid"),
        ("cell,grid\na,1\nz,1\nc,1\n", "row 2, cell: there is no cell 'z'"),
    ],
)
def test_grids_of_a_plan_are_read_whole(tmp_path: Path, text: str, said: str) -> None:
    tiling = _read(tmp_path)
    (tmp_path / "grids.csv").write_text(text)
    with pytest.raises(GridsvcError, match=said):
        read_labels(tmp_path / "grids.csv", tiling)
