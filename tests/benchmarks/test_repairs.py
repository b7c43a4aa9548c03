"""The benchmark of local repair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.balance.edits import EDITS, drafts
from benchmarks.balance.instances import load, prepare
from benchmarks.balance.repairs import Line, measure, text
from benchmarks.balance.shared import FOLDER

shared = pytest.mark.skipif(not FOLDER.exists(), reason="needs the public benchmark in ../shared/bench")


@shared
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_paints_cells_of_one_grid_over_to_another(edit: str, tmp_path: Path) -> None:
    inst = load(prepare("tiny-city", tmp_path), 0.05)
    labels = (np.argsort(np.argsort(inst.xy[:, 0])) * 12 // inst.n).astype(np.int32)
    found = list(drafts(inst, labels, EDITS[edit], 5, 1))
    assert len(found) == 5 and len({draft.tobytes() for draft in found}) > 1
    for draft in found:
        painted = draft != labels
        assert len(set(labels[painted])) == len(set(draft[painted])) == 1
        assert np.bincount(draft, minlength=12).min() > 0


@shared
def test_each_kind_of_edit_is_measured(tmp_path: Path) -> None:
    lines = measure("tiny-city", 12, tmp_path, count=2)
    assert [line.edit for line in lines] == list(EDITS)
    assert all(len(line.ms) == 2 and line.whole.all() and (line.painted > 0).all() for line in lines)


def test_a_repair_over_the_bar_stands_out() -> None:
    yes = np.ones(2, bool)
    line = Line("town / 3", "a hole", np.array([3.0, 130.0]), np.array([4, 4]), np.array([1, 5]), yes, ~yes)
    assert "| town / 3 | a hole | 66 | **130** | 4 | 3 | 5 | 2 of 2 | 0 of 2 |" in text([line])
