"""Files made to hurt: the right answer, or a refusal which names the feature; and nothing else falls."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources import guard
from gridsvc.tiling.sources.rows import STRANGE
from tests.tiling.hostile import CASES, Case
from tests.tiling.hostile.bounds import SECONDS, within_bounds

ALL = bool(os.environ.get("GRIDSVC_PROOF_HOSTILE"))
FEW = {
    "ten-million-vertices",
    "a-geoparquet-of-ten-million-vertices",
    "a-text-whose-second-geometry-is-huge",
    "a-header-of-a-million-commas",
    "one-large-feature-by-itself",
}
INSIDE = [case for case in CASES if not case.child_only]
OUTSIDE = [case for case in CASES if ALL or case.child_only or case.name in FEW]


def read_plain(case: Case, path: Path) -> int:
    """As an upload is read, in this process."""
    from gridsvc.tiling.sources import listing, plain, reading

    rows = reading.read(path, limits=STRANGE)
    plain.write_plain(rows, rows.crs or "wgs84", path.with_name("out.json"))
    return int(listing.listing(rows)["features"])


def judge(case: Case, outcome: int | InvalidInput, folder: Path) -> None:
    if case.rows is not None:
        assert outcome == case.rows, str(outcome)
        return
    assert isinstance(outcome, InvalidInput), f"{outcome} rows"
    assert re.search(case.fault or "", str(outcome)), str(outcome)
    assert outcome.row == case.row
    assert outcome.cure
    assert outcome.source == case.file  # the file's name, not where it lies
    assert str(folder) not in str(outcome)
    assert "/etc" not in str(outcome)


def test_there_are_at_least_sixty() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 120


@pytest.mark.parametrize("case", INSIDE, ids=lambda case: case.name)
def test_each_is_read_right_or_refused_by_name(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.file
    case.make(path)
    began = time.process_time()
    try:
        outcome: int | InvalidInput = read_plain(case, path)
    except InvalidInput as error:
        outcome = error
    assert time.process_time() - began < SECONDS
    judge(case, outcome, tmp_path)


@pytest.mark.parametrize("case", OUTSIDE, ids=lambda case: case.name)
def test_each_ends_nothing_but_its_own_process(case: Case, tmp_path: Path, record_property: Any) -> None:
    path = tmp_path / case.file
    case.make(path)
    with within_bounds(record_property):
        try:
            outcome: int | InvalidInput = int(guard.read_into(path, tmp_path / "out.json")["features"])
        except InvalidInput as error:
            outcome = error
    judge(case, outcome, tmp_path)
