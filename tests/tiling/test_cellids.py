"""Ids of cells in half the space, found both ways."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.tiling.cellids import CellIds
from gridsvc.tiling.textids import TextIds


def disk(lon: float, lat: float, resolution: int, k: int) -> np.ndarray:
    return np.array(sorted(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), k)), np.uint64)


def again(ids: CellIds, resolution: int) -> CellIds:
    return CellIds(resolution, ids.arrays())


@given(st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 15), st.integers(0, 5))
def test_every_id_is_found_and_given_back_at_every_resolution(lon, lat, resolution, k):
    cells = disk(lon, lat, resolution, k)
    ids = again(CellIds.of(resolution, cells), resolution)
    rows = np.arange(len(cells))
    assert len(ids) == len(cells)
    assert ids.at(rows).tolist() == cells.tolist()
    assert ids.rows(cells).tolist() == rows.tolist()
    assert [ids.find(cell) for cell in cells.tolist()] == rows.tolist()
    assert [ids.one(row) for row in rows.tolist()] == cells.tolist()
    assert [bytes(text).decode() for text in ids.hexes(rows)] == [h3.int_to_str(c) for c in cells.tolist()]


@pytest.mark.parametrize("resolution", [1, 6, 9, 12, 15])
def test_neighbours_parents_and_children_which_are_not_there_are_not_found(resolution):
    cells = disk(10.0, 50.0, resolution, 8)
    ids = CellIds.of(resolution, cells[::2])
    strangers = [*cells[1::2].tolist(), h3.cell_to_parent(int(cells[0]), resolution - 1), 0, 2**64 - 1]
    strangers += disk(-100.0, -30.0, resolution, 2).tolist()
    if resolution < 15:
        strangers += h3.cell_to_children(int(cells[0]), resolution + 1)
    assert [ids.find(cell) for cell in strangers] == [-1] * len(strangers)
    assert (ids.rows(np.array(strangers[: len(cells) // 2], np.uint64)) == -1).all()


def test_a_cell_takes_four_bytes_also_over_several_runs():
    cells = np.concatenate([disk(10.0, 50.0, 12, 40), disk(11.0, 50.0, 12, 40), disk(-70.0, -20.0, 12, 40)])
    ids = CellIds.of(12, np.unique(cells))
    arrays = ids.arrays()
    assert len(arrays["cells_upper"]) > 1
    assert arrays["cells"].dtype == np.uint32
    assert ids.at(ids.rows(cells)).tolist() == cells.tolist()
    assert [ids.one(ids.find(cell)) for cell in cells[::97].tolist()] == cells[::97].tolist()
    beside = np.setdiff1d(disk(-70.0, -20.0, 12, 45), cells)
    assert (ids.rows(beside) == -1).all()
    assert [ids.find(cell) for cell in beside.tolist()] == [-1] * len(beside)


def test_ids_of_another_build_are_kept_whole():
    odd = disk(10.0, 50.0, 9, 5) - np.uint64(1)  # the last bits are not all ones
    strewn = np.unique([h3.latlng_to_cell(y, x, 15) for x in range(-180, 180, 7) for y in range(-89, 90, 7)])
    for resolution, cells in ((9, odd), (15, strewn.astype(np.uint64))):
        ids = again(CellIds.of(resolution, cells), resolution)
        assert ids.arrays()["cells"].dtype == np.uint64
        assert ids.at(np.arange(len(cells))).tolist() == cells.tolist()
        assert ids.rows(cells).tolist() == list(range(len(cells)))
        assert ids.find(int(cells[-1])) == len(cells) - 1 == ids.find(ids.one(len(cells) - 1))
        assert ids.find(int(cells[-1]) + 1) == -1


def test_no_ids():
    ids = CellIds.of(9, np.zeros(0, np.uint64))
    assert len(ids) == 0
    assert ids.find(int(disk(0.0, 0.0, 9, 0)[0])) == -1
    assert ids.rows(disk(0.0, 0.0, 9, 1)).tolist() == [-1] * 7


texts = st.lists(st.text(max_size=6), unique=True, max_size=30).map(sorted)


@given(texts, st.text(max_size=6))
def test_text_ids_of_any_characters_are_found_both_ways(codes, other):
    ids = TextIds(TextIds.of(codes).arrays())
    assert [ids.one(row) for row in range(len(ids))] == codes
    assert [ids.find(code) for code in codes] == list(range(len(codes)))
    assert ids.find(other) == (codes.index(other) if other in codes else -1)


def test_half_characters_which_json_may_hold_are_ids_like_others():
    codes = sorted(["a", "\ud800", "\U0001f600", "\uffff", "é"])
    ids = TextIds.of(codes)
    assert [ids.find(code) for code in codes] == [0, 1, 2, 3, 4]
    assert ids.one(ids.find("\ud800")) == "\ud800"
    assert ids.find("\udfff") == -1
