"""Each option of `gridsvc balance` takes effect."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, Said

W, H = 12, 8
Grids = dict[str, str]
Balance = Callable[..., "tuple[Grids, dict[str, Any]]"]


def name(x: int, y: int) -> str:
    return f"{x:02}-{y:02}"


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """12 x 8 squares of 100 m: a customer each, use rising eastward, two districts, moves dear southward."""
    rows = ["cell,x,y,area,perimeter,n,kwh,meters,district,dear"]
    edges = ["a,b,length"]
    for y in range(H):
        for x in range(W):
            district = "west" if x < 6 else "east"
            dear = 100 if y < 2 else 1
            rows.append(f"{name(x, y)},{100 * x},{100 * y},10000,400,1,{10 + x},2,{district},{dear}")
            edges += [f"{name(x, y)},{name(x + 1, y)},100"] if x + 1 < W else []
            edges += [f"{name(x, y)},{name(x, y + 1)},100"] if y + 1 < H else []
    (tmp_path / "edges.csv").write_text("\n".join(edges) + "\n")
    path = tmp_path / "cells.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def balance(run: Run, board: Path, tmp_path: Path) -> Balance:
    """Runs the command on the board; gives the grid of each cell and the report."""

    def balance_(*options: object, grids: object = 4, measure: str = "n:20%") -> tuple[Grids, dict[str, Any]]:
        said = _balance(run, "--grids", grids, "--measure", measure, *options)
        assert said.code in {0, 3}, said.err
        with (tmp_path / "g.csv").open() as file:
            labels = {row["cell"]: row["grid"] for row in csv.DictReader(file)}
        assert len(labels) == W * H
        return labels, json.loads((tmp_path / "r.json").read_bytes())

    return balance_


def _balance(run: Run, *options: object) -> Said:
    return run(
        "balance", "cells.csv", "--adjacency", "edges.csv", "--sweeps", 60, *options,
        "--report", "r.json", "-o", "g.csv",
    )  # fmt: skip


def _file(text: str, file: str = "given.csv") -> str:
    Path(file).write_text(text)
    return file


def _totals(report: dict[str, Any], measure: str = "n") -> dict[str, float]:
    return {grid["code"]: grid["totals"][measure] for grid in report["grids"]}


def _cells(grids: Grids) -> dict[str, set[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for cell, grid in grids.items():
        x, y = cell.split("-")
        found[grid].add((int(x), int(y)))
    return found


def _pairs() -> Iterator[tuple[str, str]]:
    for y in range(H):
        for x in range(W):
            if x + 1 < W:
                yield name(x, y), name(x + 1, y)
            if y + 1 < H:
                yield name(x, y), name(x, y + 1)


def _cut(grids: Grids) -> int:
    return sum(grids[a] != grids[b] for a, b in _pairs())


# --- what is balanced, and how


def test_a_score_is_balanced_and_its_weights_are_shown(balance: Balance) -> None:
    _, report = balance("--score", "worth=3*kwh+1*meters")
    shown = report["parameters"]["score"]["worth"]
    assert {column: part["share"] for column, part in shown.items()} == {"kwh": 0.75, "meters": 0.25}
    assert sum(_totals(report, "worth").values()) == pytest.approx(1000)
    assert report["parameters"]["tolerance"] == {"n": 0.2, "worth": 0.1}
    _, report = balance("--measure", "worth:5%", "--score", "worth=kwh")
    assert report["parameters"]["tolerance"]["worth"] == 0.05


def test_a_score_changes_the_plan(balance: Balance) -> None:
    def apart(*options: object) -> float:
        grids, _ = balance(*options)
        use = [sum(10 + x for x, _ in cells) for cells in _cells(grids).values()]
        return max(use) / min(use)

    assert apart("--score", "worth=kwh", "--measure", "worth:2%") < 1.05 < apart()


def test_a_tolerance_is_kept_measure_by_measure(balance: Balance) -> None:
    for tight, loose in (("n", "kwh"), ("kwh", "n")):
        _, report = balance("--measure", f"{loose}:40%", measure=f"{tight}:2%", grids=6)
        worst = report["overall"]["worst_deviation"]
        assert worst[tight] <= 0.02 + 1e-9 < worst[loose]


def test_the_weight_of_a_measure_decides_where_two_are_at_odds(run: Run, board: Path) -> None:
    # A street of ten cells: cut in the middle it halves customers, further on it halves their use.
    board.write_text("cell,x,y,n,kwh\n" + "".join(f"{x},{x},0,1,{x}\n" for x in range(10)))
    (board.parent / "edges.csv").write_text("a,b\n" + "".join(f"{x},{x + 1}\n" for x in range(9)))

    def customers(weight: str) -> list[float]:
        said = _balance(run, "--grids", 2, "--measure", "n:1%", "--measure", "kwh:1%", "--weight", weight)
        assert said.code == 3
        return sorted(_totals(json.loads(Path("r.json").read_bytes())).values())

    assert customers("n=50") == [5, 5]
    assert customers("kwh=50") == [3, 7]


def test_limits_take_the_place_of_the_tolerance(balance: Balance) -> None:
    _, report = balance("--limit", "n=23..25")
    assert all(23 <= total <= 25 for total in _totals(report).values())
    assert (
        report["parameters"]["measures"]["n"] | {"min": 23, "max": 25}
        == report["parameters"]["measures"]["n"]
    )
    _, report = balance("--limit", "n=..24", measure="n:0%")
    assert max(_totals(report).values()) <= 24


def test_limits_that_cannot_be_kept_give_the_best_plan_and_exit_code_3(run: Run, board: Path) -> None:
    said = _balance(run, "--grids", 4, "--measure", "n", "--limit", "n=..20")
    assert said.code == 3
    assert Path("g.csv").exists()
    assert "g.csv" in said.err


def test_a_capacity_gives_the_number_of_grids_with_its_arithmetic(balance: Balance) -> None:
    grids, report = balance("--capacity", "n=20", grids="auto")
    assert len(set(grids.values())) == 5  # 96 / 20 = 4.8
    assert max(_totals(report).values()) <= 20
    assert report["parameters"]["arithmetic"]["by_capacity"]["n"] == {
        "total": 96.0,
        "capacity": 20.0,
        "grids": 5,
    }


def test_a_capacity_is_counted_district_by_district_where_grids_keep_to_them(balance: Balance) -> None:
    grids, report = balance("--capacity", "n=20", "--nest-in", "district", grids="auto")
    assert len(set(grids.values())) == 6  # twice 48 / 20 = 2.4
    assert max(_totals(report).values()) <= 20
    why = report["parameters"]["arithmetic"]
    assert (why["by_capacity"]["n"]["grids"], why["nested"]) == (5, 6)
    assert (why["districts"], why["near_districts"]) == (2, False)


def test_uneven_targets_by_name(balance: Balance) -> None:
    text = "grid,n,n_max\nsmall,12,14\nlarge,44,\nmiddle,40,\n"
    grids, report = balance("--targets", _file(text), grids="auto")
    assert set(grids.values()) == {"small", "large", "middle"}
    assert {g["code"]: g["targets"]["n"] for g in report["grids"]} == {"small": 12, "large": 44, "middle": 40}
    totals = _totals(report)
    assert totals["small"] <= 14
    assert totals["large"] == pytest.approx(44, rel=0.2)


# --- where grids lie


def test_required_seeds_get_a_grid_each(balance: Balance) -> None:
    text = "cell,grid,name,radius\n00-00,depot,Depot,\n11-07,,,900\n"
    grids, report = balance("--seeds", _file(text))
    assert grids["00-00"] == "depot" != grids["11-07"]
    seeds = report["parameters"]["seeds"]
    assert [(s["name"], s["grid"], s["radius"]) for s in seeds] == [
        ("Depot", "depot", None),
        ("", grids["11-07"], 900),
    ]
    far = [(x, y) for x, y in _cells(grids)[grids["11-07"]] if (x - 11) ** 2 + (y - 7) ** 2 > 81]
    assert not far


def test_a_grid_keeps_within_its_radius_or_it_is_told(balance: Balance) -> None:
    wide = ("--limit", "n=8..40", "--seed-pull", "0", "--seeds")

    def farthest(radius: str) -> tuple[float, dict[str, Any]]:
        grids, report = balance(*wide, _file(f"cell,radius\n11-07,{radius}\n"))
        cells = _cells(grids)[grids["11-07"]]
        return max(((x - 11) ** 2 + (y - 7) ** 2) ** 0.5 for x, y in cells), report

    free, _ = farthest("")
    kept, report = farthest("300")
    assert kept <= 3 < free and report["overall"]["inside_share"] == 1
    _, report = farthest("50")
    assert report["overall"]["inside_share"] == 0.75
    assert [cause["kind"] for cause in report["explanation"]["causes"]] == ["radius"]


def test_candidates_are_taken_where_they_serve(balance: Balance) -> None:
    text = "cell,kind\n00-00,required\n" + "".join(f"{name(x, 4)},candidate\n" for x in (1, 2, 9))
    grids, report = balance("--seeds", _file(text), grids=2)
    taken = [seed["cell"] for seed in report["parameters"]["seeds"] if seed["grid"]]
    assert taken == ["00-00", "09-04"]
    assert grids["00-00"] != grids["09-04"]


def test_the_pull_of_seeds_draws_grids_round_them(balance: Balance) -> None:
    seeds = _file("cell\n" + "".join(f"{name(x, 4)}\n" for x in (0, 1, 10, 11)))

    def spread(pull: float) -> float:
        grids, report = balance("--seeds", seeds, "--seed-pull", pull, "--limit", "n=4..40")
        total = 0.0
        for seed in report["parameters"]["seeds"]:
            x, y = (int(part) for part in seed["cell"].split("-"))
            cells = _cells(grids)[seed["grid"]]
            mean = [sum(c[i] for c in cells) / len(cells) for i in (0, 1)]
            total += (mean[0] - x) ** 2 + (mean[1] - y) ** 2
        return total

    assert spread(20.0) < spread(0.0)


def test_locked_cells_of_one_name_end_in_one_grid(balance: Balance) -> None:
    text = "cell,grid,reason\n00-00,home,depot\n11-00,home,depot\n11-07,away,\n00-07,away,\n"
    grids, report = balance("--locks", _file(text), "--limit", "n=10..60")
    assert grids["00-00"] == grids["11-00"] == "home"
    assert grids["11-07"] == grids["00-07"] == "away"
    assert report["parameters"]["locks"] == {"cells": 4, "expired": []}


def test_an_expired_lock_is_told_and_ignored(run: Run, board: Path) -> None:
    text = "cell,grid,until\n00-00,a,2020-05-31\n11-07,a,2999-01-01\n"
    said = _balance(run, "--grids", 4, "--measure", "n:20%", "--locks", _file(text))
    assert said.code == 0
    assert "row 1 (cell 00-00) ended 2020-05-31" in said.out
    assert json.loads(Path("r.json").read_bytes())["parameters"]["locks"]["cells"] == 1


def test_grids_keep_to_their_district(balance: Balance) -> None:
    grids, _ = balance("--nest-in", "district")
    for cells in _cells(grids).values():
        assert len({x < 6 for x, _ in cells}) == 1


def test_barriers_part_cells_in_degrees(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text(
        "cell,lon,lat,n\n" + "".join(f"{x}-{y},{0.01 * x},{0.01 * y},1\n" for x in range(6) for y in range(2))
    )
    pairs = [(f"{x}-{y}", f"{x + 1}-{y}") for x in range(5) for y in range(2)]
    pairs += [(f"{x}-0", f"{x}-1") for x in range(6)]
    (tmp_path / "edges.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in pairs))
    river = {"type": "LineString", "coordinates": [[0.015, -1], [0.015, 1]]}
    (tmp_path / "river.geojson").write_text(json.dumps(river))
    said = _balance(run, "--grids", 2, "--measure", "n:60%", "--barriers", "river.geojson")
    assert said.code == 0, said.err
    with (tmp_path / "g.csv").open() as file:
        grids = {row["cell"]: row["grid"] for row in csv.DictReader(file)}
    assert {cell for cell, grid in grids.items() if grid == grids["0-0"]} == {"0-0", "0-1", "1-0", "1-1"}

    crossing = {"type": "Point", "coordinates": [0.015, 0.01]}
    features = [{"type": "Feature", "properties": {}, "geometry": shape} for shape in (river, crossing)]
    (tmp_path / "bridge.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert _balance(run, "--grids", 1, "--measure", "n", "--barriers", "river.geojson").code == 2
    assert _balance(run, "--grids", 1, "--measure", "n", "--barriers", "bridge.geojson").code == 0


def test_listed_cells_are_carved_out(balance: Balance) -> None:
    grids, report = balance("--carve-out", _file("cell\n00-00\n01-00\n11-07\n"))
    assert grids["00-00"] == grids["01-00"] != grids["11-07"]
    assert sorted(g["code"] for g in report["grids"] if g["carve_out"]) == ["C01", "C02"]


def test_islands_are_kept_or_attached(balance: Balance, tmp_path: Path) -> None:
    edges = tmp_path / "edges.csv"
    lines = [
        line for line in edges.read_text().splitlines() if not line.startswith("11-") and ",11-" not in line
    ]
    edges.write_text("\n".join(lines) + "\n")
    said, _ = balance("--islands", "attach")
    assert len(set(said.values())) == 4
    with pytest.raises(AssertionError, match="islands attach"):
        balance("--islands", "keep")


def test_h3_cells_with_a_ground_of_their_own_are_measured_on_it(run: Run, tmp_path: Path) -> None:
    ids = ["891fb466257ffff", "891fb466253ffff", "891fb46625bffff"]
    rows = "".join(f"{cell},{100 * x},0,10000,400,1\n" for x, cell in enumerate(ids))
    (tmp_path / "cells.csv").write_text("cell,x,y,area,perimeter,n\n" + rows)
    (tmp_path / "edges.csv").write_text(f"a,b,length\n{ids[0]},{ids[1]},100\n{ids[1]},{ids[2]},100\n")
    said = _balance(run, "--grids", 1, "--measure", "n")
    assert said.code == 0, said.err
    (grid,) = json.loads((tmp_path / "r.json").read_bytes())["grids"]
    assert grid["area_km2"] == pytest.approx(0.03)
    assert grid["pp"] == pytest.approx(4 * 3.141592653589793 * 30000 / 800**2)


# --- what a good shape is, and how long to look for it


def test_each_objective_is_best_at_its_own(balance: Balance) -> None:
    plans = {o: balance("--objective", o, grids=5, measure="n:30%") for o in ("balanced", "inertia", "cut")}
    cuts = {objective: _cut(grids) for objective, (grids, _) in plans.items()}
    wmoi = {objective: report["overall"]["wmoi"] for objective, (_, report) in plans.items()}
    assert cuts["cut"] == min(cuts.values())
    assert wmoi["inertia"] == pytest.approx(min(wmoi.values()), rel=0.02)


def test_compactness_trades_balance_for_shape(balance: Balance) -> None:
    flat, round_ = (balance("--compactness", c, grids=7, measure="n:25%")[1]["overall"] for c in (0, 100))
    assert round_["shape"] < flat["shape"]
    assert flat["mean_deviation"]["n"] < round_["mean_deviation"]["n"]


def test_the_budget_is_kept_and_told(run: Run, board: Path) -> None:
    options = ("--grids", 4, "--measure", "n:20%", "--report", "r.json", "-o", "g.csv")
    said = run("balance", "cells.csv", "--adjacency", "edges.csv", "--sweeps", 7, *options)
    assert said.code in {0, 3}
    report = json.loads(Path("r.json").read_bytes())
    assert (report["parameters"]["sweeps"], report["truncated"]) == (7, False)
    assert {"import", "compile"} <= report["seconds"].keys()


def test_a_time_limit_truncates(run: Run, board: Path) -> None:
    options = ("--grids", 4, "--measure", "n:1%", "--report", "r.json", "-o", "g.csv")
    said = run(
        "balance", "cells.csv", "--adjacency", "edges.csv", "--sweeps", 10**7, "--time-limit", 0.2, *options
    )
    assert said.code in {0, 3}
    assert json.loads(Path("r.json").read_bytes())["truncated"] is True
    assert "time limit" in said.out


# --- realignment


@pytest.fixture
def old(board: Path) -> str:
    """Four quarters; the south-west one has lost a strip to its neighbour, and a cell is gone."""
    rows = ["cell,grid", "99-99,NE"]
    for y in range(H):
        for x in range(W):
            grid = ("S" if y < 4 else "N") + ("W" if x < (4 if y < 4 else 6) else "E")
            rows += [] if (x, y) == (5, 5) else [f"{name(x, y)},{grid}"]
    return _file("\n".join(rows) + "\n", "old.csv")


def _before(old: str) -> Grids:
    with Path(old).open() as file:
        return {row["cell"]: row["grid"] for row in csv.DictReader(file)}


def test_realigning_keeps_codes_and_moves_no_more_than_allowed(balance: Balance, old: str) -> None:
    grids, report = balance("--from", old, "--max-disruption", "10%", grids="auto", measure="n:10%")
    before = _before(old)
    assert set(grids.values()) == {"NE", "NW", "SE", "SW"}
    moved = sum(cell in before and before[cell] != grid for cell, grid in grids.items())
    assert 0 < moved <= 0.10 * W * H
    assert report["moved"]["moved"] == moved
    assert report["overall"]["inside_share"] == 1
    assert report["lower_bound"]["moved"] <= moved
    told = report["parameters"]["from"]
    assert (told["cells_gone"], told["cells_new"], told["grids"]) == (1, 1, 4)


def test_a_smaller_allowance_moves_less(balance: Balance, old: str) -> None:
    _, report = balance("--from", old, "--max-disruption", "3%", measure="n:5%")
    assert report["moved"]["moved_share"] <= 0.03


def test_what_moves_is_told_of_each_measure(run: Run, old: str) -> None:
    options = ("--from", old, "--max-disruption", "20%", "--grids", "auto")
    said = _balance(run, *options, "--measure", "n:10%", "--measure", "kwh:60%")
    moved = json.loads(Path("r.json").read_bytes())["moved"]
    assert said.code == 0, said.err
    assert set(moved["by_measure"]) == {"n", "kwh"}
    n, kwh = (f"{100 * moved['by_measure'][name]:.1f} %" for name in ("n", "kwh"))
    assert f"moved of each measure: n {n}, kwh {kwh}\n" in said.out
    assert "would be enough" not in said.out


def test_an_allowance_which_is_too_small_says_what_would_do(run: Run, old: str) -> None:
    options = ("--from", old, "--grids", "auto", "--measure", "n:5%")
    said = _balance(run, *options, "--max-disruption", "2%")
    assert said.code == 3
    found = re.search(r"about (\S+) % of n moved would be enough for all grids", said.out)
    assert found is not None, said.out
    assert float(found[1]) > 2
    assert _balance(run, *options, "--max-disruption", f"{found[1]}%").code == 0


def test_dear_moves_are_avoided(balance: Balance, old: str) -> None:
    before = _before(old)

    def dear(*more: object) -> int:
        grids, _ = balance("--from", old, "--max-disruption", "30%", *more, measure="n:3%")
        return sum(before.get(c, g) != g for c, g in grids.items() if int(c[3:]) < 2)

    assert dear("--move-cost", "dear") < dear()


def test_a_lock_without_a_grid_keeps_the_old_one(balance: Balance, old: str) -> None:
    locks = _file("cell\n" + "".join(f"{name(4, y)}\n" for y in range(4)))
    grids, _ = balance("--from", old, "--locks", locks, "--max-disruption", "20%", measure="n:10%")
    assert {grids[name(4, y)] for y in range(4)} == {"SE"}


def test_the_frontier_is_written_whole(balance: Balance, old: str, tmp_path: Path) -> None:
    grids, report = balance("--from", old, "--frontier", "choice", "--max-disruption", "20%", measure="n:5%")
    options = report["frontier"]
    files = sorted(path.name for path in tmp_path.glob("choice-*.csv"))
    assert files == [f"choice-{i}.csv" for i in range(1, len(options) + 1)]
    assert sum(option["chosen"] for option in options) == 1
    for number, option in enumerate(options, 1):
        with (tmp_path / f"choice-{number}.csv").open() as file:
            rows = list(csv.DictReader(file))
        moved = sum(_before(old).get(row["cell"], row["grid"]) != row["grid"] for row in rows)
        assert moved == option["moved_cells"]
        own = json.loads((tmp_path / f"choice-{number}.json").read_bytes())
        assert own["overall"]["worst_deviation"] == pytest.approx(option["worst_deviation"])
        if option["chosen"]:
            assert {row["cell"]: row["grid"] for row in rows} == grids


def test_a_frontier_without_an_old_plan_runs_from_balance_to_shape(balance: Balance, tmp_path: Path) -> None:
    _, report = balance("--frontier", "choice", "--compactness", "25", measure="n:2%")
    values = [option["compactness"] for option in report["frontier"]]
    assert values == sorted(values) and set(values) <= {0, 25, 50, 75, 100}
    assert len(list(tmp_path.glob("choice-*.csv"))) == len(values)


def test_a_carved_out_grid_of_the_old_plan_keeps_its_code(balance: Balance, board: Path) -> None:
    rows = [
        f"{name(x, y)},{'Z' if (x, y) == (0, 0) else 'W' if x < 6 else 'E'}"
        for y in range(H)
        for x in range(W)
    ]
    old = _file("cell,grid\n" + "\n".join(rows) + "\n", "old.csv")
    grids, report = balance("--from", old, "--carve-out", _file("cell\n00-00\n"), grids="auto")
    assert {g["code"]: g["carve_out"] for g in report["grids"]} == {"W": False, "E": False, "Z": True}
    assert grids["00-00"] == "Z"


# --- nothing half done


def test_a_stop_by_hand_leaves_nothing_behind(
    run: Run, board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gridsvc.cli import balance as module

    before = {path.name for path in tmp_path.iterdir()}

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "json_writer", lambda _: stopped)
    said = _balance(run, "--grids", 2, "--measure", "n")
    assert said.code == 130
    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_same_seed_gives_the_same_bytes(balance: Balance, tmp_path: Path, old: str) -> None:
    for options in (["--seeds", _file("cell\n00-00\n")], ["--from", old]):
        first = balance(*options) and (tmp_path / "g.csv").read_bytes()
        assert balance(*options) and (tmp_path / "g.csv").read_bytes() == first
