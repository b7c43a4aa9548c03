from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

import h3
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc import crs
from gridsvc.customers import (
    AreaIndex,
    Columns,
    Placement,
    PlaceOptions,
    Table,
    Verdict,
    check,
    parse_where,
    place,
    select,
)
from gridsvc.errors import InvalidInput
from gridsvc.tiling.tiling import Tiling

Reader = Callable[..., Table]
Placer = Callable[..., Placement]

TOWNS = ["west", "west", "east", "east"] * 2


def verdicts(placement: Placement) -> list[str]:
    return [Verdict(code).name for code in placement.verdict]


def test_codes_of_verdicts_never_change() -> None:
    assert {v.slug: int(v) for v in Verdict} == {
        "placed": 0,
        "placed-by-code": 1,
        "placed-by-premise": 2,
        "suspect-location": 3,
        "outside": 10,
        "bad-coordinate": 11,
        "missing-location": 12,
        "swapped-axes": 13,
        "unknown-code": 14,
        "duplicate-id": 15,
        "missing-id": 16,
        "not-selected": 17,
    }


def test_each_row_gets_its_verdict(place_text: Placer) -> None:
    placement = place_text(
        "id,lon,lat,cell\n"
        "a,120.05,30.05,\n"
        "b,120.35,30.15,A0\n"  # coordinates win over the code
        "c,,,B1\n"
        "d,x,30.05,A1\n"  # a bad coordinate with a good code
        "e,121.5,30.05,A0\n"  # a point outside stays outside
        "f,120.05,91,\n"
        "g,inf,30.05,\n"
        "h,,30.05,\n"
        "i,30.05,120.05,\n"
        "j,,,ZZ\n"
        "a,120.05,30.05,\n"
        ",120.05,30.05,\n"
        "k,text,30.05,ZZ\n"
    )
    assert verdicts(placement) == [
        "PLACED",
        "PLACED",
        "PLACED_BY_CODE",
        "PLACED_BY_CODE",
        "OUTSIDE",
        "BAD_COORDINATE",
        "BAD_COORDINATE",
        "MISSING_LOCATION",
        "SWAPPED_AXES",
        "UNKNOWN_CODE",
        "DUPLICATE_ID",
        "MISSING_ID",
        "BAD_COORDINATE",
    ]
    assert placement.cell.tolist() == [0, 7, 5, 1, *[-1] * 9]


def test_the_summary_starts_with_the_rate_and_adds_up(place_text: Placer, read: Reader) -> None:
    text = "id,lon,lat,kind\na,120.05,30.05,r\nb,,,r\nc,120.05,30.05,x\nd,125,30,r\n"
    options = PlaceOptions(selected=select(read(text), [parse_where("kind=r")]))
    summary = place_text(text, None, options).summary()
    assert next(iter(summary)) == "placement_rate"
    assert summary["placement_rate"] == pytest.approx(1 / 3)
    assert (summary["read"], summary["placed"], summary["left_out"], summary["not_selected"]) == (4, 1, 3, 1)
    assert sum(entry["rows"] for entry in summary["verdicts"].values()) == 4
    assert summary["verdicts"]["outside"]["first_row"] == 4
    assert summary["verdicts"]["outside"]["cure"]


def test_coordinates_are_converted_first(place_text: Placer) -> None:
    lon, lat = crs.from_wgs84([120.0999], [30.05], "gcj02")  # its GCJ-02 numbers lie in the next cell
    assert lon[0] > 120.1
    placement = place_text(f"id,lon,lat\na,{lon[0]},{lat[0]}\n", crs="gcj02")
    assert placement.cell.tolist() == [0]
    assert placement.lon[0] == pytest.approx(120.0999, abs=1e-9)


def test_projected_coordinates_can_be_swapped_too(place_text: Placer) -> None:
    east, north = crs.from_wgs84([120.05], [30.05], "EPSG:4549")
    placement = place_text(f"id,x,y\na,{east[0]},{north[0]}\nb,{north[0]},{east[0]}\n", crs="EPSG:4549")
    assert verdicts(placement) == ["PLACED", "SWAPPED_AXES"]


def test_the_first_selected_row_of_an_id_stands(place_text: Placer) -> None:
    text = "id,lon,lat\na,120.05,30.05\na,120.15,30.05\na,120.25,30.05\n"
    placement = place_text(text, None, PlaceOptions(selected=np.array([False, True, True])))
    assert verdicts(placement) == ["NOT_SELECTED", "PLACED", "DUPLICATE_ID"]


def test_many_premises_on_one_point_are_suspect_but_placed(place_text: Placer) -> None:
    rows = "".join(f"c{i},120.05,30.05,p{i // 2}\n" for i in range(20)) + "z,120.06,30.05,p\n"
    text = "id,lon,lat,house\n" + rows
    assert verdicts(place_text(text, None, PlaceOptions(suspect_rows=20)))[-2:] == [
        "SUSPECT_LOCATION",
        "PLACED",
    ]
    assert verdicts(place_text(text, None, PlaceOptions(suspect_rows=21)))[0] == "PLACED"
    by_house = Columns(place_key="house")  # 20 rows, but 10 premises
    assert verdicts(place_text(text, by_house, PlaceOptions(suspect_rows=11)))[0] == "PLACED"
    suspect = place_text(text, by_house, PlaceOptions(suspect_rows=10))
    assert verdicts(suspect)[0] == "SUSPECT_LOCATION"
    assert (suspect.cell >= 0).all()
    assert suspect.rate == 1


class TestPremise:
    columns = Columns(place_key="house")

    def test_its_rows_go_where_most_of_them_lie(self, place_text: Placer) -> None:
        placement = place_text(
            "id,lon,lat,house\na,120.15,30.05,p\nb,120.05,30.05,p\nc,120.05,30.05,p\nd,120.15,30.05,q\n",
            self.columns,
        )
        assert placement.cell.tolist() == [0, 0, 0, 1]
        assert set(verdicts(placement)) == {"PLACED"}

    def test_on_a_tie_the_first_cell_wins_whatever_the_order(self, place_text: Placer) -> None:
        rows = ["a,120.15,30.05,p", "b,120.05,30.05,p"]
        for order in (rows, rows[::-1]):
            placement = place_text("id,lon,lat,house\n" + "\n".join(order) + "\n", self.columns)
            assert placement.cell.tolist() == [0, 0]

    def test_unlocated_rows_follow_the_located(self, place_text: Placer) -> None:
        placement = place_text(
            "id,lon,lat,house,cell\na,120.05,30.05,p,\nb,,,p,\nc,x,y,p,\nd,,,p,ZZ\ne,,,p,B3\nf,,,,\ng,130,30,p,\n",
            self.columns,
        )
        assert verdicts(placement) == [
            "PLACED",
            *["PLACED_BY_PREMISE"] * 4,  # a code counts less than the premise's coordinates
            "MISSING_LOCATION",  # an empty key is no premise
            "OUTSIDE",  # coordinates which contradict the premise are for a person
        ]
        assert placement.cell.tolist() == [0, 0, 0, 0, 0, -1, -1]

    def test_without_coordinates_they_follow_the_code(self, place_text: Placer) -> None:
        placement = place_text("id,lon,lat,house,cell\na,,,p,B3\nb,,,p,\nc,,,p,B3\nd,,,p,A0\n", self.columns)
        assert verdicts(placement) == [
            "PLACED_BY_CODE",
            "PLACED_BY_PREMISE",
            "PLACED_BY_CODE",
            "PLACED_BY_CODE",
        ]
        assert placement.cell.tolist() == [7, 7, 7, 7]


class TestAreas:
    def test_a_row_goes_to_the_fullest_cell_of_its_area(self, place_text: Placer, tiling: Tiling) -> None:
        placement = place_text(
            "id,lon,lat,code\na,120.15,30.15,west\nb,120.15,30.15,west\nc,120.05,30.05,west\n"
            "d,120.35,30.05,west\nd2,120.35,30.05,west\nd3,120.35,30.05,west\n"  # not in the west
            "e,,,west\n",
            None,
            PlaceOptions(areas=AreaIndex.from_labels(tiling, TOWNS)),
        )
        assert verdicts(placement)[-1] == "PLACED_BY_CODE"
        assert placement.cell[-1] == 5

    def test_or_to_the_cell_nearest_the_centre(self, place_text: Placer, tiling: Tiling) -> None:
        labels = ["west", "west", "west", "east", "", "", "", ""]
        placement = place_text(
            "id,lon,lat,code\na,,,west\nb,,,east\nc,,,north\nd,,,A0\n",
            None,
            PlaceOptions(areas=AreaIndex.from_labels(tiling, labels)),
        )
        assert placement.cell.tolist() == [1, 3, -1, 0]
        assert verdicts(placement)[2] == "UNKNOWN_CODE"

    def test_areas_from_polygons(self, tiling: Tiling) -> None:
        import shapely

        towns = np.array(
            [shapely.box(120, 30, 120.2, 30.2), shapely.box(120.31, 30.11, 120.32, 30.12)], dtype=object
        )
        areas = AreaIndex.from_polygons(tiling, ["west", "tiny"], towns)
        assert areas.label.tolist() == [0, 0, -1, -1, 0, 0, -1, -1]
        assert areas.home[1] == 7  # an area smaller than a cell still has a home
        with pytest.raises(InvalidInput, match="row 2: repeats an area code"):
            AreaIndex.from_polygons(tiling, ["west", "west"], towns)


def test_h3_cell_codes_are_read_in_either_case(read: Reader, tiling: Tiling) -> None:
    cells = sorted(h3.grid_disk(h3.latlng_to_cell(30.1, 120.1, 8), 1), key=h3.str_to_int)
    nothing = np.zeros(len(cells))
    hexes = Tiling(
        kind="h3",
        resolution=8,
        ids=np.array([h3.str_to_int(c) for c in cells], np.uint64),
        geometry=tiling.geometry[: len(cells)],
        x=nothing,
        y=nothing,
        area=nothing,
        perimeter=nothing,
        adjacency=tiling.adjacency,
        origin=(120.1, 30.1),
    )
    rows = {name: i for i, name in enumerate(cells)}

    def locate(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return np.array(
            [rows.get(h3.latlng_to_cell(*p, 8), -1) for p in zip(lat, lon, strict=True)], np.int64
        )

    table = read(f"id,lon,lat,cell\na,120.1,30.1,\nb,,,{cells[2]}\nc,,,{cells[3].upper()}\n")
    assert place(table, hexes, locate).cell.tolist() == [rows[h3.latlng_to_cell(30.1, 120.1, 8)], 2, 3]


values = st.sampled_from(["120.05", "120.15", "30.05", "30.15", "121", "91", "200", "x", "inf", "", "NA"])
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e", ""]),
        values,
        values,
        st.sampled_from(["", "A0", "B1", "ZZ"]),
        st.sampled_from(["", "p", "q"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows)
def test_nothing_is_lost_and_premises_stay_together(
    rows: list[tuple[str, str, str, str, str, bool]], place_text: Placer
) -> None:
    text = "id,lon,lat,cell,house\n" + "".join(",".join(row[:5]) + "\n" for row in rows)
    selected = np.array([row[5] for row in rows])
    placement = place_text(text, Columns(place_key="house"), PlaceOptions(selected=selected))
    summary = placement.summary()
    assert summary["placed"] + summary["left_out"] == summary["read"] == len(rows)
    for code, cell in zip(placement.verdict, placement.cell, strict=True):
        assert Verdict(code).placed == (cell >= 0)
    assert ((placement.verdict == Verdict.NOT_SELECTED) == ~selected).all()
    of_premise: defaultdict[str, set[int]] = defaultdict(set)
    for row, cell in zip(rows, placement.cell, strict=True):
        if row[4] and cell >= 0:
            of_premise[row[4]].add(int(cell))
    assert all(len(cells) == 1 for cells in of_premise.values())
    placed_ids = Counter(row[0] for row, cell in zip(rows, placement.cell, strict=True) if cell >= 0)
    assert all(n == 1 and name for name, n in placed_ids.items())


class TestCheck:
    text = "id,lon,lat\na,120.05,30.05\nb,120.05,30.05\nc,120.05,99\n"

    def test_enough_is_enough(self, place_text: Placer) -> None:
        check(place_text(self.text), min_placed=0.66)

    def test_too_few_placed_names_row_field_kind_and_cure(self, place_text: Placer) -> None:
        with pytest.raises(InvalidInput) as caught:
            check(place_text(self.text))
        error = caught.value
        assert (error.source, error.row, error.field) == ("customers.csv", 3, "lat")
        assert "is out of range" in str(error)
        assert "66.6 %" in str(error)
        assert "--min-placed 0.66" in str(error)
        assert "99" not in str(error)
        assert error.details["summary"]["read"] == 3

    def test_strict_refuses_any_row_left_out(self, place_text: Placer) -> None:
        with pytest.raises(InvalidInput, match="row 3, lat"):
            check(place_text(self.text), 0.5, strict=True)
        check(place_text("id,lon,lat\na,120.05,30.05\n"), 0.5, strict=True)

    @pytest.mark.parametrize(
        ("row", "field", "what"),
        [
            ("c,abc,30", "lon", "is text, not a number"),
            ("c,,abc", "lat", "is text, not a number"),
            ("c,120,inf", "lat", "is not a finite number"),
            ("c,200,30", "lon", "is out of range"),
            ("c,120,91", "lat", "is out of range"),
            ("c,125,30", "lat", "lies outside"),
            ("c,,", "lat", "has neither"),
            (",120.05,30.05", "id", "has no id"),
            ("a,120.05,30.05", "id", "repeats the id"),
        ],
    )
    def test_the_kind_of_each_fault(self, place_text: Placer, row: str, field: str, what: str) -> None:
        with pytest.raises(InvalidInput, match=f"row 2, {field}: {what}"):
            check(place_text(f"id,lon,lat\na,120.05,30.05\n{row}\n"))

    def test_a_swapped_file_says_how_to_swap(self, place_text: Placer) -> None:
        placement = place_text("id,lng,lat\na,30.05,120.05\nb,30.15,120.15\n")
        with pytest.raises(
            InvalidInput, match="lon and lat look exchanged: pass --lon and --lat the other way round"
        ):
            check(placement)
        assert [hint["code"] for hint in placement.hints] == ["swapped-axes"]
        assert "(--lon lat --lat lng)" in placement.hints[0]["message"]

    def test_hints_for_a_whole_file(self, place_text: Placer) -> None:
        outside = place_text("lon,lat\n10,10\n")
        assert [hint["code"] for hint in outside.hints] == ["all-outside", "no-id-column"]
        metres = place_text("id,x,y\n1,530000,180000\n")
        assert [hint["code"] for hint in metres.hints] == ["not-degrees"]

    def test_selecting_nothing_is_refused(self, place_text: Placer) -> None:
        nothing = PlaceOptions(selected=np.zeros(3, bool))
        with pytest.raises(InvalidInput, match="--where selects no row"):
            check(place_text(self.text, None, nothing), 0.0)

    def test_a_rate_is_a_share(self, place_text: Placer) -> None:
        with pytest.raises(InvalidInput, match="between 0 and 1"):
            check(place_text(self.text), 95)
