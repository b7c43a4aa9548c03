"""Every form of a batch's answer says the same, row by row, as the answer itself."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import h3
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.ownership.batch import BatchAnswer, Owners
from gridsvc.ownership.columns import MEDIA_TYPES, Facts, render
from gridsvc.ownership.points import Form
from gridsvc.ownership.publication import Overlay
from gridsvc.plans.plan import Grid
from gridsvc.tiling.places import Places

BOX = shapely.box(112.9, 28.6, 113.0, 28.7)
WORLD = shapely.MultiPolygon([BOX])
HEXES = Places.of(
    "h3", 8, np.array(sorted(map(h3.str_to_int, h3.geo_to_cells(BOX, 8))), np.uint64), None, WORLD
)
GRIDS = (Grid("01", "One", "t1"), Grid('0"2', "Two"), Grid("C1", "Three", "组", carve_out=True))
OVERLAYS = (Overlay("P1", "Park", "t2", BOX), Overlay("P2", "Port", None, BOX))
FACTS = Facts("长沙", 12, 31, 4711)
COLUMNS = ("status", "cell", "grid", "team", "rule")
FORMS: tuple[Form, ...] = ("columns", "objects", "points", "arrow")


def blocks(codes: list[str]) -> Places:
    shapes = np.array([BOX] * len(codes), object)
    return Places.of("polygons", None, np.array(sorted(codes), object), shapes, WORLD)


@cache
def many_blocks() -> Places:
    return blocks([f"E{i}" for i in range(600)])


def rows_of(answer: BatchAnswer) -> list[dict[str, Any]]:
    columns = zip(*(getattr(answer, name).tolist() for name in COLUMNS), strict=True)
    return [dict(zip(COLUMNS, row, strict=True)) for row in columns]


def read(body: bytes, form: Form) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Rows and facts of a document, as any client would read them."""
    if form == "arrow":
        table = pa.ipc.open_stream(body).read_all()
        table.validate(full=True)
        facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        return table.to_pylist(), facts
    document = json.loads(body)
    if form == "objects":
        return document, None
    if form == "points":
        return document.pop("points"), document
    columns = [document.pop(name) for name in COLUMNS]
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)], document


def all_agree(answer: BatchAnswer, facts: Facts = FACTS) -> None:
    for form in FORMS:
        rows, said = read(render(answer, facts, form), form)
        assert rows == rows_of(answer), form
        assert all(tuple(row) == COLUMNS for row in rows)
        if form == "arrow":
            assert said == {k: str(v) for k, v in facts._asdict().items() if v is not None}
        elif form != "objects":
            assert said == facts._asdict()


# --- what the codes stand for


def test_codes_are_grids_then_overlays_then_who_owns_nothing() -> None:
    owners = Owners.of(GRIDS, OVERLAYS, "t0")
    assert list(zip(owners.status, owners.grid, owners.team, owners.rule, strict=True)) == [
        ("owned", "01", "t1", "cell"),
        ("owned", '0"2', None, "cell"),
        ("owned", "C1", "组", "carve_out"),
        ("owned", "P1", "t2", "carve_out"),
        ("owned", "P2", "t0", "carve_out"),  # a carve-out without a team falls to whom all else falls to
        ("fallback", None, "t0", "fallback"),
        ("outside", None, None, None),
        ("invalid", None, None, None),
    ]
    assert len(owners) == 8


def test_an_answer_gives_its_columns_as_text() -> None:
    rows = np.array([0, -1, 1])
    answer = BatchAnswer(blocks(["a", "b"]), rows, np.array([2, 7, 5]), Owners.of(GRIDS, OVERLAYS, "t0"))
    assert len(answer) == 3
    assert rows_of(answer) == [
        {"status": "owned", "cell": "a", "grid": "C1", "team": "组", "rule": "carve_out"},
        {"status": "invalid", "cell": None, "grid": None, "team": None, "rule": None},
        {"status": "fallback", "cell": "b", "grid": None, "team": "t0", "rule": "fallback"},
    ]


# --- all forms

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
grid = st.builds(Grid, text, text, st.one_of(st.none(), text), st.booleans())
overlay = st.builds(Overlay, text, text, st.one_of(st.none(), text), st.just(BOX))


@st.composite
def answers(draw: st.DrawFn) -> BatchAnswer:
    owners = Owners.of(
        draw(st.lists(grid, max_size=4)),
        draw(st.lists(overlay, max_size=2)),
        draw(st.one_of(st.none(), text)),
    )
    names = st.lists(text, min_size=1, max_size=6, unique=True)
    places = draw(st.one_of(st.just(HEXES), names.map(blocks)))
    n = draw(st.integers(0, 40))
    rows = draw(st.lists(st.integers(-1, len(places) - 1), min_size=n, max_size=n))
    codes = draw(st.lists(st.integers(0, len(owners) - 1), min_size=n, max_size=n))
    kind = draw(st.sampled_from([np.int32, np.int64]))
    return BatchAnswer(places, np.array(rows, kind), np.array(codes, kind), owners)


@settings(deadline=None)  # the first example brings pyarrow in
@given(answers())
def test_each_form_says_the_same(answer: BatchAnswer) -> None:
    all_agree(answer)


@settings(deadline=None)  # the first example brings pyarrow in
@given(answers(), st.one_of(st.none(), st.integers(1, 9)))
def test_facts_come_with_every_form_but_the_bare_list(answer: BatchAnswer, roster: int | None) -> None:
    all_agree(answer, Facts('a"b', 1, roster, 2**53))


def of_many(n: int, places: Places, grids: list[Grid]) -> BatchAnswer:
    rng = np.random.default_rng(n)
    owners = Owners.of(grids, (), "t0")
    rows, owner = rng.integers(-1, len(places), n), rng.integers(0, len(owners), n)
    return BatchAnswer(places, rows, owner.astype(np.int32), owners)


@pytest.mark.parametrize("places", [HEXES, blocks([f"E{i}" for i in range(300)])], ids=["h3", "blocks"])
@pytest.mark.parametrize("grids", [1, 60, 200, 400])
def test_large_batches_too(places: Places, grids: int) -> None:
    all_agree(of_many(5000, places, [Grid(f"{i:02}", "", f"t{i % 7}") for i in range(grids)]))


@pytest.mark.parametrize("n", [1, 299, 5000])
def test_more_cells_than_points_and_fewer(n: int) -> None:
    all_agree(of_many(n, many_blocks(), [Grid("1", "")]))


# --- one long name does not make the others long


@pytest.mark.parametrize("form", FORMS)
def test_a_long_code_costs_only_where_it_stands(form: Form) -> None:
    grids = [Grid(f"{i:02}", "", "t") for i in range(20)]
    n, rows = 20_000, np.zeros(20_000, np.int64)
    owner = np.arange(n) % 20
    owner[owner == 19] = 0
    short = len(render(BatchAnswer(HEXES, rows, owner, Owners.of(grids, (), "t")), FACTS, form))
    long = [*grids[:-1], Grid("x" * 2000, "", "t")]
    owner[7] = 19
    answer = BatchAnswer(HEXES, rows, owner, Owners.of(long, (), "t"))
    body = render(answer, FACTS, form)
    assert len(body) < short + 20_000
    assert read(body, form)[0][7]["grid"] == "x" * 2000
    all_agree(answer)


@pytest.mark.parametrize("form", FORMS)
def test_a_long_name_of_a_cell_costs_only_where_it_stands(form: Form) -> None:
    places = blocks(["a", "b", "z" * 2000])
    rows = np.arange(20_000) % 2
    rows[7] = 2
    answer = BatchAnswer(places, rows, np.zeros(20_000, int), Owners.of(GRIDS, (), "t"))
    assert len(render(answer, FACTS, form)) < 20_000 * 120
    all_agree(answer)


def test_blanks_stay_below_what_the_words_take() -> None:
    grids = [Grid("1" * (1 + i % 15), "", "t") for i in range(50)]
    answer = of_many(5000, HEXES, grids)
    for form in ("columns", "objects"):
        body = render(answer, FACTS, form)
        assert len(body) < 2 * len(body.replace(b" ", b"")), form


# --- Arrow as readers expect it


def test_arrow_has_text_for_cells_and_dictionaries_without_doubles_for_the_rest() -> None:
    answer = of_many(1000, HEXES, [Grid(f"{i}", "", f"t{i % 3}") for i in range(200)])
    table = pa.ipc.open_stream(render(answer, FACTS, "arrow")).read_all()
    assert table.column_names == list(COLUMNS)
    assert table.schema.field("cell").type == pa.utf8()
    for name in ("status", "grid", "team", "rule"):
        assert pa.types.is_dictionary(table.schema.field(name).type)
        words = table.column(name).chunk(0).dictionary.to_pylist()
        assert len(words) == len(set(words))
        assert None not in words
    assert table.schema.field("status").type.index_type == pa.int8()
    assert table.schema.field("grid").type.index_type == pa.int16()


def test_each_form_has_its_media_type() -> None:
    assert set(MEDIA_TYPES) == set(FORMS)
    assert MEDIA_TYPES["arrow"] == "application/vnd.apache.arrow.stream"
