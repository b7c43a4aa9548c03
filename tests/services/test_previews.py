"""Looking at a plan while it is being made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridsvc.errors import NotFound
from gridsvc.services import jobs, plans, previews
from gridsvc.services.previews import Leaving
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from tests.services.board import ANNA, board, lay


@pytest.fixture
def cells(database: Database) -> str:
    tiling = board(20, 20)
    ones = {"customers": np.ones(len(tiling))}
    return lay(database, tiling, ones)


def test_what_is_seen_is_a_plan_of_the_grids_asked_for(database: Database, cells: str) -> None:
    request = SolveRequest(grids=5, measures=(("customers", 0.1),), carve_out=("x000y000",))
    seen: list[np.ndarray] = []
    watched = plans.create(database, ANNA, cells, request)
    done = plans.solve(database, ANNA, watched.id, watch=lambda labels: seen.append(labels().copy()))
    assert seen
    for labels in seen:
        assert labels[0] == -1  # carved out: in no balanced grid
        assert set(labels[1:].tolist()) == set(range(5))
    # Looking changes nothing.
    unseen = plans.create(database, ANNA, cells, request)
    again = plans.solve(database, ANNA, unseen.id)
    assert done.labels is not None and again.labels is not None
    assert (done.labels == again.labels).all()


def test_a_job_leaves_its_labels_until_it_ends(database: Database, cells: str, tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    _, job = plans.start(
        database,
        ANNA,
        cells,
        SolveRequest(grids=5, measures=(("customers", 0.1),)),
        preview=lambda: room / "labels.npy",
    )
    assert previews.labels_of(database, ANNA, job.id) is None
    assert jobs.claim(database, "w", ["solve"]) == job.id
    record, who = jobs.load(database, job.id)
    result = plans.run_job(database, who, record.params, jobs.once(job.id), lambda share, message: None)
    labels = previews.labels_of(database, ANNA, job.id)
    assert labels is not None
    assert set(labels.tolist()) == set(range(5))
    jobs.finish(database, job.id, "w", result)
    assert not room.exists()
    assert previews.labels_of(database, ANNA, job.id) is None
    with pytest.raises(NotFound):
        previews.labels_of(database, ANNA, "job_none")


def test_a_disk_without_room_ends_looking_and_not_the_work(tmp_path: Path) -> None:
    leaving = Leaving(tmp_path / "gone" / "labels.npy")
    asked: list[int] = []

    def labels() -> np.ndarray:
        asked.append(1)
        return np.zeros(3, np.int32)

    leaving(labels)
    leaving(labels)
    assert len(asked) == 1
