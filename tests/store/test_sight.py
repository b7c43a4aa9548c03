"""A caller with branches finds, changes and adds nothing of another territory, whatever is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, exists, func, insert, select, union_all, update

from gridsvc.errors import GridsvcError, NotFound
from gridsvc.plans.plan import Plan
from gridsvc.principal import SYSTEM, Principal
from gridsvc.store import Database, sight, tables
from gridsvc.store.records import PlanRecord
from tests.store.builders import ANNA, DAY_1, GRIDS, roster, strip, territory

OTTO = replace(ANNA, actor="otto", branches=frozenset({"oder"}))
NOBODYS = replace(ANNA, actor="nil", branches=frozenset())
LOST = "there is no territory 'elbe'"


def settle(database: Database, slug: str) -> tuple[str, str, str]:
    """A territory with a tiling, a plan, a roster and a job; gives the ids of tiling, plan and job."""
    with database.write(ANNA, "test") as work:
        work.territories.create(territory(slug))
        tiling = work.tilings.add(slug, strip(), params={}, coverage={})
        plan = work.plans.create(PlanRecord(slug, tiling, slug, grids=GRIDS))
        work.plans.save_solution(plan, Plan(np.array([0, 1, -1], np.int32), GRIDS), {}, 1)
        work.rosters.append(slug, roster(), valid_from=DAY_1, reason="start")
        job = work.jobs.create("solve", {"plan": plan}, slug)
        work.webhooks.create("https://example.org/hook", [], slug, "secret", 0)
        work.audit(f"plan/{plan}", None, {})
        work.emit("plan.made", {"plan": plan})
    return tiling, plan, job


@pytest.fixture
def both(database: Database) -> tuple[Database, dict[str, tuple[str, str, str]]]:
    return database, {slug: settle(database, slug) for slug in ("elbe", "oder")}


Both = tuple[Database, dict[str, tuple[str, str, str]]]


def rows(database: Database, who: Principal, statement: Any) -> list[tuple[Any, ...]]:
    with database.read(who) as reader:
        return [tuple(row) for row in reader._handle.connection.execute(statement)]


def test_each_table_has_one_rule() -> None:
    named = set(tables.metadata.tables)
    parents = set(sight._BY_PARENT)
    own = {name for name, table in tables.metadata.tables.items() if "territory" in table.c} | {"territories"}
    assert sight.COMPANY | sight.HIDDEN | parents | own == named
    assert not sight.COMPANY & (sight.HIDDEN | parents | own)
    assert not parents & own
    assert sight.HIDDEN & own == {"webhooks"}


def test_of_each_table_there_are_the_callers_rows_only(both: Both) -> None:
    database, made = both
    elbe = {"elbe", *made["elbe"]}
    for name, table in tables.metadata.tables.items():
        every, seen, none = (rows(database, who, select(table)) for who in (SYSTEM, OTTO, NOBODYS))
        if name in sight.COMPANY:
            assert seen == none == every, name
        elif name in sight.HIDDEN:
            assert seen == none == [], name
        else:
            own = [row for row in every if not elbe & {value for value in row if isinstance(value, str)}]
            assert sorted(map(repr, seen)) == sorted(map(repr, own)), name
            assert (none, len(seen) * 2) == ([], len(every)), name


FORMS = (
    lambda t: select(t.alias("other").c.territory),
    lambda t: select(select(t.c.territory).subquery().c.territory),
    lambda t: union_all(select(t.c.territory), select(t.c.territory)),
    lambda t: select(tables.tilings.c.territory).join(t, t.c.tiling_id == tables.tilings.c.id),
    lambda t: select(tables.territories.c.id).where(exists().where(t.c.territory == tables.territories.c.id)),
    lambda t: select(t.c.territory, func.count()).group_by(t.c.territory),
    lambda t: select(t.c.territory).with_for_update(),
)
"""Ways in which a statement names a table."""


def test_however_a_statement_names_a_table(both: Both) -> None:
    database, _ = both
    for who, expected in ((SYSTEM, {"elbe", "oder"}), (OTTO, {"oder"})):
        with database.write(who, "test") as work:
            for form in FORMS:
                asked = form(tables.plans)
                assert {row[0] for row in work._handle.connection.execute(asked)} == expected, str(asked)


def test_what_belongs_to_another_territory_is_unknown(both: Both) -> None:
    database, made = both
    tiling, plan, job = made["elbe"]
    asked: list[tuple[Any, str]] = [
        (lambda view, name: view.territories.get(name), "elbe"),
        (lambda view, name: view.tilings.get(name), tiling),
        (lambda view, name: view.plans.get(name), plan),
        (lambda view, name: view.jobs.get(name), job),
    ]
    for ask, known in asked:
        with database.read(OTTO) as view, pytest.raises(NotFound) as theirs:
            ask(view, known)
        with database.read(OTTO) as view, pytest.raises(NotFound) as nothing:
            ask(view, "none")
        assert str(theirs.value.as_dict()).replace(known, "none") == str(nothing.value.as_dict())
    with database.read(OTTO) as view:
        assert [found.id for found in view.territories.list()] == ["oder"]
        assert view.rosters.in_force("elbe", DAY_1, view._handle.clock()) is None


def test_nothing_of_another_territory_is_changed(both: Both) -> None:
    database, _ = both
    with database.write(OTTO, "test") as work:
        run = work._handle.connection.execute
        assert run(update(tables.plans).values(name="mine")).rowcount == 1
        assert run(update(tables.plan_grids).values(name="mine")).rowcount == len(GRIDS)
        assert run(update(tables.jobs).values(message="mine")).rowcount == 1
        theirs = select(tables.plans.c.id).where(tables.plans.c.territory == "elbe")
        hidden = tables.plan_grids.c.plan_id.in_(theirs)
        assert run(update(tables.plan_grids).where(hidden).values(name="")).rowcount == 0
        assert run(delete(tables.plan_grids)).rowcount == len(GRIDS)
    assert sorted(rows(database, SYSTEM, select(tables.plans.c.name))) == [("elbe",), ("mine",)]


def test_nothing_is_added_to_another_territory(both: Both) -> None:
    database, made = both
    for add in (
        lambda work: work.plans.create(PlanRecord("elbe", made["oder"][0], "x")),
        lambda work: work.jobs.create("solve", {}, "elbe"),
        lambda work: work.rosters.append("elbe", roster(), valid_from=DAY_1, reason="start"),
        lambda work: work._handle.connection.execute(
            insert(tables.lead_turns), [{"territory": "elbe", "told_until": work._handle.clock()}]
        ),
    ):
        with pytest.raises(GridsvcError, match=LOST), database.write(OTTO, "test") as work:
            add(work)


def test_a_job_of_no_territory_is_for_whoever_asked(database: Database) -> None:
    eve = replace(OTTO, actor="eve")
    with database.write(OTTO, "test") as work:
        job = work.jobs.create("layer", {})
    with database.read(OTTO) as view:
        assert view.jobs.get(job).created_by == "otto"
    with database.read(eve) as view, pytest.raises(NotFound):
        view.jobs.get(job)


def test_a_part_of_a_territory_is_seen_by_those_only_who_leave_out_the_rest(both: Both) -> None:
    database, made = both
    part = replace(OTTO, branches=frozenset({"oder/NORTH"}))
    with database.read(part) as view, pytest.raises(NotFound):
        view.plans.get(made["oder"][1])
    with database.read(part, parts=True) as view:
        assert view.plans.get(made["oder"][1]).name == "oder"
        assert [found.id for found in view.territories.list()] == ["oder"]


def test_a_change_leaves_its_audit_and_its_event(both: Both) -> None:
    database, made = both
    with database.write(OTTO, "test.touch") as work:
        work.audit(f"plan/{made['oder'][1]}", None, {})
        work.emit("plan.touched", {"plan": made["oder"][1]})
    with database.read(SYSTEM) as view:
        assert view.audit_log(1)[0].actor == "otto"
        assert view.outbox(view.outbox_head() - 1)[0].kind == "plan.touched"
