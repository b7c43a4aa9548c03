"""A board with people, and drafts on it which are drawn as letters: each letter is a grid and its team."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from gridsvc.plans.plan import Grid, Plan
from gridsvc.principal import SYSTEM
from gridsvc.services import ownership, plans, publishing, rosters
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.publishing import Wanted
from gridsvc.services.request import SolveRequest
from gridsvc.services.series import published_plan
from gridsvc.store import Database
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from tests.services.board import ANNA, board, lay
from tests.store.builders import DAY_1

TEAMS = "abcdefgh"
DAY = timedelta(days=1)


def people() -> Roster:
    return Roster(
        departments=(Department("m", "Marketing", head="p-a"),),
        people=tuple(Person(f"p-{t}", f"Person {t}", "m") for t in TEAMS),
        teams=tuple(Team(t, f"Team {t.upper()}") for t in TEAMS),
        members=tuple(Member(t, f"p-{t}", "lead") for t in TEAMS),
        fallback="a",
    )


def ground(database: Database, width: int = 6, height: int = 1) -> str:
    """A territory of `width` x `height` cells with one customer in each; gives the tiling's id."""
    tiling = board(width, height)
    made = lay(database, tiling, {"customers": np.ones(len(tiling))})
    rosters.put(
        database, ANNA, "board", people(), valid_from=DAY_1 - timedelta(days=1), reason="from the start"
    )
    return made


def drawn(letters: str, parents: str = "") -> Plan:
    """``aab.``: two cells of grid a, one of b, one of none; `parents` names the grids nested in E, else W."""
    codes = sorted(set(letters) - {"."})
    labels = np.array([codes.index(c) if c != "." else -1 for c in letters], np.int32)
    nested = {c: (None if not parents else "E" if c in parents else "W") for c in codes}
    return Plan(labels, tuple(Grid(c, f"Grid {c}", c, parent=nested[c]) for c in codes))


def draft(database: Database, tiling: str, letters: str, parents: str = "", **more: Any) -> str:
    """A draft, drawn; gives its id; revision 2. One with cells of no grid comes without a report."""
    plan = drawn(letters, parents)
    if "." not in letters:
        return plans.put(database, ANNA, tiling, plan, (("customers", 0.5),), **more).id
    made = plans.create(database, ANNA, tiling, SolveRequest(len(plan.grids), ()), **more).id
    with database.write(ANNA, "test") as uow:
        uow.plans.save_solution(made, plan, None, 1)
    return made


def publish(database: Database, plan: str, revision: int = 2, **wanted: Any) -> PublicationRecord:
    return publishing.publish(database, ANNA, plan, revision, Wanted(**wanted))


def letters(plan: Plan) -> str:
    return "".join("." if label < 0 else plan.grids[label].code for label in plan.labels.tolist())


def out(database: Database, n: int, line: str = "base") -> str:
    """A publication, drawn."""
    with database.read(SYSTEM) as reader:
        return letters(published_plan(reader, "board", line, n))


def soon(days: float) -> datetime:
    return datetime.now(UTC) + days * DAY


def owner(database: Database, cell: str, **asked: Any) -> dict[str, Any]:
    return ownership.cell(Desk(database), ANNA, cell, asked=Asked("board", **asked)).as_dict()


def stored(database: Database, plan: str) -> Any:
    """A plan as it is kept."""
    with database.read(SYSTEM) as reader:
        return reader.plans.get(plan)
