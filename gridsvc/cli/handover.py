"""`gridsvc handover`: a leaver or a grid handed over, and the pack for who comes next."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    opened,
    out_path,
    published_folder,
    require_places,
)
from gridsvc.errors import GridsvcError, InvalidInput
from gridsvc.exchange.files import replace_whole
from gridsvc.services import grid_handovers, handovers, packs, territories
from gridsvc.services.desk import Desk
from gridsvc.services.grid_handovers import MovedGrid
from gridsvc.services.handovers import Heir, Leaver, State
from gridsvc.store.database import Database
from gridsvc.store.handovers import HandoverRecord

__all__ = ["handover"]

_SUCCESSOR = re.compile(
    r"(?:(?P<team>[^=@]+)=)?(?P<person>[^=@]+)(?:@(?P<start>[^=@]+))?(?:@acting=(?P<acting>[^=@]+))?"
)
_FORMS = (".xlsx", ".html", ".json")

territory_option = click.option("--territory", metavar="ID", help="Needed where there are several.")
reason_option = click.option("--reason", required=True, help="Why; kept with the handover.")
at_option = click.option(
    "--at", metavar="DATE", help="From when on, such as 2026-12-01 or 2026-12-01T08:00:00+08:00; else now."
)
dry_option = click.option("--dry-run", is_flag=True, help="Show what it would come to, and write nothing.")


@click.group()
def handover() -> None:
    """Hand over what a leaver has, or a grid; nothing is nobody's at any moment."""


@handover.command()
@click.argument("person")
@click.option(
    "--successor",
    multiple=True,
    metavar="[TEAM=]PERSON[@FROM][@acting=PERSON]",
    help="Who takes over, in one team or all, from when on, and who leads until then; repeat for several.",
)
@at_option
@reason_option
@territory_option
@dry_option
@database_option
@as_json
def leaver(
    person: str,
    successor: tuple[str, ...],
    at: str | None,
    reason: str,
    territory: str | None,
    dry_run: bool,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """End a leaver's places in all teams and give them to successors, in one roster."""
    heirs = tuple(_heir(text, row) for row, text in enumerate(successor, 1))
    with opened(database) as db:
        chosen = _territory(db, territory)
        record = handovers.leave(db, WHO, chosen, Leaver(person, heirs, reason, at), dry_run=dry_run)
        _say(db, record, None, json_=json_)


@handover.command()
@click.argument("code")
@click.option("--to", "team", required=True, metavar="TEAM", help="The team which gets it.")
@click.option("--line", default="base", show_default=True, help="Line of business.")
@click.option("--publish", is_flag=True, help="Publish the draft; else it waits for somebody who does.")
@at_option
@reason_option
@territory_option
@dry_option
@database_option
@as_json
def grid(
    code: str,
    team: str,
    line: str,
    publish: bool,
    at: str | None,
    reason: str,
    territory: str | None,
    dry_run: bool,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Give a grid or carve-out to another team: writes the draft of what is in force with that team."""
    with opened(database) as db:
        wanted = MovedGrid(code, team, reason, at, line)
        folder = published_folder(database) if publish else None
        record, refused = grid_handovers.move_grid(
            db, WHO, _territory(db, territory), wanted, dry_run=dry_run, and_publish=publish, folder=folder
        )
        _say(db, record, refused, json_=json_)


@handover.command("list")
@territory_option
@database_option
@as_json
def list_(territory: str | None, database: str | None, *, json_: bool) -> None:
    """Say what was handed over, the oldest first."""
    with opened(database) as db:
        found, after = list[tuple[HandoverRecord, State]](), None
        chosen = _territory(db, territory)
        while part := handovers.listing(db, WHO, chosen, after):
            found += part
            after = part[-1][0].id
    lines = [_line(record, state) for record, state in found]
    document = {"handovers": [_document(record, state) for record, state in found]}
    emit(document, lines or ["nothing was handed over"], json_=json_)


@handover.command()
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
            *(Desk(db, keeper=kept(database)), WHO, _territory(db, territory), code),
            line=line,
            at=at,
            handover=of,
            files=files,
        )
    content = _written(made, output.suffix.lower(), lang, zone)
    replace_whole(output, lambda draft: _write(draft, content))
    counts = {extra.source: extra.counts() for extra in made.extras}
    told = {"grid": code, "customers": sum(made.tiers.values()), "elsewhere": made.elsewhere, "files": counts}
    emit(told, _pack_lines(told, output), json_=json_)


# --- reading and telling


def _heir(text: str, row: int) -> Heir:
    found = _SUCCESSOR.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"{text[:60]!r} names no successor",
            row=row,
            field="--successor",
            cure="write it as PERSON, TEAM=PERSON or TEAM=PERSON@2026-12-01@acting=PERSON",
        )
    return Heir(found["person"], found["team"], None, found["start"], found["acting"])


def _territory(db: Database, named: str | None) -> str:
    if named is not None:
        return named
    there = [record.id for record in territories.listing(db, WHO, None, 20)]
    if len(there) == 1:
        return there[0]
    cure = f"name one of {', '.join(there)}" if there else "load a territory first"
    raise InvalidInput("which territory is not said", field="--territory", cure=cure)


def _document(record: HandoverRecord, state: State) -> dict[str, Any]:
    names = ("territory", "kind", "person", "line", "grid", "reason", "roster", "plan", "told")
    told = {name: getattr(record, name) for name in names}
    return {"id": record.id or None, "state": state, "effective_at": record.effective_at.isoformat(), **told}


def _line(record: HandoverRecord, state: State) -> str:
    what = f"{record.person} leaves" if record.kind == "leaver" else _moved(record)
    return (
        f"{record.id or '(not written)'}  {state}  {record.effective_at.isoformat()}  {what}: {record.reason}"
    )


def _moved(record: HandoverRecord) -> str:
    return f"grid {record.grid} from {record.told['team_before'] or '-'} to {record.told['team_after']}"


def _say(db: Database, record: HandoverRecord, refused: GridsvcError | None, *, json_: bool) -> None:
    state: State = "shown"
    if record.id:
        record, state = handovers.get(db, WHO, record.territory, record.id)
    document = _document(record, state)
    if refused is not None:
        document["refused"] = refused.as_dict()
    lines = [_line(record, state), *_effect(record.told), _proved(record.told["proof"]["after"])]
    if record.plan is not None and state == "draft":
        why = f"not published: {refused}" if refused is not None else "waits for its publication"
        lines.append(f"draft {record.plan} {why}")
    emit(document, lines, json_=json_)


def _effect(told: dict[str, Any]) -> Sequence[str]:
    lines = []
    for given in told["passed"]:
        acting = f", {given['acting']} leads until then" if given["acting"] else ""
        heir = f"{given['to']} from {given['start']}{acting}" if given["to"] else "nobody"
        lines.append(f"  {given['role']} of team {given['team']}: {given['person']} > {heir}")
    lines += [f"  still heads department {department}: name another" for department in told.get("heads", ())]
    return lines


def _proved(proof: dict[str, Any]) -> str:
    return (
        f"  {len(proof['moments'])} moments and {proof['checked']:,} owners looked at, "
        f"{len(proof['orphans'])} without a lead"
    )


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
