"""`gridsvc handover`: a leaver or a grid handed over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click

from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    only_territory,
    opened,
    published_folder,
    territory_option,
)
from gridsvc.cli.packs import pack
from gridsvc.errors import GridsvcError, InvalidInput
from gridsvc.services import grid_handovers, handovers
from gridsvc.services.grid_handovers import MovedGrid
from gridsvc.services.handovers import Heir, Leaver, State
from gridsvc.store.database import Database
from gridsvc.store.handovers import HandoverRecord

__all__ = ["handover"]

_SUCCESSOR = re.compile(
    r"(?:(?P<team>[^=@]+)=)?(?P<person>[^=@]+)(?:@(?P<start>[^=@]+))?(?:@acting=(?P<acting>[^=@]+))?"
)

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
@click.option(
    "--head",
    multiple=True,
    metavar="DEPARTMENT=PERSON",
    help="Who stands in for the head of a department which the leaver heads; repeat for several.",
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
    head: tuple[str, ...],
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
    heads = tuple(_stand_in(text, row) for row, text in enumerate(head, 1))
    with opened(database) as db:
        chosen = territory or only_territory(db)
        wanted = Leaver(person, heirs, reason, at, heads=heads)
        record = handovers.leave(db, WHO, chosen, wanted, dry_run=dry_run)
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
            db,
            WHO,
            territory or only_territory(db),
            wanted,
            dry_run=dry_run,
            and_publish=publish,
            folder=folder,
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
        chosen = territory or only_territory(db)
        while part := handovers.listing(db, WHO, chosen, after):
            found += part
            after = part[-1][0].id
    lines = [_line(record, state) for record, state in found]
    document = {"handovers": [_document(record, state) for record, state in found]}
    emit(document, lines or ["nothing was handed over"], json_=json_)


handover.add_command(pack)


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


def _stand_in(text: str, row: int) -> tuple[str, str]:
    department, _, person = text.partition("=")
    if not department or not person:
        raise InvalidInput(
            f"{text[:60]!r} names no stand-in", row=row, field="--head", cure="write it as DEPARTMENT=PERSON"
        )
    return department, person


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
    return [*lines, *(_answers(entry) for entry in told.get("answering", ()))]


def _answers(entry: dict[str, Any]) -> str:
    who = entry["person"] or "nobody"
    how = (
        f"{who} stands in"
        if entry["acting"]
        else f"{who} answers" + (f", head of {entry['of']}" if entry["of"] else "")
    )
    return f"  department {entry['department']} loses its head: {how} from then on"


def _proved(proof: dict[str, Any]) -> str:
    return (
        f"  {len(proof['moments'])} moments and {proof['checked']:,} owners looked at, "
        f"{len(proof['orphans'])} without a lead"
    )
