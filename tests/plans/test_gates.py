"""A plan is judged before it is published: each rule names who breaks it and where to look."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.gates import Gate, Judged, gates
from gridsvc.plans.pieces import strays
from gridsvc.plans.places import Places
from gridsvc.plans.plan import Grid, Plan
from gridsvc.tiling.tiling import Adjacency

ALL = ["coverage", "contiguity", "team", "placement", "locks", "nesting", "requests", "tolerance"]


def row_of(n: int) -> Adjacency:
    return Adjacency.from_pairs(n, np.arange(n - 1), np.arange(1, n), np.ones(n - 1))


def judged(
    letters: str = "aabb", teams: tuple[str | None, ...] = ("T1", "T2"), **more: Any
) -> dict[str, Gate]:
    """Unit squares in a row; letter a is grid 01, b is 02, a dot no grid."""
    grids = tuple(Grid(f"0{i}", "", team) for i, team in enumerate(teams, 1))
    n, graph = len(letters), row_of(len(letters))
    known: dict[str, Any] = {"has_lead": {"T1": True, "T2": True, "T3": False}} | more
    found = gates(
        Judged(
            known.pop("plan", None) or Plan(np.array(["ab".find(c) for c in letters], np.int32), grids),
            graph.indptr,
            graph.indices,
            [f"cell{i}" for i in range(n)],
            Places(np.array([shapely.box(i, 0, i + 1, 1) for i in range(n)], dtype=object)),
            **known,
        )
    )
    return {gate.name: gate for gate in found}


def without_place(offenders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{n: v for n, v in entry.items() if n not in {"at", "bbox"}} for entry in offenders]


def test_a_carve_out_is_owned_by_a_team_with_a_lead_or_left_to_the_fallback() -> None:
    def teams(team: str | None, fallback: str | None = None) -> Gate:
        carved = CarveOut("K1", "Works", team, "big", shapely.box(1, 0, 1.5, 0.5))
        grids = (Grid("01", "", "T1"), Grid("02", "", "T2"))
        plan = Plan(np.array([0, 0, 1, 1], np.int32), grids, (carved,))
        return judged(plan=plan, fallback=fallback)["team"]

    assert teams("T1").passed and teams(None, "T2").passed
    for gate, why in (
        (teams("T3", "T1"), "no lead"),
        (teams("T9", "T1"), "unknown team"),
        (teams(None, "T3"), "no lead"),
        (teams(None), "no team"),
    ):
        (entry,) = gate.offenders
        assert (entry["carve_out"], entry["why"], entry["bbox"]) == ("K1", why, [1.0, 0.0, 1.5, 0.5])
        assert "carve-outs" in gate.message and gate.blocking


def test_a_good_plan_passes_every_gate() -> None:
    found = judged()
    assert list(found) == ALL
    assert all(gate.passed and not gate.cure and not gate.total for gate in found.values())
    assert [name for name, gate in found.items() if not gate.blocking] == ["tolerance"]


@pytest.mark.parametrize(
    "found",
    [
        judged(),
        judged("a.bb", whole=False),
        judged("ab.a", ("T1", "T3", "T9"), overlaps=[(0, 1, 0.1)], customers_unplaced=7),
        judged("abab", locks={0: ("02", "")}, requests=[({"request": "r"}, np.array([0]))]),
        judged("aabb", parent=np.array(["x", "y", "y", "y"], object)),
        judged("aabb", deviations={"kwh": np.array([0.5, 0.0])}, tolerance={"kwh": 0.1}),
        judged("aabb", customers_unplaced=7, fallback="T1"),
    ],
)
def test_every_gate_says_in_chinese_what_it_says_in_english(found: dict[str, Gate]) -> None:
    for gate in found.values():
        assert re.search(r"[一-鿿]", gate.message_zh)
        assert sorted(re.findall(r"\d+", gate.message_zh)) == sorted(re.findall(r"\d+", gate.message))
        assert "{" not in gate.message_zh + gate.cure_zh
        assert bool(gate.cure_zh) == bool(gate.cure) == (not gate.passed)


def test_a_cell_without_grid_closes_the_coverage_gate_and_says_where_it_is() -> None:
    gate = judged("aa.b")["coverage"]
    place = {"at": [2.5, 0.5], "bbox": [2.0, 0.0, 3.0, 1.0]}
    assert (gate.passed, gate.offenders) == (False, [{"kind": "gap", "cell": "cell2", **place}])
    assert gate.message == "1 of 4 cells have no grid" and gate.cure


def test_a_grid_without_cells_is_an_orphan_and_one_looks_at_the_whole() -> None:
    found = judged("aaaa")
    (orphan,) = found["coverage"].offenders
    assert (orphan["kind"], orphan["grid"], orphan["bbox"]) == ("orphan", "02", [0.0, 0.0, 4.0, 1.0])
    assert found["contiguity"].passed


def test_cells_which_share_ground_offend_only_between_grids() -> None:
    gate = judged(overlaps=[(0, 1, 0.2), (1, 2, 0.3)])["coverage"]
    assert without_place(gate.offenders) == [{"kind": "overlap", "cells": ["cell1", "cell2"], "km2": 0.3}]
    assert gate.offenders[0]["bbox"] == [1.0, 0.0, 3.0, 1.0]


def test_grids_of_another_line_need_not_cover_everything() -> None:
    gate = judged("aa.b", whole=False)["coverage"]
    assert (gate.passed, gate.blocking, gate.message) == (True, False, "the grids cover 3 of 4 cells")


def test_a_grid_in_two_pieces_closes_the_contiguity_gate_and_one_looks_at_the_stray() -> None:
    (offender,) = judged("aabba")["contiguity"].offenders
    assert offender == {"grid": "01", "pieces": 2, "cells": 1, "at": [4.5, 0.5], "bbox": [4.0, 0.0, 5.0, 1.0]}


def test_pieces_across_islands_count_as_one_when_linked() -> None:
    assert judged("abba", links=[(0, 3)])["contiguity"].passed


def test_a_waiver_excuses_its_grid_and_no_other() -> None:
    waiver = {"gate": "contiguity", "grid": "01", "reason": "a river", "actor": "ann"}
    gate = judged("abba", waivers=[waiver])["contiguity"]
    assert gate.passed and not gate.offenders
    assert without_place(gate.waived) == [
        {"grid": "01", "pieces": 2, "cells": 1, "reason": "a river", "actor": "ann"}
    ]
    assert not judged("aabb", teams=(None, "T2"), waivers=[waiver])["team"].passed
    gate = judged("abab", waivers=[waiver])["contiguity"]
    assert not gate.passed and [entry["grid"] for entry in gate.offenders] == ["02"]
    assert [entry["grid"] for entry in gate.waived] == ["01"]


@pytest.mark.parametrize(("team", "why"), [(None, "no team"), ("T9", "unknown team"), ("T3", "no lead")])
def test_a_grid_without_a_team_with_a_lead_closes_the_team_gate(team: str | None, why: str) -> None:
    gate = judged(teams=("T1", team))["team"]
    assert not gate.passed
    assert without_place(gate.offenders) == [{"grid": "02", "team": team, "why": why}]
    assert gate.offenders[0]["bbox"] == [2.0, 0.0, 4.0, 1.0]


def test_unplaced_customers_need_a_fallback_team_with_a_lead() -> None:
    gate = judged(customers_unplaced=7, fallback="T1")["placement"]
    assert gate.message.startswith("the fallback team owns 7")
    for fallback in (None, "T3", "T9"):
        gate = judged(customers_unplaced=7, fallback=fallback)["placement"]
        assert without_place(gate.offenders) == [{"customers": 7}]


def test_a_locked_cell_must_be_in_its_grid() -> None:
    gate = judged(locks={0: ("01", ""), 3: ("01", "school")})["locks"]
    assert not gate.passed and gate.blocking
    assert without_place(gate.offenders) == [
        {"cell": "cell3", "grid": "02", "lock": "01", "reason": "school"}
    ]
    assert gate.offenders[0]["at"] == [3.5, 0.5]


def test_a_grid_must_lie_in_one_area() -> None:
    parent = np.array(["west", "west", "west", "east"], dtype=object)
    gate = judged(parent=parent)["nesting"]
    assert not gate.passed and gate.blocking
    (offender,) = gate.offenders
    assert (offender["grid"], offender["cells"], offender["areas"]) == ("02", 1, {"east": 1, "west": 1})
    nested = Plan(
        np.array([0, 0, 1, 1], np.int32), (Grid("01", "", "T1", parent="west"), Grid("02", "", "T2"))
    )
    assert judged(parent=np.array(["west"] * 2 + ["east"] * 2, dtype=object), plan=nested)["nesting"].passed
    moved_out = Plan(nested.labels, (Grid("01", "", "T1", parent="east"), nested.grids[1]))
    gate = judged(parent=np.array(["west"] * 2 + ["east"] * 2, dtype=object), plan=moved_out)["nesting"]
    assert [entry["grid"] for entry in gate.offenders] == ["01"]


def test_a_deviation_above_the_tolerance_is_told_but_does_not_block() -> None:
    gate = judged(deviations={"kwh": np.array([0.05, -0.2])}, tolerance={"kwh": 0.05})["tolerance"]
    assert (gate.passed, gate.blocking) == (False, False)
    assert without_place(gate.offenders) == [
        {"grid": "02", "measure": "kwh", "deviation": -0.2, "tolerance": 0.05}
    ]


def test_many_offenders_are_counted_and_the_first_thousand_listed() -> None:
    gate = judged("." * 1200 + "ab")["coverage"]
    assert (len(gate.offenders), gate.total) == (1000, 1200)


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=14), st.lists(st.integers(0, 13), max_size=4))
def test_strays_are_what_a_walk_from_cell_to_cell_does_not_reach(labels: list[int], ends: list[int]) -> None:
    n = len(labels)
    links = [(a % n, b % n) for a, b in zip(ends[::2], ends[1::2], strict=False)]
    near = {i: {i - 1, i + 1} & set(range(n)) for i in range(n)}
    for a, b in links:
        near[a].add(b)
        near[b].add(a)

    def walk(start: int) -> frozenset[int]:
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for other in near[here] - seen:
                if labels[other] == labels[start]:
                    seen.add(other)
                    todo.append(other)
        return frozenset(seen)

    graph = row_of(n)
    plan = Plan(np.array(labels, np.int32), tuple(Grid(str(g), "") for g in range(3)))
    found = strays(plan, graph.indptr, graph.indices, links)
    for grid in range(3):
        pieces = {walk(i) for i in range(n) if labels[i] == grid}
        if len(pieces) < 2:
            assert grid not in found
            continue
        number, rows = found[grid]
        assert number == len(pieces)
        left = sum(map(len, pieces)) - max(map(len, pieces))
        assert len(rows) == left and {labels[row] for row in rows.tolist()} == {grid}
