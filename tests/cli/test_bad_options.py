"""Each wrong option of `gridsvc balance`: one line that names option or row, and the cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CELLS = """cell,x,y,n,kwh,city,text,neg,nan,code,half
a,0,0,1,2,west,x,1,1,01,p
b,1,0,1,2,west,x,1,nan,02,q
c,2,0,1,2,east,x,-1,1,10,p
d,3,0,1,2,east,x,1,1,11,p
"""
EDGES = "a,b\na,b\nb,c\nc,d\n"
OLD = "cell,grid\na,P\nb,P\nc,Q\nd,Q\n"

Case = tuple[tuple[object, ...], str, tuple[str, ...]]


def _seeds(text: str, *said: str, more: tuple[object, ...] = ()) -> Case:
    return (("--seeds", "given.csv", *more), text, ("given.csv", *said))


def _locks(text: str, *said: str, more: tuple[object, ...] = ()) -> Case:
    return (("--locks", "given.csv", *more), text, said)


def _targets(text: str, *said: str, more: tuple[object, ...] = ()) -> Case:
    return (("--targets", "given.csv", *more), text, ("given.csv", *said))


def _from(text: str, *said: str, more: tuple[object, ...] = ()) -> Case:
    return (("--from", "given.csv", *more), text, said)


NEST = ("--nest-in", "city")
WITH_OLD = ("--from", "old.csv")

CASES: dict[str, Case] = {
    "score without form": (("--score", "p"), "", ("score", "0.6*kwh")),
    "score of no column": (("--score", "p=2*gas"), "", ("score", "'gas'", "kwh")),
    "score of a taken name": (("--score", "kwh=n"), "", ("score", "'kwh'", "another name")),
    "score of negatives": (("--score", "p=neg"), "", ("score", "-1", "cell 3")),
    "weight without form": (("--weight", "n"), "", ("weight", "customers=2")),
    "weight of none": (("--weight", "gas=2"), "", ("weight", "'gas'", "n")),
    "limit without form": (("--limit", "n=5"), "", ("limit", "800..1200")),
    "limit reversed": (("--limit", "n=5..1"), "", ("limit", "exchange")),
    "limit of none": (("--limit", "gas=..5"), "", ("limit", "'gas'")),
    "capacity of 0": (("--capacity", "n=0"), "", ("capacity", "above 0")),
    "measure twice": (("--measure", "n:5%"), "", ("measure", "'n'", "once")),
    "measure of text": (("--measure", "text"), "", ("cell a", "'x'", "text")),
    "measure with negatives": (("--measure", "neg"), "", ("cell c", "-1", "neg")),
    "measure with no number": (("--measure", "nan"), "", ("nan", "cell b", "no number")),
    "measure of codes": (("--measure", "code"), "", ("code", "zeros in front")),
    "limit above the whole": (("--limit", "n=9.."), "", ("limit", "at least 9", "territory has 4")),
    "districts in pieces": (
        ("--nest-in", "half"), "", ("2 districts need 3", "district p in 2 parts", "at least 3 grids"),
    ),
    "locks with another's between": _locks(
        "cell,grid\na,P\nb,Q\nc,P\n", "grid P", "cell a; cell c", "grid(s) Q", "unlock"
    ),
    "nesting in no column": (("--nest-in", "county"), "", ("county", "city")),
    "barriers through metres": (("--barriers", "given.csv"), "", ("--barriers", "lon and lat")),
    "carve-out of no cell": (("--carve-out", "given.csv"), "cell\na\nz\n", ("row 2", "'z'")),
    "carve-out without column": (("--carve-out", "given.csv"), "id\na\n", ("given.csv", "cell")),
    "no such file": (("--seeds", "nowhere.csv"), "", ("nowhere.csv", "name")),
    "seed in no cell": _seeds("cell\na\nz\n", "row 2, cell", "'z'"),
    "seed of another kind": _seeds("cell,kind\na,maybe\n", "row 1, kind", "candidate"),
    "seed with a radius of words": _seeds("cell,radius\na,far\n", "row 1, radius", "'far'"),
    "seed with a negative radius": _seeds("cell,radius\na,-5\n", "row 1, radius", "-5"),
    "seeds without place": _seeds("name\nx\n", "cell"),
    "seed by point, cells without outline": _seeds("lon,lat\n1,1\n", "row 1", "name the cell"),
    "two required seeds in one cell": _seeds("cell\na\nb\na\n", "row 3", "rows 1 and 3", "cell a"),
    "two seeds for one grid": _seeds("cell,grid\na,P\nb,P\n", "row 2, grid", "'P'", "row 1"),
    "too many required seeds": (
        ("--seeds", "given.csv"), "cell\na\nb\nc\n", ("3 seeds", "2 grids", "candidates"),
    ),
    "seed of no old grid": _seeds("cell,grid\na,R\n", "row 1, grid", "'R'", "P, Q", more=WITH_OLD),
    "two seeds in one old grid": _seeds("cell\na\nb\n", "row 2, grid", "'P'", "name its grid", more=WITH_OLD),
    "seed in a carved cell": _seeds("cell\na\n", "row 1", "carved", more=("--carve-out", "apart.csv")),
    "lock on no cell": _locks("cell,grid\na,P\nz,P\n", "row 2, cell", "'z'"),
    "lock without grid or plan": _locks("cell\na\n", "row 1, grid", "old plan"),
    "lock until someday": _locks("cell,grid,until\na,P,soon\n", "row 1, until", "2026-12-31"),
    "locks against each other": _locks("cell,grid\na,P\nb,P\na,Q\n", "row 3, grid", "'P' in row 1"),
    "lock to no old grid": _locks("cell,grid\na,R\n", "row 1, grid", "'R'", "P, Q", more=WITH_OLD),
    "locks against nesting": _locks("cell,grid\na,P\nd,P\n", "row 2", "row 1", "district", more=NEST),
    "lock on a carved cell": _locks("cell,grid\na,P\n", "row 1", "carved", more=("--carve-out", "apart.csv")),
    "lock on another grid's seed": (
        ("--locks", "given.csv", "--seeds", "seeds.csv"), "cell,grid\nb,Q\n",
        ("seeds.csv, row 2, cell", "locked to another"),
    ),
    "locks of too many grids": (
        ("--locks", "given.csv"), "cell,grid\na,P\nb,Q\nc,R\n", ("3 grids", "only 2", "at least 3"),
    ),
    "targets of no measure": _targets("grid,gas\nP,1\nQ,3\n", "gas", "n_max"),
    "targets without number": _targets("grid,n\nP,1\nQ,\n", "row 2, n"),
    "targets below zero": _targets("n\n-1\n5\n", "row 1, n", "-1"),
    "targets reversed": _targets("n,n_min,n_max\n2,3,1\n2,,\n", "row 1, n_min", "3", "1"),
    "targets of one grid twice": _targets("grid,n\nP,1\nP,3\n", "row 2, grid", "row 1"),
    "targets with a name missing": _targets("grid,n\nP,1\n,3\n", "row 2, grid", "every row"),
    "too few targets": (("--targets", "given.csv"), "n\n4\n", ("2 grids", "1 rows", "auto")),
    "targets of other grids": _targets("grid,n\nP,1\nR,3\n", "grid", "P, Q", more=WITH_OLD),
    "targets without the old grids' names": _targets("n\n1\n3\n", "grid", "P, Q", more=WITH_OLD),
    "seed without name beside targets": (
        ("--seeds", "seed.csv", "--targets", "given.csv"), "n\n1\n3\n",
        ("seed.csv, row 1, grid", "name its grid"),
    ),
    "old plan of other cells": _from("cell,grid\nx,P\ny,Q\n", "given.csv", "same cells"),
    "old plan with a cell twice": _from("cell,grid\na,P\nb,P\na,Q\n", "given.csv, row 3, cell", "row 1"),
    "old plan without columns": _from("id,grid\na,P\n", "given.csv", "cell"),
    "another number than the old plan's": _from(OLD.replace("d,Q", "d,R"), "2 grids", "has 3", "auto"),
    "disruption of words": _from(OLD, "max-disruption", "5%", more=("--max-disruption", "some")),
    "disruption of 10": _from(OLD, "max-disruption", "10%", more=("--max-disruption", "10")),
    "disruption without plan": (("--max-disruption", "5%"), "", ("--max-disruption", "--from")),
    "move cost without plan": (("--move-cost", "kwh"), "", ("--move-cost", "--from")),
    "move cost of no column": _from(OLD, "move-cost", "'gas'", "kwh", more=("--move-cost", "gas")),
    "negative move cost": _from(OLD, "move-cost", "'neg'", "0 or more", more=("--move-cost", "neg")),
    "unknown objective": (("--objective", "round"), "", ("--objective", "inertia")),
    "compactness of 101": (("--compactness", "101"), "", ("--compactness", "100")),
    "no sweeps": (("--sweeps", "0"), "", ("--sweeps", "1")),
    "no time": (("--time-limit", "0"), "", ("--time-limit",)),
}  # fmt: skip


@pytest.mark.parametrize(("options", "text", "said"), CASES.values(), ids=CASES.keys())
def test_refused(
    refused: Any, tmp_path: Path, options: tuple[object, ...], text: str, said: tuple[str, ...]
) -> None:
    files = {
        "cells.csv": CELLS, "edges.csv": EDGES, "old.csv": OLD, "given.csv": text, "apart.csv": "cell\na\n",
        "seeds.csv": "cell,grid\na,Q\nb,P\n", "seed.csv": "cell\na\n",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    line = refused(
        "balance", "cells.csv", "--adjacency", "edges.csv", "--grids", 2, "--measure", "n", *options,
        "-o", "g.csv",
    )  # fmt: skip
    for words in said:
        assert words in line, line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), ("grids", "--capacity")),
        (("--capacity", "gas=5"), ("capacity", "'gas'")),
    ],
)
def test_auto_needs_something_to_go_by(
    refused: Any, tmp_path: Path, options: tuple[object, ...], said: tuple[str, ...]
) -> None:
    (tmp_path / "cells.csv").write_text(CELLS)
    (tmp_path / "edges.csv").write_text(EDGES)
    line = refused(
        "balance", "cells.csv", "--adjacency", "edges.csv", "--grids", "auto", "--measure", "n", *options,
        "-o", "g.csv",
    )  # fmt: skip
    for words in said:
        assert words in line, line
