"""Files of arrays: whole or refused, the same for every reader, gone from memory when nobody reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gridsvc.ownership.container import Container, DamagedFileError, write_container

ARRAYS = {"ids": np.arange(1000, dtype=np.uint64), "labels": np.zeros((3, 5), np.int16), "none": np.zeros(0)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_container(tmp_path / "a.own", "test", {"name": "网格"}, ARRAYS)
    return tmp_path / "a.own"


def test_what_was_written_is_read(file: Path) -> None:
    found = Container.open(file, "test", verify=True)
    assert found.meta == {"name": "网格"}
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.int32, np.uint64, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9),
    )
)
def test_any_array_comes_back(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("any") / "x.own"
    write_container(path, "test", {}, {"before": ARRAYS["ids"][:3], "x": array, "behind": ARRAYS["labels"]})
    found = Container.open(path, "test", verify=True).arrays
    np.testing.assert_array_equal(found["x"], array)
    np.testing.assert_array_equal(found["behind"], ARRAYS["labels"])


def test_readers_cannot_write(file: Path) -> None:
    array = Container.open(file, "test").arrays["ids"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_equal_contents_are_equal_bytes(file: Path, tmp_path: Path) -> None:
    write_container(tmp_path / "b.own", "test", {"name": "网格"}, ARRAYS)
    assert (tmp_path / "b.own").read_bytes() == file.read_bytes()
    assert len(list(tmp_path.iterdir())) == 2  # no temporary file is left


@pytest.mark.parametrize("length", [0, 7, 15, 40, 300, -64, -1])
def test_a_part_of_a_file_is_refused(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DamagedFileError):
        Container.open(file, "test")


@pytest.mark.parametrize("place", [0, 7, 9, 13, 60, 400, 4000, -1])
def test_a_changed_byte_is_found(file: Path, place: int) -> None:
    block = bytearray(file.read_bytes())
    block[place] ^= 1
    file.write_bytes(block)
    with pytest.raises(DamagedFileError):
        Container.open(file, "test", verify=True)


def test_a_file_of_another_kind_is_refused(file: Path) -> None:
    with pytest.raises(DamagedFileError, match="not of roster"):
        Container.open(file, "roster")


def test_a_reader_keeps_what_is_deleted(file: Path) -> None:
    found = Container.open(file, "test").arrays["ids"]
    file.unlink()
    np.testing.assert_array_equal(found, ARRAYS["ids"])
