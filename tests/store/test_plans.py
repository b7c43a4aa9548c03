from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridsvc.errors import Conflict, InvalidInput, NotFound, StaleRevision
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid, Plan
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from gridsvc.store.records import PlanRecord
from tests.databases import Opener
from tests.store.builders import ANNA, DAY_1, GRIDS, Clock, draft, ground

WORKS = CarveOut("K1", "Works", "t1", "key enterprise", shapely.box(0.1, 0.1, 0.4, 1 / 3))
PORT = CarveOut("K0", "港口", None, "port", shapely.MultiPolygon([shapely.box(1, 0, 2, 0.1)]))
LABELS = np.array([0, 1, -1], dtype=np.int32)


def test_a_plan_comes_back_as_it_was_given(open_database: Opener) -> None:
    database = open_database(clock=Clock())
    tiling = ground(database)
    given = PlanRecord(
        "elbe",
        tiling,
        "first",
        line="broadband",
        level="area",
        parent="pln_x",
        params={"k": 2},
        grids=GRIDS,
        carve_outs=(WORKS, PORT),
        report={"gap": 0.1},
        base_publication=3,
        seed=2**62,
        engine_version="1",
        valid_from=DAY_1,
    )
    with database.write(ANNA, "test") as work:
        made = work.plans.create(given)
    with database.read(SYSTEM) as view:
        found = view.plans.get(made)
        assert view.plans.list("elbe") == [replace(found, grids=(), carve_outs=())]
    assert found == replace(given, id=made, created_by="anna", recorded_at=DAY_1)


def test_a_solution_is_saved_on_the_revision_it_was_made_for(database: Database) -> None:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work:
        assert work.plans.save_solution(made, Plan(LABELS, GRIDS), {"worst": 0.04}, 1) == 2
    with database.read(SYSTEM) as view:
        found = view.plans.get(made)
    assert found.labels is not None
    assert found.labels.dtype == np.int32
    assert found.labels.tolist() == [0, 1, -1]
    assert (found.grids, found.report, found.revision) == (GRIDS, {"worst": 0.04}, 2)


def test_a_stale_revision_changes_nothing(database: Database) -> None:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work:
        work.plans.save_solution(made, Plan(LABELS, GRIDS), None, 1)
    other = tuple(replace(grid, team="t9") for grid in GRIDS)
    with pytest.raises(StaleRevision), database.write(ANNA, "test") as work:
        work.plans.save_solution(made, Plan(LABELS[::-1], other), {"worst": 1}, 1)
    with pytest.raises(StaleRevision), database.write(ANNA, "test") as work:
        work.plans.set_status(made, "published", 1)
    with pytest.raises(StaleRevision) as stale, database.write(ANNA, "test") as work:
        work.plans.save_teams(made, other, None, 1)
    assert stale.value.details == {"revision": 2}
    with database.read(SYSTEM) as view:
        assert (view.plans.get(made).revision, view.plans.get(made).grids) == (2, GRIDS)


def test_teams_are_given_to_the_grids_there_are(database: Database) -> None:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work:
        work.plans.save_solution(made, Plan(LABELS, GRIDS), None, 1)
        staffed = tuple(replace(grid, team="t7") for grid in GRIDS)
        assert work.plans.save_teams(made, staffed, {"moved": 1}, 2) == 3
        found = work.plans.get(made)
        assert (found.grids, found.report) == (staffed, {"moved": 1})
        with pytest.raises(InvalidInput, match="not those of the plan"):
            work.plans.save_teams(made, staffed[::-1], None, 3)


def test_a_label_must_name_a_grid(database: Database) -> None:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work, pytest.raises(InvalidInput, match="does not have"):
        work.plans.save_solution(made, Plan(LABELS + 1, GRIDS), None, 1)


def test_two_grids_with_one_code_are_refused(database: Database) -> None:
    made = draft(database, ground(database))
    twice = (Grid("G1", "a"), Grid("G1", "b"))
    with pytest.raises(Conflict, match="one code"), database.write(ANNA, "test") as work:
        work.plans.save_solution(made, Plan(LABELS, twice), None, 1)


def test_a_published_plan_is_never_changed(database: Database) -> None:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work:
        assert work.plans.set_status(made, "published", 1) == 2
        assert work.plans.get(made).status == "published"
        with pytest.raises(Conflict, match="never changed"):
            work.plans.save_solution(made, Plan(LABELS, GRIDS), None, 2)


def test_plans_come_in_pages_oldest_first(database: Database) -> None:
    tiling = ground(database)
    made = [draft(database, tiling) for _ in range(3)]
    with database.read(SYSTEM) as view:
        assert [p.id for p in view.plans.list("elbe", None, 2)] == made[:2]
        assert [p.id for p in view.plans.list("elbe", made[1], 2)] == made[2:]


def test_an_unknown_plan_is_not_found(database: Database) -> None:
    with database.write(ANNA, "test") as work:
        with pytest.raises(NotFound):
            work.plans.get("pln_none")
        with pytest.raises(NotFound):
            work.plans.set_status("pln_none", "published", 1)


def test_carve_outs_are_a_list_which_each_revision_keeps(database: Database) -> None:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work:
        work.plans.save_solution(made, Plan(LABELS, GRIDS), None, 1)
        assert work.plans.set_carve_outs(made, [WORKS, PORT], 2) == 3
        assert work.plans.describe(made, 3, name="other") == 4
        assert work.plans.set_carve_outs(made, [PORT], 4) == 5
        assert work.plans.set_carve_outs(made, [], 5) == 6
    with database.read(SYSTEM) as view:
        assert view.plans.get(made).carve_outs == ()
        past = [view.plans.at(made, revision).carve_outs for revision in range(2, 7)]
    assert past == [(), (WORKS, PORT), (WORKS, PORT), (PORT,), ()]


def test_stale_carve_outs_change_nothing(database: Database) -> None:
    made = draft(database, ground(database), carve_outs=(WORKS,))
    with pytest.raises(StaleRevision), database.write(ANNA, "test") as work:
        work.plans.set_carve_outs(made, [], 2)
    with database.read(SYSTEM) as view:
        assert view.plans.get(made).carve_outs == (WORKS,)


def test_no_grid_takes_the_code_of_a_carve_out(database: Database) -> None:
    made = draft(database, ground(database), carve_outs=(WORKS,))
    taken = (GRIDS[0], Grid("K1", "a"))
    with pytest.raises(Conflict, match="'K1' is the code"), database.write(ANNA, "test") as work:
        work.plans.save_solution(made, Plan(LABELS, taken), None, 1)
    with pytest.raises(Conflict, match="carve-out"), database.write(ANNA, "test") as work:
        work.moves.add_grid(made, taken[1])


def test_two_carve_outs_with_one_code_are_refused(database: Database) -> None:
    made = draft(database, ground(database))
    with pytest.raises(Conflict, match="one code"), database.write(ANNA, "test") as work:
        work.plans.set_carve_outs(made, [WORKS, replace(PORT, code="K1")], 1)
