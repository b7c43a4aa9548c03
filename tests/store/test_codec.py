from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gridsvc.store.codec import pack, unpack

numbers = hnp.arrays(
    st.sampled_from(["<i4", "<i8", "<u8", "<f8", "|b1", ">f8", "<i2"]),
    hnp.array_shapes(min_dims=1, min_side=0),
)
texts = st.lists(st.none() | st.text()).map(lambda values: np.array(values, dtype=object))


@given(st.dictionaries(st.text(), numbers | texts))
def test_what_is_packed_comes_back(arrays: dict[str, np.ndarray]) -> None:
    found = unpack(pack(arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found[name], array)


def test_numbers_come_back_writable_and_in_native_order() -> None:
    found = unpack(pack({"x": np.array([1.5, 2.5], dtype=">f8")}))["x"]
    found[0] = 9
    assert found.dtype.isnative


@pytest.mark.parametrize("block", [b"", b"\x02abc"])
def test_another_format_is_refused(block: bytes) -> None:
    with pytest.raises(ValueError, match="known format"):
        unpack(block)
