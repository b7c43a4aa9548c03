"""What others published meanwhile: carried in, named as stale, replayed by a rebase."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from gridsvc.errors import (
    Conflict,
    StaleBase,
    StaleRevision,
)
from gridsvc.principal import SYSTEM
from gridsvc.services import (
    branches,
    moves,
    rebasing,
)
from gridsvc.services.moves import Part
from gridsvc.services.series import published_plan
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, letters, out, publish, soon, stored


def test_others_changes_to_other_cells_are_carried_in(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    mine, theirs = draft(database, tiling, "aaabcc"), draft(database, tiling, "aabbbc")
    publish(database, theirs)
    record = publish(database, mine)
    assert out(database, record.n) == "aaabbc"
    assert record.meta["carried"] == {"cells": 1}
    assert record.meta["moved"]["cells"] == 1
    assert letters(stored(database, mine)) == "aaabbc"  # the plan is what was published
    again = branches.branch(database, ANNA, mine, "next")
    assert again.base_publication == 3
    kinds = [move.kind for move in moves.history(database, ANNA, mine)]
    assert kinds == ["rebase"]


def test_others_changes_to_the_same_cells_are_a_stale_base(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    mine = draft(database, tiling, "aaabcc")
    publish(database, draft(database, tiling, "aacccc"))
    with pytest.raises(StaleBase, match="publication 2 changed 1 cells") as refused:
        publish(database, mine)
    told = refused.value.details
    assert (told["base"], told["publication"], told["total"]) == (1, 2, 1)
    assert told["cells"] == [{"cell": "x002y000", "grid": "c", "team": "c", "mine": "a", "publication": 2}]
    assert stored(database, mine).status == "draft"


def test_teams_are_guarded_like_cells(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    mine = draft(database, tiling, "aabbcc")
    theirs = draft(database, tiling, "aabbcc")
    _teams(database, theirs, {"b": "h"})
    publish(database, theirs, 3)
    _teams(database, mine, {"b": "g"})
    with pytest.raises(StaleBase, match="the names or teams of 1 grids") as refused:
        publish(database, mine, 3)
    assert refused.value.details["grids"] == ["b"]
    _teams(database, mine, {"b": "b", "c": "g"}, 3)
    record = publish(database, mine, 4)
    with database.read(SYSTEM) as reader:
        assert [grid.team for grid in published_plan(reader, "board", "base", record.n).grids] == [
            "a",
            "h",
            "g",
        ]


def _teams(database: Database, plan: str, teams: dict[str, str], revision: int = 2) -> None:
    found = stored(database, plan)
    grids = [replace(grid, team=teams.get(grid.code, grid.team)) for grid in found.grids]
    with database.write(ANNA, "test") as uow:
        uow.plans.save_teams(plan, grids, found.report, revision)


def test_two_plans_for_an_empty_series_collide_where_they_differ(database: Database) -> None:
    tiling = ground(database)
    one, two, same = (draft(database, tiling, text) for text in ("aabbcc", "abbbcc", "aabbcc"))
    publish(database, one)
    with pytest.raises(StaleBase, match="made on publication none") as refused:
        publish(database, two)
    assert [entry["cell"] for entry in refused.value.details["cells"]] == ["x001y000"]
    assert publish(database, same).n == 2


def test_a_plan_of_an_older_version_stands_on_what_was_newest_when_it_was_made(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaabcc")
    with database._transaction(writes=True) as connection:
        connection.execute(sa.text("UPDATE plans SET base_publication = NULL"))
    publish(database, draft(database, tiling, "aabbbc"))
    assert out(database, publish(database, plan).n) == "aaabbc"


def test_a_plan_made_on_a_scheduled_publication_is_not_stale_before_it(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbc"), effective_at=soon(5))
    plan = draft(database, tiling, "abbbbc")
    assert out(database, publish(database, plan, supersedes=2).n) == "abbbbc"


def test_rebase_replays_and_lists_what_both_changed(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaaccc")
    publish(database, draft(database, tiling, "aadbbc"))
    with pytest.raises(StaleBase) as refused:
        rebasing.rebase(database, ANNA, plan, 2)
    assert [entry["cell"] for entry in refused.value.details["cells"]] == ["x002y000"]
    assert stored(database, plan).revision == 2
    with pytest.raises(StaleRevision):
        rebasing.rebase(database, ANNA, plan, 1, prefer="mine")
    told = rebasing.rebase(database, ANNA, plan, 2, prefer="theirs", reason="agreed")
    assert (told["base_publication"], told["carried"], told["conflicts"]) == (2, 2, 1)
    found = stored(database, plan)
    assert (letters(found), found.revision, found.base_publication) == ("aadcbc", told["revision"], 2)
    assert rebasing.rebase(database, ANNA, plan, found.revision)["carried"] == 0
    record = publish(database, plan, _mend(database, plan, found.revision))
    assert out(database, record.n) == "aaddbb"


def _mend(database: Database, plan: str, revision: int) -> int:
    parts = [Part(["x003y000"], "d"), Part(["x005y000"], "b")]
    return int(moves.move(database, ANNA, plan, revision, parts, drop_empty=True)["revision"])


def test_rebase_with_mine_keeps_the_plan(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaabcc")
    publish(database, draft(database, tiling, "aacccc"))
    told = rebasing.rebase(database, ANNA, plan, 2, prefer="mine")
    assert told["conflicts"] == 1
    assert letters(stored(database, plan)) == "aaaccc"  # 'b' lost its last cell to the others
    assert out(database, publish(database, plan, told["revision"]).n) == "aaaccc"


def test_rebase_is_refused_without_publication_and_on_what_is_published(database: Database) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "aabbcc")
    with pytest.raises(Conflict, match="nothing is published yet"):
        rebasing.rebase(database, ANNA, plan, 2)
    publish(database, plan)
    with pytest.raises(Conflict, match="published already"):
        rebasing.rebase(database, ANNA, plan, 3)
