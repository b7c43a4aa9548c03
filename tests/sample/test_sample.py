"""The simulated county and city: what is promised about their files."""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidInput
from gridsvc.sample import CITY, COUNTY, DEFAULT_SEED, generate, generate_scale
from gridsvc.sample.dirt import FAULTS
from gridsvc.sample.plane import Plane
from gridsvc.teams.company import team_rules_from_dict
from gridsvc.teams.periods import check_leads
from gridsvc.teams.read import read_roster
from gridsvc.teams.violations import check

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "samples"
PLANE = Plane(COUNTY.lon, COUNTY.lat)


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    out = tmp_path_factory.mktemp("county")
    generate("county", DEFAULT_SEED, out)
    return out


@pytest.fixture(scope="module")
def truth(county):
    return json.loads((county / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def customers(county):
    return table(county, "customers")


@pytest.fixture(scope="module")
def boundary(county):
    return layer(county, "boundary")[0][0]


def table(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def layer(folder, name):
    document = json.loads((folder / f"{name}.geojson").read_text("utf-8"))
    return [(shapely.from_geojson(json.dumps(f["geometry"])), f["properties"]) for f in document["features"]]


def square_metres(shape):
    return PLANE.shape_to_metres(shape).area


def at(rows, numbers):
    return [rows[number - 1] for number in numbers]


def true_points(customers, truth):
    """Places of the rows with which nothing is wrong (a missing use apart)."""
    wrong = {row for name in FAULTS for row in truth["faults"][name]["rows"]}
    return np.array(
        [(float(r["lon"]), float(r["lat"])) for n, r in enumerate(customers, 1) if n not in wrong]
    )


# --- the same again -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(county, tmp_path):
    generate("county", DEFAULT_SEED, tmp_path)
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == {
        f.name: f.read_bytes() for f in county.iterdir()
    }


def test_another_seed_gives_another_county(county, tmp_path):
    generate("county", DEFAULT_SEED + 1, tmp_path)
    for name in ("boundary.geojson", "rivers.geojson", "customers.csv", "drawn_grids_last_year.geojson"):
        assert (tmp_path / name).read_bytes() != (county / name).read_bytes(), name


def test_the_shipped_county_is_what_the_generator_makes(county):
    # Values, not bytes: other processors may round the sixth decimal another way.
    shipped = SHIPPED / "county"
    assert {f.name for f in shipped.iterdir()} == {f.name for f in county.iterdir()}
    for path in sorted(county.glob("*.geojson")):
        ours, theirs = layer(county, path.stem), layer(shipped, path.stem)
        assert [p for _, p in ours] == [p for _, p in theirs]
        assert shapely.equals_exact([s for s, _ in ours], [s for s, _ in theirs], 5e-6).all(), path.name
    for path in sorted(county.glob("*.csv")):
        for mine, shipped_row in zip(table(county, path.stem), table(shipped, path.stem), strict=True):
            assert all(alike(mine[key], shipped_row[key]) for key in mine), (path.name, mine)


def alike(one, other):
    try:
        return one == other or abs(float(one) - float(other)) < 0.25
    except ValueError:
        return False


def test_the_shipped_files_stay_below_five_megabytes():
    assert sum(f.stat().st_size for f in SHIPPED.rglob("*") if f.is_file()) < 5e6


# --- labels -------------------------------------------------------------------------------------------


def test_every_layer_and_the_manifest_say_that_they_are_simulated(county):
    for path in [*county.glob("*.geojson"), county / "manifest.json", county / "truth.json"]:
        assert json.loads(path.read_text("utf-8"))["simulated"] is True, path.name


@pytest.mark.parametrize("folder", ["made", "shipped"])
def test_the_manifest_lists_every_other_file_as_it_is(folder, county):
    where = county if folder == "made" else SHIPPED / "county"
    manifest = json.loads((where / "manifest.json").read_text("utf-8"))
    assert {f.name for f in where.iterdir()} == {*manifest["files"], "manifest.json"}
    for name, entry in manifest["files"].items():
        content = (where / name).read_bytes()
        assert len(content) == entry["bytes"]
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], name
        if name.endswith(".csv"):
            lines = content.decode().splitlines()
            assert lines[0].split(",") == entry["columns"]
            assert len(lines) - 1 == entry["rows"]


def test_the_readme_names_every_file(county):
    text = (SHIPPED / "README.md").read_text("utf-8")
    assert [f.name for f in county.iterdir() if f"`{f.name}`" not in text] == []


# --- the map ------------------------------------------------------------------------------------------


def test_a_county_has_four_rural_townships_two_towns_and_three_sub_districts(county):
    properties = [p for _, p in layer(county, "townships")]
    assert Counter(p["kind"] for p in properties) == {"乡": 4, "镇": 2, "街道": 3}
    assert all(p["name"].endswith(p["kind"]) for p in properties)


def test_township_codes_are_text_of_twelve_digits(county):
    codes = [p["code"] for _, p in layer(county, "townships")]
    assert len(set(codes)) == 9
    for code in codes:
        assert isinstance(code, str)
        assert len(code) == 12
        assert code.isdigit()
        assert code.startswith("439923")


def test_the_townships_tile_the_boundary(county, boundary):
    shapes = [shape for shape, _ in layer(county, "townships")]
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert square_metres(shapely.union_all(shapes).symmetric_difference(boundary)) < 1.0
    assert abs(sum(map(square_metres, shapes)) - square_metres(boundary)) < 1.0


def test_the_outline_is_one_polygon_of_a_countys_size(boundary):
    assert boundary.geom_type == "Polygon"
    assert boundary.is_valid
    assert 900e6 < square_metres(boundary) < 1_200e6


def test_some_township_borders_follow_a_river_vertex_by_vertex(county):
    river = {tuple(xy) for line, _ in layer(county, "rivers") for xy in shapely.get_coordinates(line)}
    border = {tuple(xy) for shape, _ in layer(county, "townships") for xy in shapely.get_coordinates(shape)}
    assert len(river & border) > 0.1 * len(river)


def test_rivers_hills_and_estates_lie_inside(county, boundary):
    room = boundary.buffer(1e-6)
    for name in ("rivers", "hills", "estates"):
        assert all(room.covers(shape) for shape, _ in layer(county, name)), name


def test_the_main_river_runs_from_border_to_border(county, boundary):
    main = next(line for line, p in layer(county, "rivers") if p["kind"] == "main")
    assert len(shapely.get_parts(shapely.difference(boundary, main.buffer(1e-5)))) >= 2


def test_every_bridge_stands_on_a_river_and_on_a_road(county):
    barriers = layer(county, "barriers")
    bridges = [shape for shape, p in barriers if p["crossing"]]
    water = shapely.union_all([shape for shape, p in barriers if not p["crossing"]])
    roads = shapely.union_all([line for line, _ in layer(county, "roads")])
    assert len(bridges) >= 6
    assert {shape.geom_type for shape in bridges} == {"Point"}
    assert max(shapely.distance(water, bridges)) < 1e-9
    assert sum(shapely.distance(roads, bridges) < 2e-4) >= 6


def test_roads_cross_rivers_on_bridges_only(county):
    barriers = layer(county, "barriers")
    decks = shapely.union_all([shape.buffer(0.003) for shape, p in barriers if p["crossing"]])
    water = shapely.union_all([shape for shape, p in barriers if not p["crossing"]])
    for line, _ in layer(county, "roads"):
        assert shapely.intersection(line, water).difference(decks).is_empty


def test_estates_have_ids_and_do_not_overlap(county):
    estates = layer(county, "estates")
    assert 30 <= len(estates) <= 60
    assert len({p["id"] for _, p in estates}) == len(estates)
    shapes = [shape for shape, _ in estates]
    assert abs(shapely.union_all(shapes).area - sum(shape.area for shape in shapes)) < 1e-12


# --- the customers ------------------------------------------------------------------------------------


def test_a_county_has_37349_customers_who_use_187_gwh(customers):
    once = {row["id"]: row for row in reversed(customers)}
    assert len(once) == 37_349
    assert round(10 * sum(float(row["kwh"] or 0) for row in once.values())) == 10 * 187_000_000


def test_ids_are_opaque_text_with_a_leading_zero(customers):
    assert all(len(row["id"]) == 13 and row["id"].startswith("0") for row in customers)


def test_true_places_lie_inside_but_not_on_hills_or_in_rivers(county, customers, truth, boundary):
    points = true_points(customers, truth)
    hills = shapely.union_all([shape for shape, _ in layer(county, "hills")])
    water = shapely.union_all([line for line, _ in layer(county, "rivers")]).buffer(0.0003)
    for shape in (boundary, hills, water):
        shapely.prepare(shape)
    assert shapely.contains_xy(boundary, points).all()
    assert not shapely.contains_xy(hills, points).any()
    assert not shapely.contains_xy(water, points).any()


def test_area_codes_name_the_township_a_customer_lies_in(county, customers, truth):
    shapes = {p["code"]: shape for shape, p in layer(county, "townships")}
    wrong = {row for name in FAULTS for row in truth["faults"][name]["rows"]}
    for code, shape in shapes.items():
        shapely.prepare(shape)
        own = [r for n, r in enumerate(customers, 1) if n not in wrong and r["area_code"] == code]
        assert own
        assert shapely.intersects_xy(shape, [(float(r["lon"]), float(r["lat"])) for r in own]).all()


def test_the_sub_districts_are_densest(county, customers):
    people = Counter(row["area_code"] for row in customers)
    density = {kind: [] for kind in ("街道", "镇", "乡")}
    for shape, p in layer(county, "townships"):
        density[p["kind"]].append(people[p["code"]] / square_metres(shape))
    assert min(density["街道"]) > 2 * max(density["镇"] + density["乡"])


def test_a_few_large_enterprises_stand_out(customers, truth):
    large = truth["customers"]["large_enterprises"]
    use = sorted((float(r["kwh"]) for r in customers if r["kwh"]), reverse=True)
    assert 8 <= len(large) <= 12
    assert [entry["kwh"] for entry in large] == use[: len(large)]
    assert all(0.5e6 <= entry["kwh"] <= 6e6 for entry in large)
    assert use[len(large)] < 0.5e6
    assert use[0] > 187e6 / 30 / 2


def test_rows_of_a_premise_stand_together(customers, truth):
    wrong = {row for name in FAULTS for row in truth["faults"][name]["rows"]}
    places = {}
    for number, row in enumerate(customers, 1):
        if number not in wrong:
            places.setdefault(row["premise"], []).append((float(row["lon"]), float(row["lat"])))
    shared = [PLANE.to_metres(np.array(spots)) for spots in places.values() if len(spots) > 1]
    assert len(shared) > 3_000
    assert max(np.ptp(spots, axis=0).max() for spots in shared) <= 41.0


# --- what is wrong on purpose -------------------------------------------------------------------------


def test_the_planted_faults_are_counted_as_promised(truth):
    counts = {name: fault["count"] for name, fault in truth["faults"].items()}
    assert {name: counts[name] for name in FAULTS} == FAULTS
    assert counts["missing_kwh"] < 0.01 * 37_349
    assert all(len(fault["rows"]) == fault["count"] for fault in truth["faults"].values())


def test_each_row_has_one_fault_at_most(truth):
    rows = [row for fault in truth["faults"].values() for row in fault["rows"]]
    assert len(rows) == len(set(rows))


def test_rows_which_cannot_be_placed_stay_below_three_percent(customers, truth):
    lost = sum(truth["faults"][name]["count"] for name in FAULTS if name != "one_point")
    assert lost < 0.03 * len(customers)


def test_rows_without_coordinates_have_an_area_code(customers, truth):
    rows = truth["faults"]["no_coordinates"]["rows"]
    assert rows == [n for n, r in enumerate(customers, 1) if r["lon"] == r["lat"] == ""]
    assert all(row["area_code"] for row in at(customers, rows))


def test_three_hundred_rows_lie_on_one_point(customers, truth):
    rows = at(customers, truth["faults"]["one_point"]["rows"])
    (spot,) = {(row["lon"], row["lat"]) for row in rows}
    assert sum((row["lon"], row["lat"]) == spot for row in customers) == 300
    # Nothing else comes near: the largest honest pile is a stairwell.
    piles = Counter((row["lon"], row["lat"]) for row in customers if row["lon"])
    assert piles.most_common(2)[1][1] < 100


def test_duplicates_repeat_an_id_seen_before(customers, truth):
    seen, again = set(), []
    for number, row in enumerate(customers, 1):
        if row["id"] in seen:
            again.append(number)
        seen.add(row["id"])
    assert truth["faults"]["duplicate_id"]["rows"] == again


def test_swapped_axes_are_right_the_other_way_round(customers, truth, boundary):
    for row in at(customers, truth["faults"]["swapped_axes"]["rows"]):
        assert float(row["lat"]) > 90
        assert shapely.contains_xy(boundary, float(row["lat"]), float(row["lon"]))


def test_bad_coordinates_are_no_coordinates(customers, truth):
    for row in at(customers, truth["faults"]["bad_coordinates"]["rows"]):
        try:
            assert not (abs(float(row["lon"])) <= 180 and abs(float(row["lat"])) <= 90)
        except ValueError:
            continue


def test_rows_outside_are_readable_but_outside(customers, truth, boundary):
    for row in at(customers, truth["faults"]["outside"]["rows"]):
        assert not shapely.intersects_xy(boundary, float(row["lon"]), float(row["lat"]))


def test_missing_use_is_empty(customers, truth):
    assert truth["faults"]["missing_kwh"]["rows"] == [n for n, r in enumerate(customers, 1) if not r["kwh"]]


# --- the company --------------------------------------------------------------------------------------


def test_five_stations_serve_each_township_once(county):
    stations = table(county, "stations")
    served = [code for row in stations for code in row["townships"].split(";")]
    assert len(stations) == 5
    assert sorted(served) == sorted(p["code"] for _, p in layer(county, "townships"))


def test_departments_and_people_refer_to_each_other(county):
    departments = {row["id"]: row for row in table(county, "departments")}
    people = {row["id"]: row for row in table(county, "people")}
    assert all(row["department"] in departments for row in people.values())
    for row in departments.values():
        assert row["parent"] in {"", *departments}
        assert people[row["head"]]["department"] == row["id"]


def test_nobody_has_a_name(county):
    assert all(row["name"] == f"员工{row['id'][1:]}" for row in table(county, "people"))


def test_every_team_is_led_by_marketing_and_nobody_works_more_than_full_time(county):
    people = {row["id"]: row for row in table(county, "people")}
    members = table(county, "members")
    leads = {row["team"]: row["person"] for row in members if row["role"] == "lead"}
    assert set(leads) == {row["id"] for row in table(county, "teams")}
    assert {people[lead]["department"] for lead in leads.values()} == {"D01"}
    for share in ("time_share", "kpi_share"):
        total = Counter()
        for row in members:
            total[row["person"]] += float(row[share])
        assert max(total.values()) <= 1.0 + 1e-9


def test_other_departments_lend_people_for_part_of_their_time(county):
    members = table(county, "members")
    for team in {row["id"] for row in table(county, "teams")} - {"T00"}:
        lent = [r for r in members if r["team"] == team and r["role"] in {"enterprise", "vip", "maintenance"}]
        assert len(lent) == 3
        assert all(0 < float(row["time_share"]) < 1 for row in lent)
        assert any(row["team"] == team and row["backup"] == "true" for row in members)


def test_the_marketing_head_leads_the_one_fallback_team(county):
    teams, members = table(county, "teams"), table(county, "members")
    assert [row["id"] for row in teams if row["fallback"] == "true"] == ["T00"]
    heads = {row["id"]: row["head"] for row in table(county, "departments")}
    assert [r["person"] for r in members if r["team"] == "T00" and r["role"] == "lead"] == [heads["D01"]]


@pytest.mark.parametrize(("column", "total"), [("capacity_customers", 37_349), ("capacity_kwh", 187e6)])
def test_the_teams_can_carry_a_little_more_than_there_is(column, total, county):
    capacity = sum(float(row[column]) for row in table(county, "teams") if row[column])
    assert capacity == pytest.approx(1.15 * total, rel=0.001)


# --- last year's grids --------------------------------------------------------------------------------


def test_gaps_and_overlaps_of_the_drawn_grids_are_as_listed(county, truth, boundary):
    shapes = [PLANE.shape_to_metres(shape) for shape, _ in layer(county, "drawn_grids_last_year")]
    whole = PLANE.shape_to_metres(boundary)
    gap = whole.area - shapely.union_all(shapes).intersection(whole).area
    twice = [a.intersection(b) for n, a in enumerate(shapes) for b in shapes[:n]]
    told = truth["drawn_grids"]
    assert gap / 1e6 == pytest.approx(told["gap_km2"], abs=1e-3)
    assert shapely.union_all(twice).area / 1e6 == pytest.approx(told["overlap_km2"], abs=1e-3)
    assert told["gaps"][0]["km2"] > 0.5
    assert told["overlaps"][0]["km2"] > 0.5


def test_each_listed_gap_and_overlap_is_where_it_is_said_to_be(county, truth):
    shapes = [shape for shape, _ in layer(county, "drawn_grids_last_year")]
    for listed, low, high in (("gaps", 0, 0), ("overlaps", 2, 9)):
        for place in truth["drawn_grids"][listed]:
            covered = sum(shapely.contains_xy(shape, place["lon"], place["lat"]) for shape in shapes)
            assert low <= covered <= high


def test_the_drawn_grids_are_valid_and_led_by_a_team_lead(county, truth):
    grids = layer(county, "drawn_grids_last_year")
    leads = {row["person"] for row in table(county, "members") if row["role"] == "lead"}
    assert len(grids) == 28
    assert shapely.is_valid([shape for shape, _ in grids]).all()
    assert all(p["lead"] in leads for _, p in grids)
    assert any(shape.geom_type == "MultiPolygon" for shape, _ in grids)


# --- other sizes, other seeds, bad places -------------------------------------------------------------


def test_a_city_has_120_sub_districts(tmp_path):
    generate_scale(replace(CITY, customers=20_000), 5, tmp_path)
    districts = layer(tmp_path, "townships")
    assert {p["kind"] for _, p in districts} == {"街道"}
    assert len({p["code"] for _, p in districts}) == len({p["name"] for _, p in districts}) == 120
    assert shapely.coverage_is_valid([shape for shape, _ in districts])
    assert len({row["id"] for row in table(tmp_path, "customers")}) == 20_000


def test_the_city_is_set_to_half_a_million_customers_on_700_km2():
    assert (CITY.customers, CITY.districts, CITY.area) == (500_000, 120, 700e6)


@pytest.mark.parametrize("seed", [0, 3, 28])
def test_other_seeds_give_whole_counties_too(seed, tmp_path):
    generate_scale(replace(COUNTY, customers=4_000, kwh=40e6), seed, tmp_path)
    shapes = [shape for shape, _ in layer(tmp_path, "townships")]
    whole = layer(tmp_path, "boundary")[0][0]
    assert square_metres(shapely.union_all(shapes).symmetric_difference(whole)) < 1.0
    once = {row["id"]: float(row["kwh"] or 0) for row in reversed(table(tmp_path, "customers"))}
    assert round(10 * sum(once.values())) == 400_000_000


def test_a_place_which_cannot_be_written_is_refused_by_its_base_name(tmp_path):
    blocked = tmp_path / "taken"
    blocked.write_text("a file")
    with pytest.raises(InvalidInput, match=r"^taken: cannot be written; ") as refusal:
        generate_scale(replace(COUNTY, customers=4_000, kwh=40e6), 1, blocked)
    assert str(tmp_path) not in str(refusal.value)


def test_progress_is_told_and_can_stop_the_work(tmp_path):
    class StopError(Exception):
        pass

    shares = []

    def stop(share, message):
        shares.append(share)
        if share > 0.3:
            raise StopError

    with pytest.raises(StopError):
        generate("county", 1, tmp_path / "never", stop)
    assert shares == sorted(shares)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("where", [None, {"column": "kind", "value": "industrial"}])
def test_each_team_keeps_the_companys_rules(county, where):
    rules = team_rules_from_dict({"required_roles": [{"role": "enterprise", "where": where}]})
    roster = read_roster(county)
    grids = {team.id: team.id for team in roster.teams if team.id != roster.fallback}
    facts = {grid: {"kind=industrial": 3.0} for grid in grids}
    assert check(roster, rules, grids, facts, datetime(2026, 1, 1, tzinfo=UTC)) == []
    check_leads(roster, datetime(2026, 1, 1, tzinfo=UTC))
