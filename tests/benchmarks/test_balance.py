"""The benchmark of the balance engine: instances, contenders, scorers, the bar and the page."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.balance import optima_page
from benchmarks.balance.__main__ import run_optima, run_peers
from benchmarks.balance.bar import BAR, Line, judge
from benchmarks.balance.catalogue import FULL, QUICK, Case
from benchmarks.balance.command import same_grids
from benchmarks.balance.instances import INSTANCES, load, planted, prepare
from benchmarks.balance.optima import CUT, INERTIA, State, published, states
from benchmarks.balance.page import against_bar, by_case
from benchmarks.balance.runs import OURS, PLANTED, Row, Runner, moved_share
from benchmarks.balance.shared import FOLDER, module

shared = pytest.mark.skipif(not FOLDER.exists(), reason="needs the public benchmark in ../shared/bench")

GOOD = {"status": "ok", "valid": True, "in_tol": 1.0, "shape": 1.10, "wmoi": 15.0, "seconds": 3.0}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("balance")


# The bar


def test_a_plan_at_the_limits_meets_the_bar() -> None:
    assert judge(Line(3.0, 1.10, 15.0), GOOD) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"valid": False}, "not valid"),
        ({"in_tol": 0.995}, "99.5 % inside"),
        ({"shape": 1.102}, "shape 1.102 > 1.1"),
        ({"wmoi": 15.2}, "wmoi 15.2 > 15"),
        ({"seconds": 3.1}, "seconds 3.1 > 3"),
        ({"moved": 0.12}, "12.0 % moved > 10 %"),
        ({"status": "error: no"}, "error: no"),
    ],
)
def test_what_is_missed_is_said(change: dict[str, Any], complaint: str) -> None:
    assert judge(Line(3.0, 1.10, 15.0, moved=0.10), {"moved": 0.05} | GOOD | change) == [complaint]


def test_without_a_line_nothing_is_missed() -> None:
    assert judge(None, {**GOOD, "valid": False}) == []


def test_every_line_of_the_bar_is_run() -> None:
    assert {(case.instance, case.k, case.tolerance) for case in FULL} >= set(BAR)
    assert {case.instance for case in (*FULL, *QUICK)} == set(INSTANCES)


# Instances and contenders


@shared
def test_an_instance_is_made_once_and_again_when_its_source_changed(cache: Path) -> None:
    folder = prepare("tiny200", cache)
    (folder / "cells.csv").write_text("touched")
    assert (prepare("tiny200", cache) / "cells.csv").read_text() == "touched"
    (folder / "made-from").write_text("another source")
    assert load(prepare("tiny200", cache), 0.03).n == 200


@shared
def test_the_plan_an_instance_was_made_round_is_valid(cache: Path) -> None:
    folder = prepare("tiny-city", cache)
    inst = load(folder, 0.05)
    plan = planted(folder, inst, 12)
    assert module("territory_bench").score(inst, plan, 12)["valid"]
    assert planted(prepare("tiny200", cache), inst, 8) is None


def test_moved_demand_counts_names_only_where_grids_keep_them() -> None:
    demand = np.array([0.1, 0.2, 0.3, 0.4])
    before, after = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1])
    assert moved_share(before, after, demand, renamed=False) == pytest.approx(0.6)
    assert moved_share(before, after, demand, renamed=True) == pytest.approx(0.4)


def test_plans_are_the_same_whatever_their_grids_are_called() -> None:
    assert same_grids(np.array([0, 0, 1]), np.array(["b", "b", "a"], object))
    assert not same_grids(np.array([0, 0, 1]), np.array(["b", "a", "a"], object))
    assert not same_grids(np.array([0, 1, 2]), np.array(["a", "a", "b"], object))


@shared
def test_a_tiny_run_writes_the_table_and_the_picture(cache: Path, tmp_path: Path) -> None:
    case = Case("tiny-city", "own", 4, peers=("kmeans (no balance)", "gpmetis 2-constraint"))
    said: list[str] = []
    rows = run_peers([case], tmp_path, Runner(5.0, cache=cache, say=said.append), starts=False)
    assert [row.method for row in rows[:2]] == [OURS, PLANTED]
    assert rows[0].figures["valid"]
    assert rows[0].figures["peak_mb"] > 50
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "<!-- bench:balance -->" in page
    assert "| **gridsvc** |" in page
    assert "| kmeans (no balance) |" in page
    assert "as CSV gives the same plan as the library call" in page
    assert (tmp_path / "img" / "benchmarks-balance.png").stat().st_size > 5000
    assert len(said) == len(rows)


@shared
def test_a_peer_over_the_limit_is_not_tried_again(cache: Path) -> None:
    case = Case("tiny200", "own", 8)
    runner = Runner(5.0, cache=cache, say=lambda _: None, slow={"spopt Skater": "a smaller case"})
    peer = runner.peer(case, prepare("tiny200", cache), None, "spopt Skater")
    assert peer.figures["status"] == "not tried: over the limit at a smaller case"


@shared
def test_a_peer_which_is_stopped_has_a_line_that_says_so(cache: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("benchmarks.balance.runs.child", lambda *_: {"status": "timeout"})
    runner = Runner(5.0, cache=cache, say=lambda _: None)
    peer = runner.peer(Case("tiny200", "own", 8), prepare("tiny200", cache), None, "kahip eco")
    assert peer.figures["status"] == "over 5 s"
    assert runner.slow == {"kahip eco": "tiny200 / 8, 5 %"}


@shared
def test_a_peer_which_is_not_there_has_a_line_that_says_so(cache: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "")
    case, folder = Case("tiny200", "own", 8), prepare("tiny200", cache)
    peer = Runner(5.0, sys.executable, cache, lambda _: None).peer(case, folder, None, "gpmetis 2-constraint")
    assert peer.figures == {"status": "not installed"}
    assert "| gpmetis 2-constraint | | not installed |" in by_case([peer])


def test_rows_have_as_many_columns_as_their_heads() -> None:
    scored = {"n": 9, "k": 2, "grids": 2, "broken_grids": 0, "stray_cells": 0, "dev_max_customers": 0.04}
    scored |= {"dev_mean": 0.02, "dev_max": 0.04, "pp": 0.5, "cut": 0.1, "peak_mb": 99.0}
    scored |= GOOD | {"import_s": 0.1, "load_s": 0.2}
    case = Case("city2k", "public", 20, peers=("kahip eco", "kahip strong"))
    later = replace(case, instance="city20k-year", k=200)
    rows = [
        Row(case, OURS, scored),
        Row(case, PLANTED, scored | {"seconds": float("nan")}),
        Row(case, "kahip eco", {"status": "over 90 s"}),
        Row(case, "kahip strong", scored | {"valid": False}),
        Row(later, OURS, scored | {"moved": 0.09}),
        Row(later, "kahip eco", {"status": "not installed"}),
        Row(replace(case, k=4), OURS, {"status": "error: it broke"}),
    ]
    for text in (against_bar(rows), by_case(rows)):
        lines = [line for line in text.splitlines() if line]
        for one, next_one in pairwise(lines):
            if one.startswith("|") and next_one.startswith("|"):
                assert one.count("|") == next_one.count("|"), next_one
    assert "**no**: seconds 3 > 1" in against_bar(rows)


# Published optima

PATH = State(
    people=np.array([1.0, 1.0, 2.0, 2.0]),
    lat=np.zeros(4),
    lon=np.array([0.0, 1.0, 2.0, 3.0]),
    land=np.ones(4),
    edges=np.array([[0, 1], [1, 2], [2, 3]]),
    plan=np.empty(0, np.int64),
)


def test_inertia_is_about_the_best_cell() -> None:
    degree = (2 * np.pi * 6371.0088 / 360) ** 2 / 1e6  # squared km in a degree of the equator
    assert PATH.inertia(np.array([0, 0, 0, 0])) == pytest.approx(degree * (4 + 1 + 2))
    assert PATH.inertia(np.array([0, 0, 1, 1])) == pytest.approx(degree * (1 + 2))


def test_cut_edges_are_counted() -> None:
    assert PATH.cut_edges(np.array([0, 0, 1, 1])) == 1
    assert PATH.cut_edges(np.array([0, 1, 0, 1])) == 3


def test_faults_of_a_plan_are_told() -> None:
    assert PATH.faults(np.array([0, 0, 1, 1]), 2, 2, 4) == []
    assert PATH.faults(np.array([0, 0, 1, 1]), 2, 3, 4) == ["2 people"]
    assert PATH.faults(np.array([0, 1, 0, 1]), 2, 3, 3) == ["4 pieces"]
    assert PATH.faults(np.array([0, 0, 0, 0]), 2, 1, 6) == ["1 grids"]


@shared
@pytest.mark.parametrize("name", ["LA_county", "NH_tract", "CO_tract"])
def test_the_published_plan_has_the_published_inertia(name: str) -> None:
    state = states()[name]
    known = next(o for o in published([name]) if o.objective == INERTIA)
    assert round(state.inertia(state.plan), 2) == known.value
    assert state.faults(state.plan, known.k, known.low, known.high) == []


@shared
@pytest.mark.proof
def test_two_states_are_solved_and_set_beside_the_published_optima(tmp_path: Path) -> None:
    results = run_optima(tmp_path, tmp_path / "cache", ["LA_county"])
    assert {result.known.objective for result in results} == {CUT, INERTIA}
    assert all(result.valid for result in results)
    # 49 edges and this inertia are proven optimal: a lower ratio would be a scorer's error.
    assert all(1 - 1e-6 <= result.ratio < 1.5 for result in results)
    assert "| LA_county | 64 | 6 | 49 | 49 |" in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")


@shared
def test_the_bar_of_the_optima_names_what_is_missed() -> None:
    inertia = next(o for o in published(["LA_county"]) if o.objective == INERTIA)
    cut = next(o for o in published(["NH_tract"]) if o.objective == CUT)
    met = [
        optima_page.Result(inertia, "ok", inertia.value * 1.01, 3.0),
        optima_page.Result(cut, "ok", 27.0, 3.0),
    ]
    assert optima_page.verdicts(met) == {INERTIA: [], CUT: []}
    missed = [
        optima_page.Result(inertia, "ok", inertia.value * 1.04, 31.0),
        optima_page.Result(cut, "ok", 28.0, 3.0),
    ]
    assert len(optima_page.verdicts(missed)[INERTIA]) == 3
    assert optima_page.verdicts(missed)[CUT] == [
        "worst ratio 1.077 > 1.05",
        "NH_tract over GerryChain's 1.037 > 1",
    ]
    broken = [optima_page.Result(cut, "ok", 26.0, 3.0, ("3 pieces",))]
    assert optima_page.verdicts(broken)[CUT] == ["worst ratio inf > 1.05"]
    assert "**no**: 3 pieces" in optima_page.text(broken)
