"""Levels: each divides the one above it; sums agree; a level is solved from the top down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.errors import GateClosed, InvalidInput, NotFound
from gridsvc.plans.levels import COMMON, Level
from gridsvc.principal import LOCAL, SYSTEM
from gridsvc.progress import silent
from gridsvc.services import gates, levels, plans, publishing, realigning, tree
from gridsvc.services.publishing import Wanted
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from tests.conftest import DIALECTS
from tests.databases import shared
from tests.services.board import ANNA
from tests.services.series import draft, ground, out, owner, publish, soon
from tests.services.test_lineage import live

AREA = "base@area"


def at(database: Database, when: datetime | None = None) -> dict[str, tuple[int | None, float | None]]:
    """Grids and customers of each level."""
    found = tree.tree(database, ANNA, "board", at=when)
    return {s.level.id: (n, None if t is None else t.get("customers")) for s, t, n in found}


def chains(database: Database, level: str, when: datetime | None = None) -> dict[str, str | None]:
    """Parent of each grid of a level."""
    return {u.code: u.parent for u in tree.units(database, ANNA, "board", level, at=when)}


@pytest.fixture
def two(database: Database) -> tuple[Database, str]:
    return nested(database)


@pytest.fixture(scope="module", params=DIALECTS)
def still_two(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, str]]:
    """For tests which only ask, or are refused."""
    with shared(request, tmp_path_factory) as database:
        yield nested(database)


def nested(database: Database) -> tuple[Database, str]:
    """Two areas in force, and grids in them::

    areas   eeeeffff
    grids   aabbccdd
    """
    tiling = ground(database, 8)
    publish(database, draft(database, tiling, "eeeeffff", line=AREA))
    publish(database, draft(database, tiling, "aabbccdd"))
    return database, tiling


# --- which there are


def test_a_territory_has_the_common_levels_until_told_otherwise(database: Database) -> None:
    ground(database)
    assert levels.get(database, ANNA, "board") == COMMON


def names(*chain: tuple[str, str | None]) -> list[Level]:
    return [Level(i, {"zh": i, "en": i}, parent) for i, parent in chain]


def test_levels_are_given_in_any_order(database: Database) -> None:
    ground(database)
    levels.put(database, ANNA, "board", names(("grid", "area"), ("all", None), ("area", "all")))
    assert [level.id for level in levels.get(database, ANNA, "board")] == ["all", "area", "grid"]


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (names(("a", "b"), ("b", "a"), ("c", None)), "'a' lies above itself"),
        (names(("a", None), ("b", "b")), "'b' lies above itself"),
        (names(("a", None), ("b", "z")), "'b' lies below 'z', which is none"),
        (names(("a", None), ("b", "a"), ("c", "a")), "levels 'b' and 'c': both lie below 'a'"),
        (names(("a", None), ("b", None)), "levels 'a' and 'b': both lie at the top"),
        (names(("a", None), ("a", None)), "'a' stands twice"),
        (names(("a", None)), "at least one below"),
        ([], "at least one below"),
    ],
)
def test_levels_which_are_no_chain_are_refused_by_name(
    still_two: tuple[Database, str], chain: list[Level], said: str
) -> None:
    database, _ = still_two
    with pytest.raises(InvalidInput, match=said) as refused:
        levels.put(database, ANNA, "board", chain)
    assert refused.value.cure


def test_a_level_of_which_something_is_published_stays(two: tuple[Database, str]) -> None:
    database, _ = two
    with pytest.raises(InvalidInput, match="levels area, grid are published"):
        levels.put(database, ANNA, "board", names(("company", None), ("grid", "company")))
    with pytest.raises(InvalidInput, match="published"):
        chain = names(("company", None), ("grid", "company"), ("area", "grid"))
        levels.put(database, ANNA, "board", chain)
    levels.put(database, ANNA, "board", names(("c", None), ("area", "c"), ("x", "area"), ("grid", "x")))
    assert [n for n, _ in at(database).values()] == [1, 2, None, 4]


# --- sums and chains


def test_sums_agree_at_every_level_and_each_grid_has_its_parent(still_two: tuple[Database, str]) -> None:
    database, _ = still_two
    assert at(database) == {
        "company": (1, 8.0),
        "branch": (None, None),
        "area": (2, 8.0),
        "main": (None, None),
        "grid": (4, 8.0),
    }
    assert chains(database, "grid") == {"a": "e", "b": "e", "c": "f", "d": "f"}
    assert chains(database, "area") == {"e": "board", "f": "board"}
    assert chains(database, "company") == {"board": None}
    with pytest.raises(NotFound, match="level 'branch'"):
        chains(database, "branch")


def test_each_level_divides_the_nearest_one_above_which_is_in_force(database: Database) -> None:
    tiling = ground(database, 8)
    for line, letters in (("base@branch", "ggggghhh"), (AREA, "eefffddd"), ("base", "aabbbccd")):
        publish(database, draft(database, tiling, letters, line=line))
    assert chains(database, "branch") == {"g": "board", "h": "board"}
    assert chains(database, "area") == {"e": "g", "f": "g", "d": "h"}
    assert chains(database, "grid") == {"a": "e", "b": "f", "c": "d", "d": "d"}
    with pytest.raises(GateClosed):
        publish(database, draft(database, tiling, "gggghhhh", line="base@branch"))


def test_each_level_is_looked_up_under_its_own_line(two: tuple[Database, str]) -> None:
    database, _ = two
    assert owner(database, "x003y000")["grid"]["code"] == "b"
    assert owner(database, "x003y000", line=AREA)["grid"]["code"] == "e"


# --- nesting


def test_a_grid_across_two_areas_is_not_published(two: tuple[Database, str]) -> None:
    database, tiling = two
    plan = draft(database, tiling, "aabbbcdd")
    gate = next(gate for gate in gates.gates_of(database, ANNA, plan) if gate.name == "levels")
    assert not gate.passed
    assert [(o["level"], o["grid"], o["parents"], o["cells"]) for o in gate.offenders] == [
        ("grid", "b", ["e", "f"], 1)
    ]
    with pytest.raises(GateClosed, match="do not lie in one grid of the level above"):
        publish(database, plan)


def test_an_area_which_cuts_a_grid_is_not_published(two: tuple[Database, str]) -> None:
    database, tiling = two
    with pytest.raises(GateClosed) as refused:
        publish(database, draft(database, tiling, "eeefffff", line=AREA))
    (gate,) = refused.value.details["gates"]
    assert [(o["level"], o["grid"]) for o in gate["offenders"]] == [("grid", "b")]


def test_a_border_is_moved_by_cutting_below_first(two: tuple[Database, str]) -> None:
    """The cell x003 goes from b in e to c in f; at each date sums and chains are right."""
    database, tiling = two
    publish(database, draft(database, tiling, "aabgccdd"), effective_at=soon(1))
    publish(database, draft(database, tiling, "eeefffff", line=AREA), effective_at=soon(2))
    publish(database, draft(database, tiling, "aabcccdd"), effective_at=soon(3))
    assert chains(database, "grid", soon(1.5)) == {"a": "e", "b": "e", "g": "e", "c": "f", "d": "f"}
    assert chains(database, "grid", soon(2.5)) == {"a": "e", "b": "e", "g": "f", "c": "f", "d": "f"}
    assert chains(database, "grid", soon(3.5)) == {"a": "e", "b": "e", "c": "f", "d": "f"}
    for days in (0.5, 1.5, 2.5, 3.5):
        assert [c for _, c in at(database, soon(days)).values() if c is not None] == [8.0] * 3


def test_what_is_scheduled_above_is_looked_at_too(two: tuple[Database, str]) -> None:
    database, tiling = two
    publish(database, draft(database, tiling, "aabgccdd"))
    publish(database, draft(database, tiling, "eeefffff", line=AREA), effective_at=soon(5))
    with pytest.raises(GateClosed):
        publish(database, draft(database, tiling, "aabbccdd"))


def test_what_another_publishes_above_at_the_same_time_is_seen(
    two: tuple[Database, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Areas are published after the grids were judged, and before they are written."""
    database, tiling = two
    publish(database, draft(database, tiling, "aabgccdd"))
    areas, grids = draft(database, tiling, "eeefffff", line=AREA), draft(database, tiling, "aabbccdd")
    judge, late = publishing.make_ready, [areas]

    def overtaken(reader: Any, found: Any, *args: Any, **more: Any) -> Any:
        made = judge(reader, found, *args, **more)
        if found.record.id == grids and late:
            publish(database, late.pop())
        return made

    monkeypatch.setattr(publishing, "make_ready", overtaken)
    with pytest.raises(GateClosed):
        publish(database, grids)
    assert not late
    assert chains(database, "grid")["g"] == "f"


def test_a_line_which_lies_over_the_base_has_levels_of_its_own(database: Database) -> None:
    tiling = ground(database, 4)
    publish(database, draft(database, tiling, "ee..", line="gas@area"))
    with pytest.raises(GateClosed):
        publish(database, draft(database, tiling, "a...", line="gas"))
    with pytest.raises(GateClosed):
        publish(database, draft(database, tiling, "aab.", line="gas"))
    publish(database, draft(database, tiling, "ab..", line="gas"))
    assert publish(database, draft(database, tiling, "aabb")).n == 1


def test_a_territory_without_other_levels_has_no_such_gate(database: Database) -> None:
    tiling = ground(database)
    found = gates.gates_of(database, ANNA, draft(database, tiling, "aabbcc"))
    assert "levels" not in {gate.name for gate in found}


def test_a_level_must_cover_everything_as_the_base_line_must(database: Database) -> None:
    tiling = ground(database, 4)
    with pytest.raises(GateClosed, match="cell"):
        publish(database, draft(database, tiling, "ee..", line=AREA))


# --- solving from the top down


def solve(database: Database, tiling: str, grids: int, **more: Any) -> Any:
    request = SolveRequest(grids, (("customers", 0.5),))
    record, _ = plans.start(database, LOCAL, tiling, request, **more)
    return plans.solve(database, LOCAL, record.id, silent)


def test_a_level_is_solved_inside_every_grid_above(database: Database) -> None:
    tiling = ground(database, 8)
    publish(database, draft(database, tiling, "eeefffff", line=AREA))
    found = solve(database, tiling, 4, level="main")
    assert (found.line, found.level) == ("base@main", "main")
    of = (
        {found.grids[g].parent for g in found.labels[:3].tolist()},
        {found.grids[g].parent for g in found.labels[3:].tolist()},
    )
    assert of == ({"e"}, {"f"})


def test_a_plan_without_level_is_of_the_lowest_and_nests_too(two: tuple[Database, str]) -> None:
    database, tiling = two
    found = solve(database, tiling, 2)
    assert (found.line, found.level) == ("base", "grid")
    assert found.labels.tolist() == [0] * 4 + [1] * 4


def test_inside_one_parent_the_others_stay_as_published(two: tuple[Database, str]) -> None:
    database, tiling = two
    found = solve(database, tiling, 3, parent="e")
    codes = [found.grids[g].code for g in found.labels.tolist()]
    assert codes[4:] == ["c", "c", "d", "d"]
    new = set(codes[:4])
    assert new == {"01", "02", "03"}
    assert [grid.parent for grid in found.grids if grid.code in new] == ["e"] * 3


def uneven(database: Database) -> str:
    """Grids of two, one, three and two cells; b could only grow across the border of areas::

    areas   eeefffff
    grids   aabcccdd
    """
    tiling = ground(database, 8)
    publish(database, draft(database, tiling, "eeefffff", line=AREA))
    plan = draft(database, tiling, "aabcccdd")
    publish(database, plan)
    return plan


def crossed(plan: Any) -> bool:
    return bool({plan.grids[g].code for g in plan.labels[:3]} & {plan.grids[g].code for g in plan.labels[3:]})


def test_a_realignment_keeps_inside_the_grids_above(database: Database) -> None:
    source = uneven(database)
    wish = realigning.Realign(most=0.5)
    made, job = realigning.start(database, LOCAL, source, plans.get(database, LOCAL, source).revision, wish)
    assert (made.line, made.level) == ("base", "grid")
    once = Idempotency("key", "digest", "job")
    realigning.run_job(database, LOCAL, job.params, once, silent)
    assert not crossed(plans.get(database, LOCAL, made.id))


def test_a_plan_from_another_keeps_inside_the_grids_above(database: Database) -> None:
    source = uneven(database)
    tiling = plans.get(database, LOCAL, source).tiling
    assert not crossed(solve(database, tiling, 4, from_plan=plans.FromPlan(source, 0.5)))


def test_a_plan_which_lies_across_is_brought_inside_by_its_realignment(database: Database) -> None:
    source = uneven(database)
    tiling = plans.get(database, LOCAL, source).tiling
    other = draft(database, tiling, "aabbccdd")
    assert not crossed(solve(database, tiling, 4, from_plan=plans.FromPlan(other, 0.5)))


@pytest.mark.parametrize(
    ("more", "field", "cure"),
    [
        ({"level": "street"}, "level", "branch, area, main, grid"),
        ({"level": "company"}, "level", "branch"),
        ({"parent": "z"}, "parent", "e, f"),
        ({"level": "area", "parent": "e"}, "parent", "level above"),
    ],
)
def test_a_level_or_parent_which_is_not_there_is_refused(
    still_two: tuple[Database, str], more: dict[str, str], field: str, cure: str
) -> None:
    database, tiling = still_two
    with pytest.raises(InvalidInput) as refused:
        solve(database, tiling, 2, **more)
    assert refused.value.field == field
    assert cure in (refused.value.cure or "")


# --- any series


CUTS = st.lists(st.integers(1, 7), min_size=1, max_size=4, unique=True).map(sorted)


@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.lists(st.tuples(st.booleans(), CUTS), min_size=3, max_size=7))
def test_whatever_is_published_each_cell_has_one_chain_and_sums_agree(
    database: Database, wishes: list[tuple[bool, list[int]]]
) -> None:
    """Strips cut anywhere, of areas or of grids: those which do not nest are refused, and nothing else is."""
    with database.read(SYSTEM) as reader:
        known = reader.territories.list()
    tiling = ground(database, 8) if not known else reader_tiling(database)
    if not known:
        live(database, tiling, [0, 0, 3, 5, 5, 5, 7])
    drawn_now: dict[str, str | None] = {}
    for line in (AREA, "base"):
        with database.read(SYSTEM) as reader:
            newest = reader.publications.newest("board", line)
        drawn_now[line] = None if newest is None else out(database, newest.n, line)
    for is_area, cuts in wishes:
        line = AREA if is_area else "base"
        letters = strips(cuts)
        other = drawn_now["base" if is_area else AREA]
        pair = (letters, other) if is_area else (other, letters)
        fits = other is None or nests(*pair)
        plan = draft(database, tiling, letters, line=line)
        if not fits:
            with pytest.raises(GateClosed):
                publish(database, plan)
            continue
        publish(database, plan)
        drawn_now[line] = letters
        check(database, drawn_now)


def reader_tiling(database: Database) -> str:
    with database.read(SYSTEM) as reader:
        return reader.tilings.list("board")[0].id


def strips(cuts: list[int]) -> str:
    bounds = [0, *cuts, 8]
    return "".join("abcdefgh"[i] * (b - a) for i, (a, b) in enumerate(pairwise(bounds)))


def nests(areas: str | None, grids: str | None) -> bool:
    pairs = set(zip(grids or "", areas or "", strict=False))
    return len({grid for grid, _ in pairs}) == len(pairs)


def check(database: Database, drawn_now: dict[str, str | None]) -> None:
    found = tree.tree(database, ANNA, "board")
    sums = [totals for _, totals, _ in found if totals is not None]
    assert all(total == sums[0] for total in sums)
    areas, grids = drawn_now[AREA], drawn_now["base"]
    if areas is None or grids is None:
        return
    parents = chains(database, "grid")
    assert [parents[grid] for grid in grids] == list(areas)
    below = tree.units(database, ANNA, "board", "grid")
    for area in tree.units(database, ANNA, "board", "area"):
        children = [unit for unit in below if unit.parent == area.code]
        assert area.cells == sum(unit.cells for unit in children)
        for name, value in area.totals.items():
            assert np.isclose(value, sum(unit.totals[name] for unit in children))


def test_publishing_back_must_nest_as_well(two: tuple[Database, str]) -> None:
    database, tiling = two
    publish(database, draft(database, tiling, "aabgccdd"))
    publish(database, draft(database, tiling, "eeefffff", line=AREA))
    with pytest.raises(GateClosed):
        publishing.republish(database, ANNA, "board", 1, Wanted())
