"""Filters against SQLite's own judgement, and outlines against a walk through all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.exchange.filters.judge import holds
from gridsvc.exchange.filters.parse import parse
from gridsvc.exchange.filters.values import column_of
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from tests.services.board import board, lay

COLUMNS: Mapping[str, list[Any]] = {
    "name": ["ab", "AB", "a%b", None, "", "网格"],
    "team": ["ab", None, "T1", "T1", "T2", ""],
    "n": [1.0, 2.0, None, -3.5, 0.0, 2.0],
    "m": [1.0, None, 4.0, -3.5, 2.0, 0.0],
}
KINDS = {"name": "text", "team": "text", "n": "number", "m": "number"}
COMPARED = {name: column_of(KINDS[name], values) for name, values in COLUMNS.items()}  # type: ignore[arg-type]
SIGNS = st.sampled_from(["=", "<>", "<", ">", "<=", ">="])
NUMBERS = st.sampled_from(["n", "m", "1", "2", "-3.5", "n + m", "n * 2", "m - 1"])
TEXTS = st.sampled_from(["name", "team", "'ab'", "'T1'", "''", "'网格'"])
LEAVES = st.one_of(
    st.builds("{} {} {}".format, NUMBERS, SIGNS, NUMBERS),
    st.builds("{} {} {}".format, TEXTS, SIGNS, TEXTS),
    st.builds("{} IS NULL".format, st.sampled_from([*COLUMNS])),
    st.builds("n BETWEEN {} AND {}".format, st.integers(-4, 3), st.integers(-4, 3)),
    st.builds("{} IN ({}, {})".format, st.sampled_from(["n", "m"]), st.integers(-1, 3), st.integers(-1, 3)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=6,
)


def judged(text: str) -> list[bool]:
    return holds(parse(text), COMPARED, 6, lambda *_: np.zeros(6, bool)).tolist()


@settings(max_examples=150, deadline=None, database=None)
@given(TREES)
def test_conditions_hold_where_sql_says_so(text: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (name TEXT, team TEXT, n REAL, m REAL)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", zip(*COLUMNS.values(), strict=True))
        expected = [row == (1,) for row in connection.execute(f"SELECT {text} FROM t ORDER BY rowid")]
    connection.close()
    assert judged(text) == expected


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("a_", 1), ("%b", 3 - 1), ("a\\%b", 1), ("%", 5), ("", 1), ("a%", 2), ("%a%b%", 2)],
)
def test_patterns_know_two_wild_cards_and_an_escape(pattern: str, found: int) -> None:
    assert sum(judged(f"name LIKE '{pattern}'")) == found


@pytest.mark.parametrize(
    "text",
    ["n = 'x'", "name > 3", "n", "foo(n) = 1", "n = CASEI(m)", "name LIKE n", "'a' = ", "n IN (name, 1)"],
)
def test_what_cannot_be_compared_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        judged(text)
    assert caught.value.field == "filter" and caught.value.cure


def test_a_place_finds_the_outlines_which_meet_it(database: Database) -> None:
    squares = board(9, 7)
    corners = shapely.bounds(squares.geometry)
    west, south, east, north = corners.T
    triangles = np.array(
        [
            shapely.Polygon([(w, s), (e, s), (w, n)])
            for w, s, e, n in zip(west, south, east, north, strict=True)
        ],
        object,
    )
    tiling = lay(database, replace(squares, geometry=triangles), {})
    other = lay(database, board(9, 7), {}, slug="other")  # lies on the same ground and is not asked about
    rng = np.random.default_rng(2)
    whole = shapely.total_bounds(triangles)
    for _ in range(40):
        xy = np.sort(rng.uniform([whole[:2]] * 2, [whole[2:]] * 2), axis=0)
        window = (*xy[0].tolist(), *xy[1].tolist())
        with database.read(SYSTEM) as reader:
            rows, inside = reader.features.near(tiling, window)
            shapes = reader.features.cells(tiling, rows) if len(rows) else np.empty(0, object)
        assert shapely.equals_exact(shapes, triangles[rows], 0).all()
        box = shapely.box(*window)
        assert len(set(rows.tolist())) == len(rows)
        met = set(np.flatnonzero(shapely.intersects(triangles, box)).tolist())
        assert met <= set(rows.tolist())
        assert set(rows[inside].tolist()) <= set(np.flatnonzero(shapely.covers(box, triangles)).tolist())
    with database.read(SYSTEM) as reader:
        assert reader.features.extent(tiling) == tuple(whole.tolist())
        assert len(reader.features.cells(other, np.array([0, 7, 62]))) == 3


def test_boxes_choose_by_outline_and_not_by_box(database: Database) -> None:
    from gridsvc.services.feature_search import Query, Window, search
    from gridsvc.services.feature_tables import Table

    squares = board(5, 5)
    west, south, east, north = shapely.bounds(squares.geometry).T
    pairs = zip(west, south, east, north, strict=True)
    triangles = np.array([shapely.Polygon([(w, s), (e, s), (w, n)]) for w, s, e, n in pairs], object)
    tiling = lay(database, replace(squares, geometry=triangles), {})
    names = squares.names()
    none, every = np.zeros(25, bool), np.ones(25, bool)
    table = Table("cells", {"cell": names}, {"cell": "text"}, None, none, tiling, every, 1.0)
    rng = np.random.default_rng(3)
    side = east.max()
    for _ in range(40):
        (x0, x1), (y0, y1) = np.sort(rng.uniform(0, side, 2)), np.sort(rng.uniform(0, side, 2))
        found = search(database, table, Query((Window((x0, y0, x1, y1)),)))
        assert (
            found.tolist()
            == np.flatnonzero(shapely.intersects(triangles, shapely.box(x0, y0, x1, y1))).tolist()
        )
