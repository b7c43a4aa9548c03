"""Branches: a territory, or a grid of an upper level with all below it; lookups tell of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest

from gridsvc.errors import Conflict, Forbidden, InvalidInput, NotFound, OutsideTerritory, UnknownCustomer
from gridsvc.ownership.answer import Answer
from gridsvc.principal import LOCAL, Principal
from gridsvc.progress import silent
from gridsvc.services import current, customers, keys, lineage, moves, ownership, plans, territories, tree
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.handing import NewGrid, Part
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from tests.conftest import DIALECTS
from tests.databases import shared
from tests.services.board import ANNA, board, lay
from tests.services.districts import SECRET, settle_in
from tests.services.series import draft, ground, publish

AREA = "base@area"
BOARD = Asked("board")
DEGREE = 100 / 111_320


def of(*branches: str) -> Principal:
    return replace(ANNA, actor="branch", branches=frozenset(branches))


@pytest.fixture(scope="module", params=DIALECTS)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """For tests which publish nothing; each draft is its test's own."""
    with shared(request, tmp_path_factory) as database:
        yield laid_out(database)


@pytest.fixture
def own_desk(database: Database) -> Desk:
    return laid_out(database)


def laid_out(database: Database) -> Desk:
    """Two areas in force, grids in them, and a customer in the third cell::

    areas   eeeeffff
    grids   aabbccdd
    """
    tiling = ground(database, 8)
    settle_in(database, tiling)
    publish(database, draft(database, tiling, "eeeeffff", line=AREA))
    publish(database, draft(database, tiling, "aabbccdd"))
    return Desk(database)


def cell(desk: Desk, who: Principal, x: int) -> Answer:
    return ownership.cell(desk, who, f"x{x:03d}y000", asked=replace(BOARD, on_miss_status=True))


def grids(desk: Desk, who: Principal) -> str:
    """Grid of each cell as a caller is told, a dot for none."""
    answers = [cell(desk, who, x) for x in range(8)]
    return "".join("." if a.grid is None else a.grid["code"] for a in answers)


@pytest.mark.parametrize(
    ("branches", "seen"),
    [
        (("board",), "aabbccdd"),
        (("board/e",), "aabb...."),
        (("board/area:f",), "....ccdd"),
        (("board/e", "board/f"), "aabbccdd"),
        (("board/e", "board"), "aabbccdd"),
        (("board/none",), "........"),
    ],
)
def test_a_branch_is_told_of_its_sub_tree(desk: Desk, branches: tuple[str, ...], seen: str) -> None:
    who = of(*branches)
    assert grids(desk, who) == seen
    found = ownership.batch(desk, who, (np.arange(8) + 0.5) * DEGREE, np.full(8, 0.5 * DEGREE), asked=BOARD)
    assert "".join(code or "." for code in found[1].grid) == seen
    for code in "abcd":
        if code in seen:
            assert lineage.resolve(desk, who, code, BOARD).code == code
        else:
            with pytest.raises(NotFound, match=f"no grid '{code}'"):
                lineage.resolve(desk, who, code, BOARD)


def test_what_is_seen_is_told_as_to_everybody(desk: Desk) -> None:
    assert cell(desk, of("board/e"), 2) == cell(desk, ANNA, 2)
    with pytest.raises(OutsideTerritory) as elsewhere:
        ownership.cell(desk, of("board/e"), "x005y000", asked=BOARD)
    with pytest.raises(OutsideTerritory) as nowhere:
        ownership.cell(desk, of("board/e"), "nowhere", asked=BOARD)
    assert elsewhere.value.as_dict() == nowhere.value.as_dict()


def test_customers_are_those_of_the_sub_tree(desk: Desk) -> None:
    mine, other = of("board/e"), of("board/f")
    assert [c.id for c in customers.page(desk, mine, "board", customers.of_grid("b"), None, 10)] == [SECRET]
    assert ownership.customer(desk, mine, SECRET, asked=BOARD).grid is not None
    with pytest.raises(UnknownCustomer):
        ownership.customer(desk, other, SECRET, asked=BOARD)
    for which in (customers.of_grid("b"), customers.of_cell("x002y000")):
        with pytest.raises(NotFound):
            customers.page(desk, other, "board", which, None, 10)
        with pytest.raises(NotFound):
            customers.stream(desk, other, "board", which)


def test_a_later_publication_moves_the_border_of_a_branch(own_desk: Desk) -> None:
    record = own_desk.database
    with record.read(LOCAL) as reader:
        tiling = reader.publications.begun("board", "base")
    assert tiling is not None
    publish(record, draft(record, tiling[1], "eeffffff", line=AREA))
    assert grids(own_desk, of("board/e")) == "aa......"


def test_what_tells_of_the_whole_territory_is_not_found_by_a_part(desk: Desk) -> None:
    who = of("board/e")
    with pytest.raises(NotFound, match="no territory 'board'"):
        territories.get(desk.database, who, "board")
    with pytest.raises(NotFound, match="no territory 'board'"):
        tree.tree(desk.database, who, "board")
    with pytest.raises(Forbidden, match="a whole territory"):
        who.of_whole_territories()


def test_the_file_of_all_is_whole_whoever_publishes(own_desk: Desk, tmp_path: Path) -> None:
    lay(own_desk.database, board(4, 1), {}, slug="oder")
    who, folder = of("oder"), tmp_path / "published"
    told = current.run_job(
        own_desk.database, who, {"folder": str(folder)}, Idempotency("j", "job", "job"), silent
    )
    assert told["publications"] == []
    assert set(pyogrio.list_layers(folder / "current.gpkg")[:, 0]) >= {"board_base_grids"}


# --- drafts


def plan_of(desk: Desk, grids: str = "aabbccdd") -> str:
    with desk.database.read(LOCAL) as reader:
        tiling = reader.publications.begun("board", "base")
    assert tiling is not None
    return draft(desk.database, tiling[1], grids)


def move(desk: Desk, who: Principal, plan: str, cells: str, to: str | NewGrid | None) -> dict[str, Any]:
    names = [f"x{int(x):03d}y000" for x in cells]
    revision = plans.get(desk.database, ANNA, plan).revision
    return moves.move(desk.database, who, plan, revision, [Part(names, to)])


def test_a_part_of_a_draft_is_seen_and_redrawn(desk: Desk) -> None:
    plan, mine = plan_of(desk), of("board/e")
    assert plans.cells_of(desk.database, mine, plan)[0] == plans.cells_of(desk.database, ANNA, plan)[0][:4]
    done = move(desk, mine, plan, "1", "b")
    assert [entry["code"] for entry in done["report"]["grids"]] == ["a", "b"]
    assert done["report"]["overall"] == {}
    assert [grid for _, grid in plans.cells_of(desk.database, ANNA, plan)[0]] == list("abbbccdd")
    move(desk, mine, plan, "0", NewGrid())
    opened, seen = plans.seen(desk.database, mine, plan)
    shown = {grid.code for grid, own in zip(opened.grids, seen, strict=True) if own}
    assert "b" in shown
    assert not {"c", "d"} & shown


@pytest.mark.parametrize(
    ("cells", "to", "said"),
    [
        ("34", "b", "1 of the cells are not of your part: x004y000"),
        ("9", "b", "1 of the cells are not of your part: x009y000"),
        ("1", "c", "your part has no grid 'c'"),
        ("1", "none", "your part has no grid 'none'"),
        ("1", NewGrid("c"), "codes are given out"),
    ],
)
def test_what_lies_elsewhere_is_not_redrawn(desk: Desk, cells: str, to: str | NewGrid, said: str) -> None:
    plan = plan_of(desk)
    with pytest.raises(Forbidden, match=said):
        move(desk, of("board/e"), plan, cells, to)
    assert plans.get(desk.database, ANNA, plan).revision == 2


def test_a_grid_which_reaches_over_the_border_is_nobodys(desk: Desk) -> None:
    plan, mine = plan_of(desk, "aabbbcdd"), of("board/e")
    assert [grid for _, grid in plans.cells_of(desk.database, mine, plan)[0]] == ["a", "a", "", ""]
    with pytest.raises(Forbidden, match="no grid 'b'"):
        move(desk, mine, plan, "1", "b")
    assert [e["code"] for e in move(desk, mine, plan, "2", "a")["report"]["grids"]] == ["a"]


def test_a_conflict_does_not_say_where_others_put_a_cell(desk: Desk) -> None:
    plan, mine = plan_of(desk), of("board/e")
    move(desk, ANNA, plan, "1", "d")
    with pytest.raises(Conflict) as met:
        moves.move(desk.database, mine, plan, 2, [Part(["x001y000"], "b")])
    assert "'d'" not in str(met.value.as_dict())


def test_earlier_revisions_are_for_those_who_see_all(desk: Desk) -> None:
    with pytest.raises(Forbidden, match="a whole territory"):
        plans.cells_of(desk.database, of("board/e"), plan_of(desk), 2)


# --- keys


def test_a_key_is_for_branches_which_are_there(desk: Desk) -> None:
    for n, branches in enumerate((["board"], ["board/e"], ["board/area:f"])):
        record, _ = keys.create(desk.database, LOCAL, Wanted(f"k{n}", "viewer", branches=branches))
        assert record.principal.branches == frozenset(branches)


@pytest.mark.parametrize(
    ("branches", "row", "said", "cure"),
    [
        (["board", "oder"], 2, "no territory 'oder'", "create it first"),
        (["board/x"], 1, "no upper level of board has a grid 'x'", "area:e, area:f"),
        (["board/a"], 1, "no upper level of board has a grid 'a'", "area:e, area:f"),
        (["board/main:e"], 1, "no upper level", "area:e"),
        ([], None, "sees nothing", "leave them out"),
    ],
)
def test_a_branch_which_is_not_there_is_named(
    desk: Desk, branches: list[str], row: int | None, said: str, cure: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        keys.create(desk.database, LOCAL, Wanted("k", "viewer", branches=branches))
    assert (refused.value.field, refused.value.row) == ("branches", row)
    assert cure in (refused.value.cure or "")


def test_a_code_of_two_levels_needs_its_level(own_desk: Desk) -> None:
    with own_desk.database.read(LOCAL) as reader:
        tiling = reader.publications.begun("board", "base")
    assert tiling is not None
    publish(own_desk.database, draft(own_desk.database, tiling[1], "eeffgghh", line="base@main"))
    with pytest.raises(InvalidInput, match="a grid of several levels") as refused:
        keys.create(own_desk.database, LOCAL, Wanted("k", "viewer", branches=["board/e"]))
    assert "board/area:e" in (refused.value.cure or "")
    assert grids(own_desk, of("board/e")) == "........"
    assert grids(own_desk, of("board/main:e")) == "aa......"


def test_nobody_who_sees_a_part_makes_keys(desk: Desk) -> None:
    with pytest.raises(Forbidden, match="the whole company"):
        keys.create(desk.database, of("board"), Wanted("k", "viewer"))
