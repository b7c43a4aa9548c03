"""An assignment which takes long: it is watched, cancelled, and ended by its time limit."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np

from gridsvc import jobs as child
from gridsvc.services import assignments, jobs, rosters
from gridsvc.store import Database
from gridsvc.store.records import JobRecord
from gridsvc.supervisor import LONG, QUICK
from gridsvc.teams.model import Member, Person, Roster, Team
from tests.services.board import ANNA, SIDE, blocks, board, lay, put
from tests.services.series import people, stored

WORKER = "elsewhere/1/1/a"
N_TEAMS = 60


def staffed() -> Roster:
    """Teams along the diagonal, which have hardly more room than there are customers."""
    degree = SIDE / 111_320
    names = [f"t{i:02d}" for i in range(N_TEAMS)]
    room = np.random.default_rng(1).uniform(0.85, 1.15, N_TEAMS)
    room *= 1.04 * amounts().sum() / room.sum()
    teams = tuple(
        Team(n, n, lon=i * degree / 3, lat=i * degree / 3, capacity={"customers": float(room[i])})
        for i, n in enumerate(names)
    )
    persons = tuple(Person(f"p-{n}", n, "m") for n in names)
    members = tuple(Member(n, f"p-{n}", "lead") for n in names)
    departments = tuple(replace(each, head=persons[0].id) for each in people().departments)
    return Roster(departments, persons, teams, members)


def amounts() -> np.ndarray:
    return np.random.default_rng(2).uniform(80, 120, 400)


def asked(database: Database, **wishes: float) -> tuple[str, str]:
    """A queued assignment of 400 grids, one a cell; gives the plan and the job."""
    tiling = board(20, 20)
    made = lay(database, tiling, {"customers": amounts()})
    rosters.put(database, ANNA, "board", staffed())
    plan = put(database, made, tiling, blocks(20, 20, 20, 20), {"customers": amounts()}, report=False)
    job = assignments.start(database, ANNA, plan, stored(database, plan).revision, wishes)
    claimed = jobs.claim(database, WORKER, (*LONG, *QUICK))
    assert claimed == job.id
    return plan, job.id


def until(database: Database, job: str, ready: object) -> JobRecord:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = jobs.get(database, ANNA, job)
        if ready(found):  # type: ignore[operator]
            return found
        time.sleep(0.05)
    raise TimeoutError(found)


def test_a_running_assignment_is_watched_and_cancelled_and_the_plan_stays_as_it_was(
    database: Database,
) -> None:
    plan, job = asked(database)
    before = stored(database, plan)
    work = threading.Thread(target=child.run, args=(database, job, WORKER))
    work.start()
    try:
        told = until(database, job, lambda found: found.share > 0.1)
        assert told.status == "running" and told.message
        assert jobs.cancel(database, ANNA, job).status == "running"  # it is asked to stop
        assert until(database, job, lambda found: found.status != "running").status == "cancelled"
    finally:
        work.join()
    after = stored(database, plan)
    assert (after.revision, after.report) == (before.revision, before.report)
    assert {grid.team for grid in after.grids} == {None}
    again = assignments.start(database, ANNA, plan, after.revision, {"time_limit": 0.5})
    assert again.status == "queued"  # nothing of the first is in the way


def test_at_the_time_limit_the_best_so_far_is_taken_and_the_report_says_so(database: Database) -> None:
    plan, job = asked(database, time_limit=0.5)
    child.run(database, job, WORKER)
    assert jobs.get(database, ANNA, job).status == "done"
    told = stored(database, plan)
    assert told.report["assignment"]["truncated"] is True
    assert {grid.team for grid in told.grids} <= {team.id for team in staffed().teams}
    assert told.report["assignment"]["bound"] <= told.report["assignment"]["objective"]


def test_without_one_it_is_never_truncated(database: Database) -> None:
    tiling = board(4, 1)
    made = lay(database, tiling, {"customers": np.ones(4)})
    rosters.put(database, ANNA, "board", people())
    plan = put(database, made, tiling, blocks(4, 1, 4, 1), {"customers": np.ones(4)}, report=False)
    done = assignments.assign(database, ANNA, plan, stored(database, plan).revision)
    assert done.report is not None and done.report["assignment"]["truncated"] is False
