"""`gridsvc handover pack`: what who comes next needs of a grid, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import orjson

from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    in_path,
    kept,
    only_territory,
    opened,
    out_path,
    require_places,
    territory_option,
)
from gridsvc.errors import InvalidInput
from gridsvc.exchange.files import replace_whole
from gridsvc.services import packs
from gridsvc.services.desk import Desk

__all__ = ["pack"]

_FORMS = (".xlsx", ".html", ".json")


@click.command()
@click.argument("code")
@click.option("--open-items", type=in_path, metavar="FILE", help="CSV or XLSX with a customer or grid a row.")
@click.option("--contacts", type=in_path, metavar="FILE", help="CSV or XLSX with a customer or grid a row.")
@click.option("--at", metavar="DATE", help="Date of the handover: the team before and from then on.")
@click.option("--handover", "of", metavar="ID", help="The handover the pack is for; instead of --at.")
@click.option("--line", default="base", show_default=True, help="Line of business.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@territory_option
@click.option("-o", "--output", type=out_path, required=True, help="FILE.xlsx, FILE.html or FILE.json.")
@database_option
@as_json
def pack(
    code: str,
    open_items: Path | None,
    contacts: Path | None,
    at: str | None,
    of: str | None,
    line: str,
    lang: Literal["en", "zh"],
    territory: str | None,
    output: Path,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Write what a successor needs of a grid: people, customers by tier, named accounts, neighbours."""
    require_places(output=output)
    if output.suffix.lower() not in _FORMS:
        raise InvalidInput(
            f"{output.name} tells no form of a pack",
            field="--output",
            cure=f"end it with {', '.join(_FORMS)}",
        )
    given = (("open_items", open_items), ("contacts", contacts))
    files = [packs.File(kind, path, path.name) for kind, path in given if path is not None]  # type: ignore[arg-type]
    with opened(database) as db:
        made, zone = packs.pack(
            *(Desk(db, keeper=kept(database)), WHO, territory or only_territory(db), code),
            line=line,
            at=at,
            handover=of,
            files=files,
        )
    content = _written(made, output.suffix.lower(), lang, zone)
    replace_whole(output, lambda draft: _write(draft, content))
    counts = {extra.source: extra.counts() for extra in made.extras}
    own = sum((made.tiers or {}).values())
    told = {"grid": code, "customers": own, "elsewhere": made.elsewhere, "files": counts}
    emit(told, _pack_lines(told, output), json_=json_)


def _pack_lines(told: dict[str, Any], output: Path) -> list[str]:
    lines = [f"{told['customers']:,} customers of grid {told['grid']} in {output.name}"]
    for source, counts in told["files"].items():
        listed = ", ".join(f"{number:,} {verdict.replace('_', ' ')}" for verdict, number in counts.items())
        lines.append(f"  {source}: {listed}")
    return lines


def _written(made: Any, suffix: str, lang: Literal["en", "zh"], zone: Any) -> bytes:
    if suffix == ".json":
        return orjson.dumps(made.document(), option=orjson.OPT_INDENT_2)
    if suffix == ".html":
        from gridsvc.exchange.packs.page import page

        return page(made, lang, zone).encode()
    from gridsvc.exchange.packs.sheets import workbook

    return workbook(made, lang, zone)


def _write(draft: Path, content: bytes) -> None:
    draft.touch(mode=0o600)  # it holds customers
    draft.write_bytes(content)
