from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from gridsvc.errors import Conflict, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from gridsvc.store.jobs import ATTEMPTS
from gridsvc.store.records import JobRecord
from tests.databases import Opener
from tests.store.builders import ANNA, DAY, DAY_1, Clock


def queue(database: Database, territory: str | None = None) -> str:
    with database.write(ANNA, "test") as work:
        return work.jobs.create(
            "solve", {"plan": "pln_1", "caller": {"actor": "anna", "scopes": []}}, territory
        )


def read(database: Database, job: str) -> JobRecord:
    with database.read(SYSTEM) as view:
        return view.jobs.get(job)


def test_a_job_runs_from_the_queue_to_its_result(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    job = queue(database, "elbe")
    waiting = read(database, job)
    assert (waiting.kind, waiting.params["plan"], waiting.territory) == ("solve", "pln_1", "elbe")
    assert (waiting.status, waiting.created_by, waiting.recorded_at) == ("queued", "anna", DAY_1)
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        assert work.jobs.claim(job, "w1")
        assert not work.jobs.claim(job, "w2")
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        work.jobs.progress(job, "w1", 0.5, "half")
    running = read(database, job)
    assert (running.status, running.worker, running.share, running.message) == ("running", "w1", 0.5, "half")
    assert (running.started_at, running.heartbeat) == (DAY_1 + DAY, DAY_1 + 2 * DAY)
    with database.write(ANNA, "test") as work:
        work.jobs.finish(job, "w1", {"grids": 3})
    done = read(database, job)
    assert (done.status, done.share, done.result, done.problem) == ("done", 1.0, {"grids": 3}, None)
    assert done.finished_at == DAY_1 + 2 * DAY


def test_the_oldest_waiting_job_is_next(database: Database) -> None:
    first, second = queue(database), queue(database)
    with database.write(ANNA, "test") as work:
        taken = [work.jobs.claim_next("w1", ["solve"]) for _ in range(3)]
    assert taken == [first, second, None]


def test_workers_at_once_take_different_jobs(database: Database) -> None:
    jobs = {queue(database) for _ in range(4)}
    taken: list[str] = []
    start = threading.Barrier(4)

    def run(worker: str) -> None:
        start.wait()
        with database.write(ANNA, "test") as work:
            job = work.jobs.claim_next(worker, ["solve"])
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
        work.jobs.fail(job, "w1", {"code": "infeasible"})
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
        work.jobs.fail(running, "w1", {"code": "cancelled"})
        assert work.jobs.get(running).status == "cancelled"


def test_a_job_that_was_laid_down_waits_again_and_loses_no_attempt(database: Database) -> None:
    job = queue(database)
    with database.read(SYSTEM) as view:
        assert view.jobs.any_queued(["solve"])
        assert not view.jobs.any_queued(["repair"])
    with database.write(ANNA, "test") as work:
        for _ in range(ATTEMPTS + 1):
            work.jobs.claim(job, "w1")
            assert not work.jobs.any_queued(["solve"])
            assert work.jobs.requeue(job, "w1") == "queued"
        assert (work.jobs.get(job).attempts, work.jobs.get(job).worker) == (0, None)
        with pytest.raises(Conflict, match="the job is queued"):
            work.jobs.requeue(job, "w1")


def test_who_asked_that_a_job_stop_does_not_see_it_wait_again(database: Database) -> None:
    laid_down, died = queue(database), queue(database)
    with database.write(ANNA, "test") as work:
        for job in (laid_down, died):
            work.jobs.claim(job, "w1")
            work.jobs.request_cancel(job)
        assert work.jobs.requeue(laid_down, "w1") == "cancelled"
        assert work.jobs.take_back(died, "w1", {}) == "cancelled"
        assert work.jobs.get(died).finished_at is not None


def test_a_job_whose_process_dies_again_and_again_has_failed(database: Database) -> None:
    job = queue(database)
    with database.write(ANNA, "test") as work:
        for turn in range(1, ATTEMPTS + 1):
            assert work.jobs.claim(job, "w1")
            assert work.jobs.get(job).attempts == turn
            ended = work.jobs.take_back(job, "w1", {"code": "error", "message": "died"})
            assert ended == ("failed" if turn == ATTEMPTS else "queued")
        assert work.jobs.get(job).problem == {"code": "error", "message": "died"}


def test_a_worker_taken_for_dead_cannot_spoil_what_its_successor_does(database: Database) -> None:
    job = queue(database)
    with database.write(ANNA, "test") as work:
        work.jobs.claim(job, "w1")
        work.jobs.take_back(job, "w1", {})
        work.jobs.claim(job, "w2")
        late: list[Callable[[], object]] = [
            lambda: work.jobs.progress(job, "w1", 1.0, ""),
            lambda: work.jobs.finish(job, "w1", {}),
            lambda: work.jobs.fail(job, "w1", {}),
            lambda: work.jobs.requeue(job, "w1"),
            lambda: work.jobs.take_back(job, "w1", {}),
        ]
        for write in late:
            with pytest.raises(Conflict, match="taken up by another worker"):
                write()
        work.jobs.finish(job, "w2", {"grids": 3})
        assert work.jobs.get(job).result == {"grids": 3}


@pytest.mark.parametrize("late", ["progress", "finish", "fail", "requeue", "take_back", "request_cancel"])
def test_a_closed_job_stays_closed(database: Database, late: str) -> None:
    job = queue(database)
    arguments: dict[str, tuple[object, ...]] = {
        "progress": ("w1", 1.0, ""),
        "finish": ("w1", {}),
        "fail": ("w1", {}),
        "requeue": ("w1",),
        "take_back": ("w1", {}),
    }
    with database.write(ANNA, "test") as work:
        work.jobs.claim(job, "w1")
        work.jobs.finish(job, "w1", {"grids": 3})
        with pytest.raises(Conflict, match="the job is done"):
            getattr(work.jobs, late)(job, *arguments.get(late, ()))
        assert work.jobs.get(job).result == {"grids": 3}


def test_jobs_without_a_sign_of_life_are_found(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    silent, reporting, beating, waiting = (queue(database) for _ in range(4))
    with database.write(ANNA, "test") as work:
        for job, worker in ((silent, "w1"), (reporting, "w1"), (beating, "w2")):
            work.jobs.claim(job, worker)
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        work.jobs.progress(reporting, "w1", 0.1, "")
        work.jobs.beat("w2")
    with database.read(SYSTEM) as view:
        assert view.jobs.workers() == {"w1", "w2"}
        assert view.jobs.lost((), 60) == [(silent, "w1")]
        assert view.jobs.lost(["w2"], 60) == [(silent, "w1"), (beating, "w2")]
        assert view.jobs.get(waiting).status == "queued"


def test_processes_at_once_do_each_job_once(database_url: str, database: Database) -> None:
    jobs = [queue(database) for _ in range(40)]
    code = (
        "import sys, time; from gridsvc.services import jobs; from gridsvc.store import Database\n"
        "database = Database.open(sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "while job := jobs.claim(database, sys.argv[2], ['solve']):\n"
        "    print(job, flush=True); time.sleep(0.01); jobs.finish(database, job, sys.argv[2], {})\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, database_url, f"w{i}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(3)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    done = [worker.communicate()[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(job for found in done for job in found) == sorted(jobs)
    assert sum(1 for found in done if found) > 1
    with database.read(SYSTEM) as view:
        assert {view.jobs.get(job).status for job in jobs} == {"done"}
        assert {view.jobs.get(job).attempts for job in jobs} == {1}


def test_jobs_come_in_pages_oldest_first(database: Database) -> None:
    first, second, third = queue(database, "elbe"), queue(database, "oder"), queue(database, "elbe")
    with database.read(SYSTEM) as view:
        assert [job.id for job in view.jobs.list(None, None, 2)] == [first, second]
        assert [job.id for job in view.jobs.list("elbe", first, 2)] == [third]


def test_an_unknown_job_is_not_found(database: Database) -> None:
    with database.write(ANNA, "test") as work:
        for ask in (work.jobs.get, work.jobs.cancelled, work.jobs.request_cancel):
            with pytest.raises(NotFound):
                ask("job_none")
