"""What changed between two publications: applied to a copy of the earlier, the rows make the later one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from gridsvc.ownership.cells import owner_of_cell
from gridsvc.ownership.changes import COLUMNS, Changes, Side, changed
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.publication import Overlay
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.tiling.places import Places
from tests.ownership.worlds import ROSTER, World, worlds

CODES = "abcd"
SHAPES = [
    shapely.box(0, 0, 1, 0.1),
    shapely.box(0.1, 0.2, 1 / 3, 0.7).difference(shapely.box(0.15, 0.3, 0.2, 0.4)),
    shapely.MultiPolygon([shapely.box(5, 5, 6, 6), shapely.box(7, 5, 8, 1e-15 + 6)]),
]


@dataclass(frozen=True)
class Names:
    """Ids of cells as a tiling has them."""

    ids: tuple[str, ...]
    kind: str = "polygons"

    def __len__(self) -> int:
        return len(self.ids)

    def names(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.array([self.ids[row] if row >= 0 else None for row in rows.tolist()], object)

    def hex_bytes(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        raise NotImplementedError


def side(letters: str, *grids: Grid, tiling: str = "t", first: int = 0, **more: Any) -> Side:
    """``aab.``: two cells of grid a, one of b, one of none; ids count from `first`."""
    given_ = {grid.code: grid for grid in grids}
    codes = sorted({*letters, *given_} - {"."})
    labels = np.array([codes.index(c) if c != "." else -1 for c in letters], np.int16)
    held = tuple(given_.get(c, Grid(c, f"Grid {c}", f"t{c}")) for c in codes)
    ids = tuple(f"c{first + i:03d}" for i in range(len(letters)))
    overlays = more.pop("overlays", ())
    return Side(Holdings("x", "base", labels, held, overlays), Names(ids), tiling, **more)


def rows(found: Changes) -> list[dict[str, str | None]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.rows(0, len(found))]


# --- a copy of a publication, as another program may keep it


def copy_of(held: Side) -> dict[str, dict[str, Any]]:
    codes = [*(g.code for g in held.holdings.grids), None]
    return {
        "cell": {
            cell: codes[label]
            for cell, label in zip(held.places.ids, held.holdings.labels.tolist(), strict=True)
        },  # type: ignore[attr-defined]
        "grid": {g.code: (g.name, g.team, g.carve_out, g.parent) for g in held.holdings.grids},
        "carve_out": {o.code: (o.name, o.team, o.polygon.wkb) for o in held.holdings.overlays},
    }


def apply(copy: dict[str, dict[str, Any]], found: list[dict[str, str | None]]) -> dict[str, dict[str, Any]]:
    """Knows nothing but the rows."""
    for row in found:
        part, name = copy[row["what"] or ""], row["id"]
        if row["after_rule"] is None:
            del part[name]
        elif row["what"] == "cell":
            part[name] = row["after_grid"]
        elif row["what"] == "grid":
            carved = row["after_rule"] == "carve_out"
            part[name] = (row["after_name"], row["after_team"], carved, row["after_parent"])
        else:
            part[name] = (row["after_name"], row["after_team"], shape(json.loads(row["outline"] or "")).wkb)
    return copy


# --- random pairs

grids = st.builds(
    Grid,
    st.none(),
    st.sampled_from(["North", "South", "南"]),
    st.sampled_from([None, "t1", "t2"]),
    st.booleans(),
    st.sampled_from([None, "E", "W"]),
)


@st.composite
def sides(draw: st.DrawFn) -> Side:
    letters = draw(st.text(f"{CODES}.", min_size=0, max_size=12))
    named = {c: replace(draw(grids), code=c) for c in CODES if c in letters or draw(st.booleans())}
    overlays = tuple(
        Overlay(code, draw(st.sampled_from(["Port", "Mill"])), draw(st.sampled_from([None, "t1"])), outline)
        for code, outline in zip("XYZ", draw(st.permutations(SHAPES)), strict=True)
        if draw(st.booleans())
    )
    tiling, first, resolution = draw(
        st.sampled_from([("t", 0, None), ("u", 5, None), ("v", 0, 8), ("w", 3, 8)])
    )
    return side(
        letters, *named.values(), tiling=tiling, first=first, resolution=resolution, overlays=overlays
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Side, Side]:
    one, two = draw(sides()), draw(sides())
    if one.tiling == two.tiling:  # then they have the same cells
        n = min(len(one.places), len(two.places))
        one, two = (
            replace(
                s,
                places=Names(s.places.ids[:n]),  # type: ignore[attr-defined]
                holdings=replace(s.holdings, labels=s.holdings.labels[:n]),
            )
            for s in (one, two)
        )
    return one, two


@settings(max_examples=200)
@given(pairs())
def test_applied_to_a_copy_of_the_earlier_they_make_the_later(pair: tuple[Side, Side]) -> None:
    before, after = pair
    assert apply(copy_of(before), rows(changed(before, after))) == copy_of(after)


def owners(held: Side) -> dict[str, tuple[str | None, str | None]]:
    found = [*((g.code, g.team) for g in held.holdings.grids), (None, None)]
    return {
        cell: found[label]
        for cell, label in zip(held.places.ids, held.holdings.labels.tolist(), strict=True)  # type: ignore[attr-defined]
    }


@settings(max_examples=200)
@given(pairs())
def test_only_cells_which_changed_owner_are_named(pair: tuple[Side, Side]) -> None:
    one, two = owners(pair[0]), owners(pair[1])
    alike = pair[0].tiling == pair[1].tiling or pair[0].resolution == pair[1].resolution == 8
    expected = (
        sorted(cell for cell in {*one, *two} if one.get(cell) != two.get(cell))
        if alike
        else sorted([*one, *two])
    )
    named = [row for row in rows(changed(*pair)) if row["what"] == "cell"]
    assert sorted(str(row["id"]) for row in named) == expected
    for row in named:
        gone, come = row["before_rule"] is None, row["after_rule"] is None
        assert gone or (row["before_grid"], row["before_team"]) == one[str(row["id"])]
        assert come or (row["after_grid"], row["after_team"]) == two[str(row["id"])]


@settings(max_examples=50)
@given(pairs(), st.integers(1, 5))
def test_pages_put_together_are_the_whole(pair: tuple[Side, Side], size: int) -> None:
    found = changed(*pair)
    paged = [row for at in range(0, len(found), size) for row in found.rows(at, at + size)]
    assert paged == list(found.rows(0, len(found)))


# --- single cases


def test_nothing_changed_between_a_publication_and_itself() -> None:
    same = side("aab.", overlays=(Overlay("X", "Port", None, SHAPES[1]),))
    assert len(changed(same, same)) == 0


def test_a_rename_is_one_row_and_names_no_cell() -> None:
    found = rows(changed(side("aab"), side("aab", Grid("a", "New name", "ta"))))
    assert [(r["what"], r["id"], r["before_name"], r["after_name"]) for r in found] == [
        ("grid", "a", "Grid a", "New name")
    ]


def test_another_team_changes_the_owner_of_each_cell_of_a_grid() -> None:
    found = rows(changed(side("aab"), side("aab", Grid("a", "Grid a", "t9"))))
    assert [(r["what"], r["id"], r["before_team"], r["after_team"]) for r in found] == [
        ("grid", "a", "ta", "t9"),
        ("cell", "c000", "ta", "t9"),
        ("cell", "c001", "ta", "t9"),
    ]


def test_a_cell_of_no_grid_falls_back_and_a_missing_one_is_nothing() -> None:
    one, two = side("a.", resolution=8), side("aa", tiling="u", first=1, resolution=8)
    found = [(r["id"], r["before_rule"], r["after_rule"]) for r in rows(changed(one, two))]
    assert found == [("c000", "cell", None), ("c001", "fallback", "cell"), ("c002", None, "cell")]


@pytest.mark.parametrize(
    ("other", "ids"),
    [
        (side("aa", tiling="u"), ["c000", "c001", "c000", "c001"]),
        (side("aa", tiling="u", resolution=9), ["c000", "c001", "c000", "c001"]),
    ],
)
def test_cells_of_tilings_which_share_no_cells_all_go_and_all_come(other: Side, ids: list[str]) -> None:
    found = rows(changed(side("aa", resolution=None if other.resolution is None else 8), other))
    assert [r["id"] for r in found] == ids
    assert [r["before_grid"] for r in found] == ["a", "a", None, None]
    assert [r["after_grid"] for r in found] == [None, None, "a", "a"]


def test_a_carve_out_with_another_outline_is_told_with_it() -> None:
    one, two = (side("a", overlays=(Overlay("X", "Port", None, outline),)) for outline in SHAPES[:2])
    (row,) = rows(changed(one, two))
    assert (row["what"], row["id"]) == ("carve_out", "X")
    assert shape(json.loads(row["outline"] or "")).equals_exact(SHAPES[1], 0.0)


# --- with cells as lookups have them


@pytest.mark.parametrize(
    "world", [w for w in worlds() if w.name in {"city", "pole", "areas"}], ids=lambda w: w.name
)
def test_lookups_of_the_later_publication_say_what_the_changes_made(world: World) -> None:
    published, rng = world.publication, np.random.default_rng(1)
    places = Places.of(published.kind, published.resolution, published.ids, world.geometry, world.boundary)
    labels = np.where(rng.random(len(places)) < 0.2, rng.integers(-1, 5, len(places)), published.labels)
    renamed = tuple(replace(g, name="New", team="t2") if g.code == "02" else g for g in published.grids)
    held = [
        Holdings.of(p) for p in (published, replace(published, labels=labels, grids=renamed, overlays=()))
    ]
    before, after = (Side(h, places, "t", published.resolution) for h in held)

    copy = copy_of(replace(before, places=Names(tuple(places.table()))))
    apply(copy, rows(changed(before, after)))
    moment = Moment(2, 1, 1, datetime(2026, 1, 1, tzinfo=UTC))
    later = Snapshot(held[1], places, "t", ROSTER, moment)
    assert copy["carve_out"] == {}
    for cell, code in copy["cell"].items():
        answer = owner_of_cell(later, cell)
        assert (answer.grid or {}).get("code") == code
        if answer.grid is not None:
            told = (answer.grid["name"], (answer.team or {})["id"], answer.rule == "carve_out")
            assert told == copy["grid"][code][:3]
