"""The whole job with files: tile, balance, assign, publish, look up, export."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, collection, polygon

MEASURES = ("--measure", "customers=count", "--measure", "kwh=sum:kwh")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the folder of a job which is done is kept, for each test to have a copy of it."""
    return tmp_path_factory.mktemp("kept") / "job"


@pytest.fixture
def published(run: Run, square: Path, customers: Path, teams: Path, tmp_path: Path, kept: Path) -> Path:
    if not kept.exists():
        _publish(run, square, customers, teams)
        shutil.copytree(tmp_path, kept)
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _publish(run: Run, square: Path, customers: Path, teams: Path) -> None:
    tiled = run(
        "tile",
        "--boundary",
        square,
        "--h3-res",
        8,
        "--customers",
        customers,
        *MEASURES,
        "-o",
        "cells.parquet",
    )
    assert tiled.code == 0, tiled.err
    solved = run(
        "balance",
        "cells.parquet",
        "--grids",
        4,
        "--measure",
        "customers:20%",
        "--measure",
        "kwh:20%",
        "--report",
        "report.json",
        "-o",
        "grids.csv",
    )
    assert solved.code in {0, 3}, solved.err
    assigned = run("assign", "grids.csv", "cells.parquet", "--teams", teams, "-o", "owners.csv")
    assert assigned.code == 0, assigned.err
    done = run(
        "publish", "grids.csv", "cells.parquet", "owners.csv", "--territory", "square", "--boundary", square,
        "--teams", teams, "--report", "report.json", "--customers", customers, *MEASURES,
    )  # fmt: skip
    assert done.code == 0, done.err


def test_point_and_customer_have_the_same_owner(run: Run, published: Path) -> None:
    with (published / "customers.csv").open() as file:
        rows = list(csv.DictReader(file))[::37]
    for row in rows:
        by_point = run("lookup", row["lat"], row["lon"], "--json").json
        by_id = run("lookup", "--customer", row["id"], "--json").json
        by_cell = run("lookup", "--cell", by_point["cell"], "--json").json
        assert by_point["grid"] == by_id["grid"] == by_cell["grid"]
        assert by_point["lead"]["name"] in {"Bo", "Cy"}
        assert (by_point["status"], by_point["rule"], by_point["publication"]) == ("owned", "cell", 1)


def test_publishing_writes_the_file_for_gis_programs_and_can_be_checked(run: Run, published: Path) -> None:
    assert (published / "var" / "published" / "current.gpkg").stat().st_size > 0
    said = run("db", "check")
    assert said.code == 0 and said.out.splitlines()[-1].startswith("1 publications"), said


def test_a_batch_answers_each_row(run: Run, published: Path) -> None:
    (published / "points.csv").write_text("id,lat,lon\na,0.05,0.05\nb,91,0.05\nc,5,5\n")
    said = run("lookup", "--batch", "points.csv")
    answers = list(csv.DictReader(said.out.splitlines()))
    assert [row["status"] for row in answers] == ["owned", "invalid", "outside"]
    single = run("lookup", "0.05", "0.05", "--json").json
    assert answers[0]["grid"] == single["grid"]["code"]


def test_grids_and_cells_leave_as_geojson(run: Run, published: Path) -> None:
    for layer, count in (("grids", 4), ("cells", 270)):
        said = run("export", "--layer", layer, "-o", f"{layer}.geojson")
        assert said.code == 0, said.err
        document = json.loads((published / f"{layer}.geojson").read_bytes())
        assert document["gridsvc:manifest"]["publication"] == 1
        assert len(document["features"]) == count
    grids = json.loads((published / "grids.geojson").read_bytes())["features"]
    assert sum(f["properties"]["customers"] for f in grids) == 400


@pytest.mark.parametrize("fmt", ["gpkg", "fgb", "parquet", "csv"])
def test_other_formats_hold_the_same_grids(run: Run, published: Path, fmt: str) -> None:
    import geopandas
    import pandas as pd

    assert run("export", "--format", fmt, "-o", f"grids.{fmt}").code == 0
    path = published / f"grids.{fmt}"
    read = {"parquet": geopandas.read_parquet, "csv": pd.read_csv}.get(fmt, geopandas.read_file)
    frame = read(path, layer="grids") if fmt == "gpkg" else read(path)  # beside its styles
    assert len(frame) == 4
    assert frame["customers"].sum() == 400


def test_a_second_publication_takes_the_next_number(
    run: Run, published: Path, teams: Path, square: Path
) -> None:
    said = run(
        "publish", "grids.csv", "cells.parquet", "owners.csv", "--territory", "square",
        "--teams", teams, "--json",
    )  # fmt: skip
    assert said.json["publication"] == 2
    assert run("lookup", "0.05", "0.05", "--json").json["publication"] == 2


def test_polygons_owned_apart_are_published_with_the_grids(
    run: Run, published: Path, teams: Path, refused: Any
) -> None:
    ring = [[0.02, 0.02], [0.03, 0.02], [0.03, 0.03], [0.02, 0.03], [0.02, 0.02]]
    port = polygon(ring, code="K1", name="Port", team="T0", reason="key enterprise")
    command = (
        "publish", "grids.csv", "cells.parquet", "owners.csv", "--territory", "square", "--teams", teams,
        "--carve-outs", "carved.geojson",
    )  # fmt: skip
    (published / "carved.geojson").write_text(json.dumps(collection(port)))
    said = run(*command)
    assert said.out.splitlines()[0].endswith(", 1 carved out"), said
    assert run("export", "-o", "g.geojson").code == 0
    *_, last = json.loads((published / "g.geojson").read_bytes())["features"]
    assert (last["properties"]["code"], last["properties"]["carve_out"]) == ("K1", True)
    assert last["geometry"]["coordinates"] == [ring]
    (published / "carved.geojson").write_text(json.dumps(collection(port, polygon(ring, code="K2"))))
    assert refused(*command).startswith("gridsvc: carved.geojson, row 2, name: missing")


def test_outside_and_unknown_say_so(run: Run, published: Path) -> None:
    outside = run("lookup", "5", "5")
    assert outside.code == 2
    assert "outside the territory" in outside.err
    unknown = run("lookup", "--customer", "nobody")
    assert unknown.code == 2
    assert "No customer is known" in unknown.err


def test_the_seed_alone_decides(run: Run, published: Path) -> None:
    for name in ("a.csv", "b.csv"):
        run("balance", "cells.parquet", "--grids", 5, "--measure", "customers", "--seed", 9, "-o", name)
    assert (published / "a.csv").read_bytes() == (published / "b.csv").read_bytes()


def test_a_plan_outside_its_tolerance_is_written_and_said(run: Run, published: Path) -> None:
    said = run("balance", "cells.parquet", "--grids", 7, "--measure", "customers:0%", "-o", "tight.csv")
    assert said.code == 3
    assert said.err.count("\n") == 1
    told = run("balance", "cells.parquet", "--grids", 7, "--measure", "customers:0%", "-o", "t.csv", "--json")
    assert told.json["problem"]["code"] == "infeasible"  # one document, the report with the problem in it
    assert "tight.csv" in said.err
    assert len((published / "tight.csv").read_text().splitlines()) == 271


def test_carve_outs_keep_their_rule_on_the_way_through_files(run: Run, published: Path, teams: Path) -> None:
    busiest = run("lookup", "0.05", "0.05", "--json").json["cell"]
    (published / "apart.csv").write_text(f"cell\n{busiest}\n")
    run("balance", "cells.parquet", "--grids", 3, "--measure", "customers", "--carve-out", "apart.csv",
        "--report", "r.json", "-o", "g.csv")  # fmt: skip
    run("assign", "g.csv", "cells.parquet", "--teams", teams, "-o", "o.csv")
    done = run("publish", "g.csv", "cells.parquet", "o.csv", "--territory", "square", "--teams", teams,
               "--report", "r.json", "--json")  # fmt: skip
    report = json.loads((published / "r.json").read_bytes())
    assert done.json["measures"][0]["worst_deviation"] == pytest.approx(
        report["overall"]["worst_deviation"]["customers"]
    )
    assert run("lookup", "--cell", busiest, "--json").json["rule"] == "carve_out"


def test_a_wrong_setting_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSVC_PORT", "x")
    said = run("doctor")
    assert said.code == 2
    assert "GRIDSVC_PORT" in said.err


def test_a_report_of_other_grids_is_refused(run: Run, published: Path, teams: Path) -> None:
    (published / "other.json").write_text(
        json.dumps({"parameters": {"tolerance": {"kwh": 0.1}}, "grids": [{"code": "C07", "carve_out": True}]})
    )
    for report, word in (("other.json", "C07"), ("owners.csv", "not a report"), ("nowhere.json", "opened")):
        said = run("publish", "grids.csv", "cells.parquet", "owners.csv", "--territory", "square",
                   "--teams", teams, "--report", report)  # fmt: skip
        assert said.code == 2
        assert word in said.err
