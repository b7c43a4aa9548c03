"""The options of `gridsvc balance`, and the request they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from gridsvc.balance.score import parse_score
from gridsvc.balance.targets import parse_amount, parse_limit, parse_measure_tolerance, parse_share
from gridsvc.cli.common import in_path
from gridsvc.errors import InvalidInput
from gridsvc.plans.old import read_old
from gridsvc.services.request import Former, SolveRequest
from gridsvc.tiling.barriers import read_barriers
from gridsvc.tiling.table import read_table
from gridsvc.tiling.tiling import Tiling

__all__ = ["request_of", "wish_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_DEFAULT_DISRUPTION = "10%"

_OPTIONS = (
    click.option(
        "--grids",
        required=True,
        metavar="K|auto",
        help="Number of grids; auto takes it from --from, --targets, --capacity or --nest-in.",
    ),
    click.option(
        "--measure",
        multiple=True,
        required=True,
        metavar="NAME[:TOL]",
        help="What to balance, and how closely: customers:5%. Default 10%. Repeatable.",
    ),
    click.option("--score", multiple=True, metavar="NAME=W*COL+...", help="A measure made of columns."),
    click.option("--weight", multiple=True, metavar="NAME=W", help="How much a measure counts. Default 1."),
    click.option(
        "--limit", multiple=True, metavar="NAME=LO..HI", help="Hard least and most a grid, for the tolerance."
    ),
    click.option("--capacity", multiple=True, metavar="NAME=N", help="Most a grid's team can carry."),
    click.option("--targets", type=in_path, metavar="T.csv", help="Uneven targets, one row a grid."),
    click.option("--seeds", type=in_path, metavar="S.csv", help="Points grids are built round."),
    click.option(
        "--seed-pull",
        type=click.FloatRange(0),
        default=1.0,
        show_default=True,
        metavar="X",
        help="How much a grid's centre is drawn to its seed; 1 weighs like the shape.",
    ),
    click.option("--locks", type=in_path, metavar="L.csv", help="Cells that must stay, or lie together."),
    click.option("--barriers", type=in_path, help="Lines no grid crosses; points are crossings."),
    click.option("--nest-in", metavar="COLUMN", help="Column whose areas no grid crosses."),
    click.option(
        "--carve-out",
        type=in_path,
        metavar="FILE|large",
        help="CSV of cells (column cell) owned apart, or the word large.",
    ),
    click.option(
        "--islands",
        type=click.Choice(["keep", "attach"]),
        default="keep",
        show_default=True,
        help="Parts without connection: grids of their own, or linked to the nearest part.",
    ),
    click.option("--from", "former", type=in_path, metavar="OLD.csv", help="Realign this plan (cell,grid)."),
    click.option(
        "--max-disruption",
        metavar="SHARE",
        help=f"Most of the first measure that may move, with --from.  [default: {_DEFAULT_DISRUPTION}]",
    ),
    click.option("--move-cost", metavar="COLUMN", help="How much dearer each cell's move is, with --from."),
    click.option(
        "--objective",
        type=click.Choice(["balanced", "inertia", "cut"]),
        default="balanced",
        show_default=True,
        help="Good shape: round grids, short ways to customers, or few neighbours cut apart.",
    ),
    click.option(
        "--compactness",
        type=click.FloatRange(0, 100),
        default=50.0,
        show_default=True,
        help="0: balance only; 100: shape first.",
    ),
    click.option(
        "--sweeps", type=click.IntRange(1), metavar="N", help="Budget, whatever the machine; else it suits."
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(0, min_open=True),
        metavar="S",
        help="Stop after so many seconds; the plan then depends on the machine.",
    ),
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True),
)


def wish_options(command: _Command) -> _Command:
    """Add the options that say what a plan should be like."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def request_of(named: dict[str, Any], tiling: Tiling) -> SolveRequest:
    """The request of the options as click gives them.

    Raises
    ------
    InvalidInput
        Naming the option, or file and row, and the cure.
    """
    return SolveRequest(
        grids=_grids(named["grids"]),
        measures=tuple(parse_measure_tolerance(text) for text in named["measure"]),
        nest_in=named["nest_in"],
        carve_out=_carve_out(named["carve_out"]),
        islands=named["islands"],
        barriers=_barriers(named["barriers"], tiling),
        seed=named["seed"],
        objective=named["objective"],
        compactness=named["compactness"],
        sweeps=named["sweeps"],
        time_limit=named["time_limit"],
        limits={name: (low, high) for name, low, high in map(parse_limit, named["limit"])},
        importance=dict(parse_amount(text, "weight") for text in named["weight"]),
        capacity=dict(parse_amount(text, "capacity") for text in named["capacity"]),
        scores=tuple(parse_score(text) for text in named["score"]),
        seed_pull=named["seed_pull"],
        former=_former(named, tiling),
        **{
            name: read_table(named[name]) for name in ("seeds", "locks", "targets") if named[name] is not None
        },
    )


def _grids(text: str) -> int | None:
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not a number of grids", field="--grids", cure="give 1 or more, or auto"
        ) from None


def _carve_out(given: Path | None) -> Literal["large"] | tuple[str, ...]:
    if given is None:
        return ()
    if str(given) == "large":
        return "large"
    table = read_table(given)
    table.require("cell")
    return tuple(table.text("cell"))


def _barriers(given: Path | None, tiling: Tiling) -> Any:
    if given is None:
        return None
    if tiling.kind == "polygons" and tiling.origin == (0.0, 0.0) and "x" in tiling.columns:
        raise InvalidInput(
            "cells in metres have no place on the earth to draw barriers through",
            field="--barriers",
            cure="give lon and lat, or leave the parted pairs out of EDGES.csv",
        )
    return read_barriers(given)


def _former(named: dict[str, Any], tiling: Tiling) -> Former | None:
    if named["former"] is None:
        for option in ("max_disruption", "move_cost"):
            if named[option] is not None:
                name = f"--{option.replace('_', '-')}"
                raise InvalidInput(f"{name} needs an old plan", field=name, cure="give --from OLD.csv")
        return None
    share = parse_share(named["max_disruption"] or _DEFAULT_DISRUPTION, "max-disruption")
    return Former(read_old(named["former"], tiling), min(share, 1.0), named["move_cost"])
