"""`gridsvc orders`, `check` and `dispute`: who may order what, who acts outside, and which team is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import click

from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    kept,
    only_territory,
    opened,
    territory_option,
)
from gridsvc.errors import InvalidInput
from gridsvc.services import conduct, disputes
from gridsvc.services import orders as orders_
from gridsvc.services.conduct import Place
from gridsvc.services.desk import Desk

__all__ = ["check", "dispute", "orders"]

Lang = Literal["en", "zh"]

_options = (
    click.option("--at", metavar="DATE", help="The date asked about, such as 2026-12-01; now unless given."),
    click.option("--line", default="base", show_default=True, help="Line of business."),
    click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True),
    territory_option,
    database_option,
    as_json,
)
_place = (
    click.option("--customer", metavar="ID", help="The customer it is about."),
    click.option("--lat", type=float, help="Else the place, with --lon."),
    click.option("--lon", type=float),
    click.option(
        "--crs", default="wgs84", show_default=True, help="wgs84, gcj02, bd09 or EPSG:n of the place."
    ),
)


def _with(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command()
@click.argument("person")
@click.option(
    "--work",
    type=click.Choice(["routine", "other", "conflict"]),
    default="routine",
    show_default=True,
    help="Routine work of the grid, anything else, or a conflict of the two.",
)
@click.option("--grid", metavar="CODE", help="The grid the work is in; else all grids of the person's teams.")
@_with(*_options)
def orders(
    person: str,
    work: Literal["routine", "other", "conflict"],
    grid: str | None,
    at: str | None,
    line: str,
    lang: Lang,
    territory: str | None,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Say who may give PERSON an order, and through whom."""
    with opened(database) as db:
        chosen = territory or only_territory(db)
        told = orders_.orders(db, WHO, chosen, person, work, grid=grid, line=line, at=at, lang=lang)
    lines = [told["why"]]
    for giver in told["by"]:
        where = giver["department"] or giver["area"] or giver["team"]
        acting = ", acting" if giver["acting"] else ""
        lines.append(
            f"  {giver['person']['id']} {giver['person']['name']} ({giver['as']} of {where}{acting})"
        )
    lines += [
        f"  passed over: {step['head'] or 'no head'} of {step['department']} ({step['skipped']})"
        for step in told["path"]
        if step["skipped"]
    ]
    emit(told, lines, json_=json_)


@click.command()
@click.argument("person")
@_with(*_place, *_options)
def check(person: str, *, json_: bool, **asked: Any) -> None:
    """Say whether PERSON acts outside their grid with a customer, or in a place."""
    with _asking(asked) as (desk, territory, place, more):
        told = conduct.check(desk, WHO, territory, person, place, **more)
    emit(told, [f"{told['verdict']}: {told['why']}", f"  {told['owner']['why']}"], json_=json_)


@click.command()
@click.argument("team", nargs=-1, required=True)
@_with(*_place, *_options)
def dispute(team: tuple[str, ...], *, json_: bool, **asked: Any) -> None:
    """Say which TEAM of those which claim a customer or place is right, and who had it when by which rule."""
    with _asking(asked) as (desk, territory, place, more):
        told = disputes.dispute(desk, WHO, territory, place, team, **more)
    lines = [claim["why"] for claim in told["claims"]]
    lines += [f"  {_held(held)}" for held in told["history"]]
    if told["left_off"]:
        lines.append(f"  {told['left_off']} earlier dates are left off")
    emit(told, lines, json_=json_)


@contextmanager
def _asking(asked: dict[str, Any]) -> Iterator[tuple[Desk, str, Place, dict[str, Any]]]:
    """What `check` and `dispute` ask: where, in which territory, about which place, and all else."""
    customer, lat, lon = (asked[name] for name in ("customer", "lat", "lon"))
    if (customer is None) == (lat is None or lon is None):
        cure = "give --customer, or --lat and --lon"
        raise InvalidInput("neither one customer nor one place", field="--customer", cure=cure)
    with opened(asked["database"]) as db:
        desk, chosen = Desk(db, keeper=kept(asked["database"])), asked["territory"] or only_territory(db)
        more = {name: asked[name] for name in ("line", "at", "lang")}
        yield desk, chosen, Place(customer, lon, lat, asked["crs"]), more


def _held(held: dict[str, Any]) -> str:
    owner = held["status"] if held["team"] is None else held["team"]["name"]
    by = "" if held["rule"] is None else f" by {held['rule']}"
    reason = f": {held['reason']}" if held["reason"] else ""
    return (
        f"{held['from'][:16]} to {(held['to'] or 'now and on')[:16]}  {owner}{by}, "
        f"publication {held['publication']}, roster {held['roster']}{reason}"
    )
