"""Jobs from the use cases' side: nothing twice, nothing left behind, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gridsvc import jobs as child
from gridsvc.customers.measures import parse_measure
from gridsvc.errors import Cancelled, Conflict, GridsvcError, InvalidInput
from gridsvc.liveness import gone, own_name
from gridsvc.principal import SYSTEM, Principal
from gridsvc.progress import Progress
from gridsvc.services import imports, jobs, moves, plans, realigning, tilings
from gridsvc.services.handing import Part
from gridsvc.services.imports import ImportOptions
from gridsvc.services.realigning import Realign
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from gridsvc.supervisor import LONG, QUICK
from tests.databases import Opener
from tests.services.board import ANNA, board, lay, loads, small
from tests.store.builders import DAY, Clock, customers

WORKER = "elsewhere/1/1/a"
ALL = (*LONG, *QUICK)


def claimed(database: Database, worker: str = WORKER) -> str:
    job = jobs.claim(database, worker, ALL)
    assert job is not None
    return job


def ground(database: Database) -> str:
    tiling = board(6, 4)
    return lay(database, tiling, loads(tiling))


def started(database: Database) -> tuple[str, str]:
    request = SolveRequest(2, (("customers", 0.9),), sweeps=5)
    plan, job = plans.start(database, ANNA, ground(database), request)
    return plan.id, job.id


def kinds(database: Database) -> list[str]:
    with database.read(SYSTEM) as reader:
        return [event.kind for event in reader.outbox(limit=1000)]


def status(database: Database, job: str) -> str:
    return jobs.get(database, ANNA, job).status


def kept(folder: Path, name: str = "customers.csv", text: str = "id\n") -> Path:
    path = folder / "uploads" / name.replace(".", "_") / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_every_kind_of_job_has_a_lane_and_a_use_case() -> None:
    assert sorted(child.HANDLERS) == sorted(ALL)
    assert not set(LONG) & set(QUICK)
    for kind in child.HANDLERS:
        assert callable(child._handler(kind))


def test_a_job_tells_its_story(database: Database) -> None:
    plan, job = started(database)
    child.run(database, claimed(database), WORKER)
    assert jobs.get(database, ANNA, job).result == {"plan": plan, "revision": 2}
    story = [kind for kind in kinds(database) if kind.split(".")[0] in {"job", "plan"}]
    assert story == ["job.queued", "plan.created", "job.started", "plan.solved", "job.done"]


@pytest.mark.parametrize("kind", ["solve", "realign", "tile", "customers"])
def test_what_died_between_its_result_and_its_end_is_not_made_twice(
    database: Database, tmp_path: Path, kind: str
) -> None:
    job = _queued(database, tmp_path, kind)
    record, who = jobs.load(database, claimed(database))
    result = child._handler(kind)(database, who, record.params, jobs.once(job), lambda *_: None)
    before = kinds(database)
    jobs.take_back(database, job, WORKER)
    again = claimed(database, "elsewhere/2/2/b")
    child.run(database, again, "elsewhere/2/2/b")
    found = jobs.get(database, ANNA, job)
    assert (found.status, found.attempts, found.result) == ("done", 2, result)
    assert kinds(database) == [*before, "job.queued", "job.started", "job.done"]


def _queued(database: Database, folder: Path, kind: str) -> str:
    if kind == "solve":
        return started(database)[1]
    if kind == "realign":
        plan = small(database)
        return realigning.start(database, ANNA, plan, 2, Realign(0.5, choices=True))[1].id
    tiling = ground(database)
    if kind == "tile":
        params: dict[str, Any] = {"territory": "board", "kind": "h3", "resolution": 10, "for_grids": None}
        params |= {"crs": "wgs84", "measures": [], "files": {}}
    else:
        path = kept(folder, text="id,cell\n1,x000y000\n2,x001y000\n")
        params = {"tiling": tiling, "files": {"file": str(path)}, "measures": ["people=count"], "columns": {}}
        params |= {"crs": None, "where": [], "missing": "refuse", "min_placed": 0.5, "strict": False}
    return jobs.submit(database, ANNA, kind, "board", params).id


def test_a_second_attempt_after_one_that_died_early_does_the_work(database: Database) -> None:
    plan, job = started(database)
    jobs.take_back(database, claimed(database), WORKER)
    child.run(database, claimed(database), WORKER)
    assert (status(database, job), plans.get(database, ANNA, plan).revision) == ("done", 2)


@pytest.mark.parametrize("running", [False, True])
def test_a_cancelled_solve_leaves_no_draft_to_trip_over(database: Database, *, running: bool) -> None:
    plan, job = started(database)
    if running:
        claimed(database)
    jobs.cancel(database, ANNA, job)
    if running:
        assert jobs.report(database, job, WORKER, 0.5, "")
        jobs.fail(database, job, WORKER, Cancelled("the job was cancelled"))
    assert status(database, job) == "cancelled"
    assert plans.get(database, ANNA, plan).status == "cancelled"
    assert plans.listing(database, ANNA, "board", None, 10) == []
    assert kinds(database)[-1] == "job.cancelled"


def test_a_failed_realignment_leaves_the_plan_it_started_from_alone(database: Database) -> None:
    source = small(database)
    made, job = realigning.start(database, ANNA, source, 2, Realign())
    jobs.fail(database, claimed(database), WORKER, InvalidInput("cannot be"))
    assert status(database, job.id) == "failed"
    assert plans.get(database, ANNA, made.id).status == "cancelled"
    assert plans.get(database, ANNA, source).status == "draft"


def test_a_plan_is_realigned_as_it_was_seen_whatever_is_moved_meanwhile(database: Database) -> None:
    source = small(database)  # three strips of eight cells with a customer each: nothing needs to move
    made, job = realigning.start(database, ANNA, source, 2, Realign(0.5))
    west = [f"x000y{row:03d}" for row in range(4)]
    moves.move(database, ANNA, source, 2, [Part(west, "02")])
    child.run(database, claimed(database), WORKER)
    assert status(database, job.id) == "done"
    report = plans.get(database, ANNA, made.id).report or {}
    assert report["moved"]["moved_cells"] == 0
    cells = dict(plans.cells_of(database, ANNA, made.id)[0])
    assert {cells[cell] for cell in west} == {"01"}


def test_who_cancels_twice_hears_the_same_and_who_comes_late_is_told(database: Database) -> None:
    _plan, job = started(database)
    assert jobs.cancel(database, ANNA, job).status == jobs.cancel(database, ANNA, job).status == "cancelled"
    assert kinds(database).count("job.cancelled") == 1
    tiling = lay(database, board(3, 3), loads(board(3, 3)), "other")
    _plan2, late = plans.start(database, ANNA, tiling, SolveRequest(2, (("customers", 0.9),)))
    jobs.finish(database, claimed(database), WORKER, {})
    with pytest.raises(Conflict, match="the job is done"):
        jobs.cancel(database, ANNA, late.id)


@pytest.mark.parametrize("end", ["cancel", "fail", "finish", "die"])
def test_files_go_when_their_job_has_ended_however(database: Database, tmp_path: Path, end: str) -> None:
    ground(database)
    path = kept(tmp_path)
    job = jobs.submit(database, ANNA, "customers", "board", {"files": {"file": str(path)}}).id
    if end == "cancel":
        jobs.cancel(database, ANNA, job)
    elif end == "die":
        for _ in range(3):
            assert path.exists()
            jobs.take_back(database, claimed(database), WORKER)
        assert status(database, job) == "failed"
    else:
        claimed(database)
        assert path.exists()
        if end == "fail":
            jobs.fail(database, job, WORKER, GridsvcError("no"))
        else:
            jobs.finish(database, job, WORKER, {})
    assert not path.parent.exists()


def test_files_wait_with_a_job_that_waits_again(database: Database, tmp_path: Path) -> None:
    ground(database)
    path = kept(tmp_path)
    jobs.submit(database, ANNA, "customers", "board", {"files": {"file": str(path)}})
    job = claimed(database)
    jobs.requeue(database, job, WORKER)
    assert path.exists()
    jobs.requeue(database, job, WORKER)  # once more is no harm
    assert status(database, job) == "queued"


def test_uploads_without_a_job_are_waste_after_a_while(database: Database, tmp_path: Path) -> None:
    ground(database)
    owned, orphan, fresh = (kept(tmp_path, name) for name in ("owned.csv", "orphan.csv", "fresh.csv"))
    jobs.submit(database, ANNA, "customers", "board", {"files": {"file": str(owned)}})
    for path in (owned, orphan):
        os.utime(path.parent, (0, 0))
    jobs.discard_orphans(database, tmp_path / "uploads", 3600)
    assert [path.exists() for path in (owned, orphan, fresh)] == [True, False, True]
    jobs.discard_orphans(database, tmp_path / "none", 3600)


def test_rows_of_an_import_that_died_are_cleared_away(database: Database) -> None:
    tiling = ground(database)
    job = jobs.submit(database, ANNA, "customers", "board", {"files": {}}).id
    claimed(database)
    with database.write(ANNA, "test") as uow:
        died, stays = (
            uow.customers.begin_import("board", tiling, "file", {"job": name}) for name in (job, "job_other")
        )
        for import_id in (died, stays):
            uow.customers.stage(import_id, customers(4))
    jobs.take_back(database, job, WORKER)
    with database.read(SYSTEM) as reader:
        assert reader.customers.get_import(died).status == "discarded"
        assert reader.customers.get_import(stays).status == "staging"


def test_lost_jobs_are_taken_back_at_once_here_and_after_a_while_elsewhere(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    tiling = ground(database)
    started_ = [
        plans.start(database, ANNA, tiling, SolveRequest(2, (("customers", 0.9),)))[1].id for _ in range(3)
    ]
    for worker in ("dead", "silent", "alive"):
        claimed(database, worker)
    jobs.take_back_lost(database, lambda worker: worker == "dead", 30)
    assert [status(database, job) for job in started_] == ["queued", "running", "running"]
    clock.now += DAY
    jobs.beat(database, "alive")
    jobs.take_back_lost(database, lambda _: False, 30)
    assert [status(database, job) for job in started_] == ["queued", "queued", "running"]


def test_an_unexpected_error_is_no_business_of_the_caller(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Mapping[str, Any]:
        raise RuntimeError("secret path")

    monkeypatch.setattr(child, "_handler", lambda _: broken)
    _plan, job = started(database)
    with pytest.raises(SystemExit):
        child.run(database, claimed(database), WORKER)
    problem = jobs.get(database, ANNA, job).problem or {}
    assert "nothing was changed" in problem["message"]
    assert "secret" not in str(problem)


def test_work_whose_job_was_given_to_another_stops_and_changes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(db: Database, _: Principal, __: Any, ___: Idempotency, progress: Progress) -> dict[str, Any]:
        jobs.take_back(db, job, WORKER)
        claimed(db, "successor")
        progress(0.5, "still here")
        raise AssertionError("went on")

    monkeypatch.setattr(child, "_handler", lambda _: handler)
    _plan, job = started(database)
    with pytest.raises(Conflict, match="another worker"):
        child.run(database, claimed(database), WORKER)
    record = jobs.get(database, ANNA, job)
    assert (record.status, record.worker) == ("running", "successor")


def test_a_name_tells_whether_its_process_runs() -> None:
    assert not gone(own_name())
    code = "from gridsvc.liveness import own_name; print(own_name())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert gone(dead.stdout.strip())
    host, pid, _started, rest = own_name().rsplit("/", 3)
    assert gone(f"{host}/{pid}/1/{rest}")  # the id was given to another process
    assert not gone(f"elsewhere/{pid}/1/{rest}")
    assert not gone("a name of an older version")


def test_an_import_can_be_done_without_a_job(database: Database, tmp_path: Path) -> None:
    tiling = ground(database)
    path = kept(tmp_path, text="id,cell\n1,x000y000\n")
    options = ImportOptions(measures=(parse_measure("people=count"),))
    assert imports.put_file(database, ANNA, tiling, path, options)["placed"] == 1
    assert set(tilings.measures(database, ANNA, tiling)) >= {"people"}
