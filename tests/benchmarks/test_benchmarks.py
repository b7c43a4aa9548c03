"""The benchmarks run, their contenders agree, and the page is written; nothing here is timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from benchmarks.__main__ import run_section
from benchmarks.case import Case, Disagreement, Sizes
from benchmarks.catalogue import SECTIONS, case_of
from benchmarks.child import measure
from benchmarks.inputs import load, prepare
from benchmarks.place import near_edge_only
from benchmarks.report import put_section
from benchmarks.rounds import Result

TINY = Sizes(points=3000, resolution=6, polygons=80, grids=6, rounds=1)
CASES = [case for cases in SECTIONS.values() for case in cases]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    prepare(folder, TINY)
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_contender_gives_our_answer(case: Case, work: Path) -> None:
    ours, *others = [measure(case.name, c.name, work) for c in case.contenders]
    for contender, (figures, answer) in zip(case.contenders[1:], others, strict=True):
        assert case.check(work, ours[1], answer), contender.name
        assert set(figures) == {"wall_s", "cpu_s", "base_mb", "peak_mb"}


def test_the_inputs_are_what_the_page_says(work: Path) -> None:
    mosaic = load(work, "mosaic.tiling")
    assert len(mosaic) == TINY.polygons
    assert shapely.is_valid(mosaic.geometry).all()
    assert shapely.coverage_is_valid(mosaic.geometry)
    lon, lat = load(work, "mosaic.points")
    borders = shapely.union_all(shapely.boundary(mosaic.geometry))
    on_border = shapely.intersects_xy(borders, lon, lat)
    assert on_border.sum() >= TINY.points // 500


def test_a_wrong_cell_for_a_point_is_found_out(work: Path) -> None:
    case = case_of("place-mosaic")
    ours = measure(case.name, case.contenders[0].name, work)[1]
    wrong = {"rows": np.where(ours["rows"] == 5, 6, ours["rows"])}
    with pytest.raises(Disagreement):
        case.check(work, ours, wrong)


def test_only_a_hair_from_an_edge_may_h3_and_outline_differ() -> None:
    squares = shapely.box([0, 1], [0, 0], [1, 2], [1, 1])
    lon, lat = np.array([1 + 1e-5, 1.5]), np.array([0.5, 0.5])
    ours = np.array([1, 1])
    assert "1 of 2 points differ" in near_edge_only(squares, lon, lat, ours, np.array([0, 1]))
    with pytest.raises(Disagreement):
        near_edge_only(squares, lon, lat, ours, np.array([1, 0]))


def test_a_lost_cell_is_found_out_by_the_dissolve_case(work: Path) -> None:
    case = case_of("dissolve-mosaic")
    ours = measure(case.name, case.contenders[0].name, work)[1]
    smaller = ours["outlines"].copy()
    smaller[0] = shapely.buffer(smaller[0], -1e-4)
    with pytest.raises(Disagreement):
        case.check(work, ours, {"outlines": smaller})


def test_the_page_is_written_with_a_table_for_each_case_and_a_picture(tmp_path: Path) -> None:
    run_section("main-job", TINY, tmp_path, ["place-h3", "dissolve-h3"])
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "`place-h3`" in page
    assert "| geopandas.sjoin, within |" in page
    assert "| geopandas dissolve, coverage |" in page
    assert (tmp_path / "img" / "benchmarks-main-job.png").stat().st_size > 5000


def test_a_section_is_replaced_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    put_section(page, "one", "old text")
    put_section(page, "two", "neighbour")
    put_section(page, "one", "new text")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Benchmarks")
    assert "old text" not in text
    assert text.index("new text") < text.index("neighbour")


def test_ratios_are_taken_round_by_round() -> None:
    ours = Result("a", ({"cpu_s": 1.0}, {"cpu_s": 3.0}), "")
    theirs = Result("b", ({"cpu_s": 2.0}, {"cpu_s": 4.0}), "")
    assert ours.ratios(theirs, "cpu_s") == [0.5, 0.75]
    assert ours.median("cpu_s") == 2.0


def test_our_contenders_do_not_pay_for_geopandas() -> None:
    code = "import sys, benchmarks.child; sys.exit('geopandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
