"""Carve-outs of a draft: set as a whole, taken along wherever the plan goes, and published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from gridsvc.errors import (
    Conflict,
    GateClosed,
    InvalidGeometry,
    InvalidInput,
    StaleBase,
    StaleRevision,
)
from gridsvc.ownership.publication import unpack
from gridsvc.plans.carveouts import CarveOut
from gridsvc.principal import SYSTEM
from gridsvc.services import branches, carveouts, moves, plans, publications, publishing, realigning, rebasing
from gridsvc.services.handing import NewGrid
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from gridsvc.store.tables import published_grids
from tests.services.board import ANNA, BO, SIDE, hand_over
from tests.services.series import draft, ground, publish, stored

DEGREE = SIDE / 111_320


def carved(code: str, cell: float = 0.0, **changes: Any) -> CarveOut:
    """A square of a fifth of a cell's side, in the middle of the cell that many from the west."""
    x, y = (cell + 0.4) * DEGREE, 0.4 * DEGREE
    given = {"name": f"Works {code}", "team": "h", "reason": "key enterprise"}
    return CarveOut(code, **(given | changes), polygon=shapely.box(x, y, x + DEGREE / 5, y + DEGREE / 5))


K1, K2 = carved("K1"), carved("K2", 3)


def put(database: Database, plan: str, *given: CarveOut, **more: Any) -> int:
    revision = more.pop("revision", None) or stored(database, plan).revision
    return carveouts.put(database, ANNA, plan, revision, given, **more).revision


def carve_outs(database: Database, plan: str) -> tuple[CarveOut, ...]:
    return carveouts.get(database, ANNA, plan)[0]


def overlays(database: Database, n: int) -> list[tuple[str, str | None]]:
    record = publications.get(database, ANNA, "board", n)
    return [(overlay.code, overlay.team) for overlay in unpack(record.payload).overlays]


@pytest.fixture
def plan(database: Database) -> str:
    """A draft of three grids at revision 2."""
    return draft(database, ground(database), "aabbcc")


def test_the_list_is_replaced_as_a_whole_with_its_audit_and_event(database: Database, plan: str) -> None:
    assert put(database, plan, K1, K2) == 3
    assert carveouts.get(database, ANNA, plan) == ((K1, K2), 3)
    assert put(database, plan, K2) == 4
    with database.read(SYSTEM) as view:
        newest = view.audit_log(1)[0]
        event = view.outbox()[-1]
    assert (newest.action, newest.subject) == ("plan.carve-out", f"plan/{plan}/carve-outs")
    assert [entry["code"] for entry in newest.before] == ["K1", "K2"]
    assert newest.after == [
        {
            "code": "K2",
            "name": "Works K2",
            "team": "h",
            "reason": "key enterprise",
            "bbox": list(K2.polygon.bounds),
        }
    ]
    assert (event.kind, event.payload["revision"], event.payload["carve_outs"]) == ("plan.carved", 4, 1)


def test_a_repeated_request_counts_once(database: Database, plan: str) -> None:
    once = Idempotency("k", "d")
    assert put(database, plan, K1, idempotency=once) == 3
    assert carveouts.put(database, ANNA, plan, 2, [K1], idempotency=once).revision == 3


def test_what_does_not_fit_the_plan_is_named_by_row_and_field(database: Database, plan: str) -> None:
    with pytest.raises(InvalidInput, match="code of a grid") as taken:
        put(database, plan, K1, carved("b", 3))
    with pytest.raises(InvalidGeometry, match="outside the territory") as outside:
        put(database, plan, K1, carved("K2", 7), source="carved.gpkg")
    assert [(e.value.source, e.value.row, e.value.field) for e in (taken, outside)] == [
        ("carve_outs", 2, "code"),
        ("carved.gpkg", 2, "geometry"),
    ]
    assert carveouts.get(database, ANNA, plan) == ((), 2)


def test_only_who_saw_the_draft_changes_it(database: Database, plan: str) -> None:
    put(database, plan, K1)
    with pytest.raises(StaleRevision):
        put(database, plan, revision=2)
    publish(database, plan, 3)
    with pytest.raises(Conflict, match="published already"):
        put(database, plan)
    assert carve_outs(database, plan) == (K1,)


def test_a_plan_without_grids_yet_has_none(database: Database) -> None:
    tiling = ground(database)
    made = plans.create(database, ANNA, tiling, SolveRequest(3, (("customers", 0.1),))).id
    with pytest.raises(Conflict, match="not solved"):
        put(database, made, K1)


def test_moves_made_on_what_was_seen_before_still_count(database: Database, plan: str) -> None:
    put(database, plan, K1)
    assert hand_over(database, plan, 2, "x001y000", "b")["revision"] == 4
    assert moves.undo(database, ANNA, plan, 4)["revision"] == 5
    assert carve_outs(database, plan) == (K1,)


def test_a_new_grid_does_not_take_a_carve_outs_code(database: Database, plan: str) -> None:
    put(database, plan, carved("01"), carved("K2", 3))
    with pytest.raises(InvalidInput, match="there is a carve-out 'K2' already"):
        hand_over(database, plan, 3, "x001y000", NewGrid("K2"))
    hand_over(database, plan, 3, "x001y000", NewGrid())
    assert [grid.code for grid in stored(database, plan).grids] == ["a", "b", "c", "02"]


# --- where the plan goes


def test_branches_and_realignments_take_them_along(database: Database, plan: str) -> None:
    put(database, plan, K1)
    branch = branches.branch(database, ANNA, plan, "what if").id
    made, _ = realigning.start(database, ANNA, plan, 3, realigning.Realign())
    again, _ = plans.start(
        database,
        ANNA,
        stored(database, plan).tiling,
        SolveRequest(3, (("customers", 0.5),)),
        from_plan=plans.FromPlan(plan),
    )
    put(database, plan)
    assert [carve_outs(database, p) for p in (branch, made.id, again.id, plan)] == [(K1,), (K1,), (K1,), ()]


def test_a_merge_brings_what_only_the_branch_changed(database: Database, plan: str) -> None:
    put(database, plan, K1)
    other = branches.branch(database, ANNA, plan, "what if").id
    renamed, new = replace(K1, name="Mill"), carved("K3", 5)
    put(database, other, renamed, new)
    put(database, plan, K1, K2)
    hand_over(database, other, 2, "x001y000", "b")
    done = branches.merge(database, ANNA, plan, 4, other)
    assert (done["moved"], done["conflicts"], done["carve_outs"]) == (1, 0, [])
    assert carveouts.get(database, ANNA, plan) == ((renamed, K2, new), done["revision"])
    assert hand_over(database, plan, done["revision"], "x003y000", "c")["moved"] == 1


def test_a_merge_of_carve_outs_alone_is_remembered_and_left_by_undo(database: Database, plan: str) -> None:
    other = branches.branch(database, ANNA, plan, "what if").id
    hand_over(database, plan, 2, "x001y000", "b")
    put(database, other, K1)
    first = branches.merge(database, ANNA, plan, 3, other)
    assert (first["moved"], carve_outs(database, plan)) == (0, (K1,))
    put(database, other, replace(K1, team="g"))
    second = branches.merge(database, ANNA, plan, first["revision"], other)
    assert carve_outs(database, plan) == (replace(K1, team="g"),)
    put(database, other)
    third = branches.merge(database, ANNA, plan, second["revision"], other)
    assert carve_outs(database, plan) == ()
    assert moves.undo(database, ANNA, plan, third["revision"])["moved"] == 1  # the move before the merges
    kinds = [(move.kind, move.n_cells) for move in moves.history(database, ANNA, plan)]
    assert kinds == [("move", 1), ("merge", 0), ("merge", 0), ("merge", 0), ("undo", 1)]


@pytest.mark.parametrize(("prefer", "team"), [("mine", "g"), ("theirs", "f")])
def test_a_carve_out_both_changed_is_a_conflict_unless_said(
    database: Database, plan: str, prefer: Any, team: str
) -> None:
    put(database, plan, K1)
    other = branches.branch(database, ANNA, plan, "what if").id
    put(database, other, replace(K1, team="f"))
    put(database, plan, replace(K1, team="g"))
    with pytest.raises(Conflict, match="carve-outs K1 were changed in both") as refused:
        branches.merge(database, ANNA, plan, 4, other)
    assert refused.value.details["carve_outs"] == ["K1"]
    assert stored(database, plan).revision == 4
    assert branches.merge(database, ANNA, plan, 4, other, prefer=prefer)["carve_outs"] == ["K1"]
    assert [c.team for c in carve_outs(database, plan)] == [team]


# --- publications


def _published(database: Database, letters: str, *given: CarveOut) -> int:
    made = draft(database, _tiling(database), letters)
    return publish(database, made, put(database, made, *given)).n


def _tiling(database: Database) -> str:
    with database.read(SYSTEM) as view:
        return view.tilings.list("board")[0].id


def test_a_publication_has_them_in_its_block_its_summary_and_its_shapes(
    database: Database, plan: str
) -> None:
    record = publish(database, plan, put(database, plan, K2, K1))
    assert overlays(database, 1) == [("K1", "h"), ("K2", "h")]
    assert (record.meta["grids"], record.meta["carve_outs"], record.meta["teams"]) == (3, 2, 4)
    with database._engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT code, team FROM published_grids ORDER BY code")).all()
    assert [tuple(row) for row in rows] == [("K1", "h"), ("K2", "h"), ("a", "a"), ("b", "b"), ("c", "c")]
    with database._engine.connect() as connection:
        shapes = connection.execute(sa.select(published_grids.c.geometry).order_by(published_grids.c.code))
        first, second, *_ = shapes.scalars()
        assert first.equals(K1.polygon) and second.equals(K2.polygon)
    found, _ = publications.layer(database, ANNA, "board", 1, "grids")
    assert found.columns["code"] == ["a", "b", "c", "K1", "K2"]
    assert found.geometry[-1] == K2.polygon
    assert publications.verify(database, ANNA) == 1


def test_one_without_says_nothing_of_them(database: Database, plan: str) -> None:
    record = publish(database, plan)
    assert "carve_outs" not in record.meta
    assert overlays(database, 1) == []


def test_a_team_nobody_leads_closes_the_gate(database: Database, plan: str) -> None:
    revision = put(database, plan, carved("K1", team="ghost"), carved("K2", 3, team=None))
    with pytest.raises(GateClosed) as closed:
        publish(database, plan, revision)
    (gate,) = [gate for gate in closed.value.details["gates"] if gate["name"] == "team"]
    assert [(e["carve_out"], e["why"]) for e in gate["offenders"]] == [("K1", "unknown team")]


def test_what_others_carved_out_meanwhile_is_carried_in(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    late = draft(database, tiling, "aabbbc")
    put(database, late, K2)
    _published(database, "aabbcc", K1)
    assert publish(database, late, 3).n == 3
    assert overlays(database, 3) == [("K1", "h"), ("K2", "h")]
    assert carve_outs(database, late) == (K2, K1)


def test_a_rebase_brings_them_in_and_tells_the_audit(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    late = draft(database, tiling, "aabbcc")
    _published(database, "aabbcc", K1)
    done = rebasing.rebase(database, ANNA, late, 2)
    assert (done["base_publication"], done["carve_outs"]) == (2, [])
    assert carveouts.get(database, ANNA, late) == ((K1,), done["revision"])
    with database.read(SYSTEM) as view:
        assert view.audit_log(1)[0].after["carve_outs"] == ["K1"]


@pytest.mark.parametrize(("prefer", "team"), [("mine", "g"), ("theirs", "f")])
def test_what_a_publication_changed_too_is_a_stale_base(database: Database, prefer: Any, team: str) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    late = draft(database, tiling, "aabbcc")
    put(database, late, carved("K1", team="g"))
    _published(database, "aabbcc", carved("K1", team="f"))
    with pytest.raises(StaleBase, match="publication 2 changed carve-outs K1") as refused:
        publish(database, late, 3)
    assert refused.value.details["carve_outs"] == ["K1"]
    done = rebasing.rebase(database, ANNA, late, 3, prefer=prefer)
    assert (done["carve_outs"], [c.team for c in carve_outs(database, late)]) == (["K1"], [team])


def test_a_publication_brought_back_has_its_own(database: Database, plan: str) -> None:
    publish(database, plan, put(database, plan, K1))
    _published(database, "aabbcc")
    assert overlays(database, 2) == []
    again = publishing.republish(database, BO, "board", 1)
    first = publications.get(database, ANNA, "board", 1)
    assert overlays(database, again.n) == [("K1", "h")]
    assert again.checksum == first.checksum


def test_one_branch_of_a_tree_alone_leaves_them_as_published(database: Database) -> None:
    tiling = ground(database)
    first = draft(database, tiling, "aabbcc", "c")
    publish(database, first, put(database, first, K1))
    east = draft(database, tiling, "aabbcd", "cd")
    put(database, east, K2)
    publish(database, east, 3, scope="E")
    assert overlays(database, 2) == [("K1", "h")]
