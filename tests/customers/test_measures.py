from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.customers import Placement, Table, aggregate, parse_measure, parse_where, select
from gridsvc.customers.columns import Columns
from gridsvc.errors import InvalidInput, UnknownColumn

Reader = Callable[..., Table]


def placed_at(cells: list[int]) -> Placement:
    cell = np.array(cells, np.int32)
    nothing = np.zeros(len(cells))
    verdict = np.where(cell >= 0, 0, 10).astype(np.int8)
    return Placement(verdict, cell, nothing, nothing, (), "customers.csv", Columns())


def customers(read: Reader, values: list[str]) -> Table:
    return read("id,lon,lat,v\n" + "".join(f"{i},1,1,{value}\n" for i, value in enumerate(values)))


class TestParse:
    @pytest.mark.parametrize(
        "text", ["customers=count", "p=sum:kwh", "用电量=mean:年用电量", "d_1=count_distinct:a:b"]
    )
    def test_a_measure_reads_back_as_written(self, text: str) -> None:
        assert str(parse_measure(text)) == text

    @pytest.mark.parametrize(
        "text",
        ["", "count", "a=", "a=max:x", "a=sum", "a=sum:", "a=count:x", "a b=count", "1a=count", "cell=count"],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidInput, match=r"measure: not a .*; (write|use)"):
            parse_measure(text)


class TestWhere:
    table_text = "id,lon,lat,kind,kwh\n007,1,1,r,10\n7,1,1,c,9\n8,1,1,,x\n"

    @pytest.mark.parametrize(
        ("conditions", "ids"),
        [
            (["kind=r"], ["007"]),
            (["kind!=r"], ["7", "8"]),
            (["kind="], ["8"]),
            (["kwh<10"], ["7"]),
            (["kwh<=10"], ["007", "7"]),
            (["kwh > 9"], ["007"]),
            (["kwh>=9", "kind=c"], ["7"]),
            (["id=7"], ["7"]),
            ([], ["007", "7", "8"]),
        ],
    )
    def test_conditions(self, read: Reader, conditions: list[str], ids: list[str]) -> None:
        table = read(self.table_text)
        assert table.ids[select(table, map(parse_where, conditions))].tolist() == ids

    @pytest.mark.parametrize("text", ["kind", "=r", "", "kwh<many"])
    def test_what_is_no_condition_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            parse_where(text)

    def test_an_unknown_column_lists_those_there_are(self, read: Reader) -> None:
        with pytest.raises(UnknownColumn, match="the columns are: id, lon, lat, kind, kwh"):
            select(read(self.table_text), [parse_where("type=r")])


def test_each_operation(read: Reader) -> None:
    table = customers(read, ["1", "3", "3", "5", "100"])
    specs = [parse_measure(t) for t in ("n=count", "d=count_distinct:v", "s=sum:v", "m=mean:v")]
    n, d, s, m = aggregate(table, placed_at([0, 2, 2, 2, -1]), specs, 4)
    assert n.values.tolist() == [1, 0, 3, 0]
    assert n.largest.tolist() == [1, 0, 1, 0]
    assert d.values.tolist() == [1, 0, 2, 0]
    assert s.values.tolist() == [1, 0, 11, 0]
    assert s.largest.tolist() == [1, 0, 5, 0]
    assert m.values.tolist() == pytest.approx([1, 0, 11 / 3, 0])
    assert (n.total, d.total, s.total, m.total) == (4, 3, 12, 3)
    assert (s.name, s.spec) == ("s", "s=sum:v")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(-1, 6), st.integers(0, 10**9) | st.floats(0, 1e6)), min_size=1, max_size=60
    )
)
def test_totals_over_cells_are_totals_over_placed_rows(rows: list[tuple[int, float]], read: Reader) -> None:
    table = customers(read, [repr(value) for _, value in rows])
    cells = [cell for cell, _ in rows]
    count, total = aggregate(table, placed_at(cells), [parse_measure("n=count"), parse_measure("s=sum:v")], 7)
    inside = [(cell, value) for cell, value in rows if cell >= 0]
    assert count.values.sum() == count.total == len(inside)
    assert total.values.sum() == pytest.approx(sum(value for _, value in inside))
    assert total.total == pytest.approx(sum(value for _, value in inside))
    for cell in range(7):
        own = [value for c, value in inside if c == cell]
        assert total.values[cell] == pytest.approx(sum(own))
        assert total.largest[cell] == max(own, default=0)


class TestMissing:
    def test_two_in_a_hundred_count_as_zero_and_are_told(self, read: Reader) -> None:
        table = customers(read, ["1"] * 98 + ["", "NA"])
        (measure,) = aggregate(table, placed_at([0] * 100), [parse_measure("s=sum:v")], 1)
        assert measure.missing_share == 0.02
        assert measure.total == 98

    def test_more_are_refused_with_the_first_row(self, read: Reader) -> None:
        table = customers(read, ["1"] * 97 + ["", "", "-"])
        with pytest.raises(
            InvalidInput, match=r"row 98, v: no value in 3\.0% .* --missing zero or --missing drop"
        ):
            aggregate(table, placed_at([0] * 100), [parse_measure("s=sum:v")], 1)
        with pytest.raises(InvalidInput, match="row 98, v"):
            aggregate(table, placed_at([0] * 98 + [0, 0]), [parse_measure("s=sum:v")], 1)

    def test_rows_left_out_do_not_count(self, read: Reader) -> None:
        table = customers(read, ["1", "", "text", "-4"])
        (measure,) = aggregate(table, placed_at([0, -1, -1, -1]), [parse_measure("s=sum:v")], 1)
        assert (measure.total, measure.missing_share) == (1, 0)

    def test_zero_and_drop_differ_for_a_mean(self, read: Reader) -> None:
        table = customers(read, ["4", "", "2", ""])
        specs = [parse_measure("m=mean:v"), parse_measure("s=sum:v"), parse_measure("d=count_distinct:v")]
        zero = aggregate(table, placed_at([0, 0, 1, 2]), specs, 3, missing="zero")
        drop = aggregate(table, placed_at([0, 0, 1, 2]), specs, 3, missing="drop")
        assert zero[0].values.tolist() == [2, 2, 0]
        assert drop[0].values.tolist() == [4, 2, 0]
        assert zero[1].values.tolist() == drop[1].values.tolist() == [4, 2, 0]
        assert zero[2].values.tolist() == drop[2].values.tolist() == [1, 1, 0]
        assert {m.missing_share for m in (*zero, *drop)} == {0.5}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("12 kWh", "not a finite number"),
        ("1.234.5", "not a finite number"),
        ("inf", "not a finite number"),
        ("-3", "a negative number"),
    ],
)
@pytest.mark.parametrize("op", ["sum", "mean"])
def test_values_which_are_no_amounts_are_refused(read: Reader, value: str, message: str, op: str) -> None:
    table = customers(read, ["1", value])
    with pytest.raises(InvalidInput, match=f"customers.csv, row 2, v: {message}") as caught:
        aggregate(table, placed_at([0, 0]), [parse_measure(f"s={op}:v")], 1, missing="zero")
    assert caught.value.cure
    assert value not in str(caught.value)


def test_unknown_columns_and_repeated_names_are_refused(read: Reader) -> None:
    table = customers(read, ["1"])
    with pytest.raises(UnknownColumn, match="kwh: no such column; the columns are: id, lon, lat, v"):
        aggregate(table, placed_at([0]), [parse_measure("s=sum:kwh")], 1)
    with pytest.raises(InvalidInput, match="same name"):
        aggregate(table, placed_at([0]), [parse_measure("s=count"), parse_measure("s=sum:v")], 1)


def test_a_file_of_which_nothing_is_placed_measures_zero(read: Reader) -> None:
    specs = [parse_measure(t) for t in ("n=count", "d=count_distinct:v", "s=sum:v", "m=mean:v")]
    for measure in aggregate(customers(read, ["1", "2"]), placed_at([-1, -1]), specs, 3):
        assert measure.values.tolist() == [0, 0, 0]
        assert measure.total == 0
