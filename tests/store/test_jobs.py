from __future__ import annotations

import threading

import pytest

from gridsvc.errors import Conflict, NotFound
from gridsvc.store import Database
from gridsvc.store.records import JobRecord
from tests.databases import Opener
from tests.store.builders import ANNA, DAY, DAY_1, Clock


def queue(database: Database, territory: str | None = None) -> str:
    with database.write(ANNA, "test") as work:
        return work.jobs.create("solve", {"plan": "pln_1"}, territory)


def read(database: Database, job: str) -> JobRecord:
    with database.read() as view:
        return view.jobs.get(job)


def test_a_job_runs_from_the_queue_to_its_result(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    job = queue(database, "elbe")
    waiting = read(database, job)
    assert (waiting.kind, waiting.params, waiting.territory) == ("solve", {"plan": "pln_1"}, "elbe")
    assert (waiting.status, waiting.created_by, waiting.recorded_at) == ("queued", "anna", DAY_1)
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        assert work.jobs.claim(job, "w1")
        assert not work.jobs.claim(job, "w2")
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        work.jobs.progress(job, 0.5, "half")
    running = read(database, job)
    assert (running.status, running.worker, running.share, running.message) == ("running", "w1", 0.5, "half")
    assert (running.started_at, running.heartbeat) == (DAY_1 + DAY, DAY_1 + 2 * DAY)
    with database.write(ANNA, "test") as work:
        work.jobs.finish(job, {"grids": 3})
    done = read(database, job)
    assert (done.status, done.share, done.result, done.problem) == ("done", 1.0, {"grids": 3}, None)
    assert done.finished_at == DAY_1 + 2 * DAY


def test_the_oldest_waiting_job_is_next(database: Database) -> None:
    first, second = queue(database), queue(database)
    with database.write(ANNA, "test") as work:
        taken = [work.jobs.claim_next("w1") for _ in range(3)]
    assert taken == [first, second, None]


def test_workers_at_once_take_different_jobs(database: Database) -> None:
    jobs = {queue(database) for _ in range(4)}
    taken: list[str] = []
    start = threading.Barrier(4)

    def run(worker: str) -> None:
        start.wait()
        with database.write(ANNA, "test") as work:
            job = work.jobs.claim_next(worker)
        if job:
            taken.append(job)

    threads = [threading.Thread(target=run, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(jobs)


def test_a_failed_job_says_why(database: Database) -> None:
    job = queue(database)
    with database.write(ANNA, "test") as work:
        work.jobs.claim(job, "w1")
        work.jobs.fail(job, {"code": "infeasible"})
        assert (work.jobs.get(job).status, work.jobs.get(job).problem) == ("failed", {"code": "infeasible"})


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_when_it_looks(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    waiting, running = queue(database), queue(database)
    with database.write(ANNA, "test") as work:
        work.jobs.claim(running, "w1")
        assert not work.jobs.cancelled(running)
        work.jobs.request_cancel(waiting)
        work.jobs.request_cancel(running)
        assert work.jobs.get(waiting).status == "cancelled"
        assert work.jobs.get(running).status == "running"
        assert work.jobs.cancelled(running)
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        work.jobs.request_cancel(running)
        assert work.jobs.get(running).cancel_requested_at == DAY_1
        assert work.jobs.cancel_overdue(running, 5)
        assert not work.jobs.cancel_overdue(running, 86_401)
        work.jobs.fail(running, {"code": "cancelled"})
        assert work.jobs.get(running).status == "cancelled"


def test_an_interrupted_job_waits_again(database: Database) -> None:
    job = queue(database)
    with database.read() as view:
        assert view.jobs.any_queued()
    with database.write(ANNA, "test") as work:
        work.jobs.claim(job, "w1")
        assert not work.jobs.any_queued()
        assert work.jobs.requeue(job)
        assert not work.jobs.requeue(job)
        assert work.jobs.get(job).status == "queued"


@pytest.mark.parametrize("late", ["progress", "finish", "fail", "request_cancel"])
def test_a_closed_job_stays_closed(database: Database, late: str) -> None:
    job = queue(database)
    arguments: dict[str, tuple[object, ...]] = {
        "progress": (1.0, ""),
        "finish": ({},),
        "fail": ({},),
    }
    with database.write(ANNA, "test") as work:
        work.jobs.claim(job, "w1")
        work.jobs.finish(job, {"grids": 3})
        with pytest.raises(Conflict, match="the job is done"):
            getattr(work.jobs, late)(job, *arguments.get(late, ()))
        assert work.jobs.get(job).result == {"grids": 3}


def test_a_job_whose_worker_died_is_queued_again(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    dead, stopped, alive = queue(database), queue(database), queue(database)
    with database.write(ANNA, "test") as work:
        for job in (dead, stopped, alive):
            work.jobs.claim(job, "w1")
        work.jobs.request_cancel(stopped)
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        work.jobs.progress(alive, 0.1, "")
        assert work.jobs.any_lost(60)
        assert work.jobs.requeue_abandoned(60) == [dead]
        assert not work.jobs.any_lost(60)
        assert [work.jobs.get(j).status for j in (dead, stopped, alive)] == ["queued", "cancelled", "running"]
        assert work.jobs.claim(dead, "w2")
        assert (work.jobs.get(dead).attempts, work.jobs.get(dead).worker) == (2, "w2")


def test_jobs_come_in_pages_oldest_first(database: Database) -> None:
    first, second, third = queue(database, "elbe"), queue(database, "oder"), queue(database, "elbe")
    with database.read() as view:
        assert [job.id for job in view.jobs.list(None, None, 2)] == [first, second]
        assert [job.id for job in view.jobs.list("elbe", first, 2)] == [third]


def test_an_unknown_job_is_not_found(database: Database) -> None:
    with database.write(ANNA, "test") as work:
        for ask in (work.jobs.get, work.jobs.cancelled, work.jobs.request_cancel):
            with pytest.raises(NotFound):
                ask("job_none")
