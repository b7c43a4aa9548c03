"""Customer id -> cell: each id its own row, no id anyone else's, and no id in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.ownership import accounts
from gridsvc.ownership.accounts import Accounts

ids = st.lists(st.text(max_size=12), unique=True, max_size=60)


@given(ids, st.lists(st.text(max_size=12), max_size=20))
def test_it_answers_as_a_dictionary_does(known: list[str], others: list[str]) -> None:
    rows = np.arange(len(known), dtype=np.int32) - 1
    found, table = Accounts.of([(known, rows)]), dict(zip(known, rows.tolist(), strict=True))
    for customer in [*known, *others]:
        assert found.find(customer) == table.get(customer)


def test_many_and_from_a_file(tmp_path: Path) -> None:
    known = [f"C{i:06d}" for i in range(50_000)]
    rows = np.random.default_rng(1).integers(-1, 900, len(known)).astype(np.int32)
    Accounts.of([(known, rows)]).write(tmp_path / "c.own")
    found = Accounts.open(tmp_path / "c.own", verify=True)
    assert [found.find(customer) for customer in known] == rows.tolist()
    assert all(found.find(f"D{i:06d}") is None for i in range(2_000))


def test_the_file_has_no_id(tmp_path: Path) -> None:
    Accounts.of([(["user-4711"], np.zeros(1, np.int32))]).write(tmp_path / "c.own")
    assert b"4711" not in (tmp_path / "c.own").read_bytes()
    assert b"user" not in (tmp_path / "c.own").read_bytes()


def test_digests_which_share_a_half_are_told_apart() -> None:
    """And uneven ones, where the guess of the place is far off."""
    import pytest

    def poor(_key: bytes, customer: str) -> bytes:
        return (int(customer) // 3).to_bytes(8, "little") + int(customer).to_bytes(8, "little")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_digest", poor)
        rows = np.arange(3000, dtype=np.int32)
        found = Accounts.of([(list(map(str, range(3000))), rows)])
        assert [found.find(str(i)) for i in range(3000)] == rows.tolist()
        assert found.find("3000") is None


def test_the_first_of_an_id_counts() -> None:
    found = Accounts.of([(["a", "b"], np.array([1, 2])), (["b", "c"], np.array([7, -1]))])
    assert [found.find(customer) for customer in "abcd"] == [1, 2, -1, None]
    assert len(found) == 3
