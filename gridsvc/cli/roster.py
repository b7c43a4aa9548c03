"""`gridsvc roster`: who works in which team, shown, changed, taken from files and judged."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import orjson

from gridsvc.cli.common import WHO, as_json, database_option, emit, in_path, opened, out_path
from gridsvc.errors import Infeasible, InvalidInput, UnreadableFile

if TYPE_CHECKING:
    from gridsvc.services.team_rules import Judged

__all__ = ["needed_lines", "roster"]

_LISTED = 20

_territory = click.option("--territory", required=True, help="Slug of the territory.")
_at = click.option("--at", metavar="TIME", help="Moment asked about, such as 2026-12-01; now unless given.")
_valid_from = click.option(
    "--valid-from", metavar="TIME", help="From when it counts; the past needs --reason."
)
_reason = click.option("--reason", help="Why; kept with the roster.")


@click.group()
def roster() -> None:
    """Show, change, import, export and check the people behind the teams."""


def _moment(option: str, text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        cure = "write it as 2026-12-01 or 2026-12-01T08:00:00+08:00"
        raise InvalidInput(f"{text[:40]!r} is no time", field=option, cure=cure) from None
    return found.replace(tzinfo=ZoneInfo(zone)) if found.tzinfo is None else found


def _zone(db: Any, territory: str) -> str:
    from gridsvc.services import territories

    return territories.get(db, WHO, territory).time_zone


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise UnreadableFile("cannot be opened", source=path.name, cure="check the name and place") from None


@roster.command()
@_territory
@_at
@database_option
@as_json
def show(territory: str, at: str | None, database: str | None, *, json_: bool) -> None:
    """Say who leads each team and who is in it at a moment."""
    from gridsvc.services import rosters
    from gridsvc.teams.document import roster_to_dict

    with opened(database) as db:
        moment = _moment("--at", at, _zone(db, territory)) or datetime.now().astimezone()
        number, whole = rosters.get(db, WHO, territory, moment)
        newest = rosters.newest(db, WHO, territory)
    found = whole.at(moment)
    lines = [f"roster {number} of {territory}: {len(found.teams)} teams, {len(found.people)} people"]
    for team in found.teams:
        lead = found.lead(team.id)
        others = [m for m in found.members_by_team[team.id] if m is not lead]
        named = ", ".join(f"{m.person} {m.role}{' (backup)' if m.backup else ''}" for m in others)
        acting = " (acting)" if lead is not None and lead.acting else ""
        lines.append(
            f"{team.id} {team.name}: {lead.person if lead else '-'}{acting}; {named or 'nobody else'}"
        )
    document = {"territory": territory, "roster": number, "newest": newest, **roster_to_dict(whole)}
    emit(document, lines, json_=json_)


@roster.command("import")
@click.argument("files", type=in_path, nargs=-1, required=True)
@_territory
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option("--end-missing", is_flag=True, help="Take out who is not in the files.")
@click.option("--confirm-missing", type=click.IntRange(0), help="How many people are missing, if over 5 %.")
@_valid_from
@_reason
@database_option
@as_json
def import_(
    files: tuple[Path, ...],
    territory: str,
    valid_from: str | None,
    reason: str | None,
    confirm_missing: int | None,
    database: str | None,
    *,
    dry_run: bool,
    end_missing: bool,
    json_: bool,
) -> None:
    """Lay a workbook, a ZIP, CSV files or a folder of them over the roster: all of it, or nothing."""
    from gridsvc.services.roster_files import Importing, import_files
    from gridsvc.teams.sheets import list_of

    paths = [
        found
        for path in files
        for found in (sorted(p for p in path.glob("*.csv") if list_of(p.stem)) if path.is_dir() else [path])
    ]
    with opened(database) as db:
        since = _moment("--valid-from", valid_from, _zone(db, territory))
        how = Importing(dry_run, end_missing, confirm_missing, since, None, reason)
        found = import_files(db, WHO, territory, {path.name: _bytes(path) for path in paths}, how)
    counts = found.counts()
    lines = [", ".join(f"{number} {verdict}" for verdict, number in counts.items())]
    refused = found.merged.refused[:_LISTED]
    lines += [f"{v.source}, row {v.row}, {v.field}: {v.reason}; {v.cure}" for v in refused]
    for name, ids in found.merged.missing.items():
        if ids:
            more = ", ..." if len(ids) > _LISTED else ""
            lines.append(f"not in the file, {name} ({len(ids)}): {', '.join(ids[:_LISTED])}{more}")
    state = "dry run, nothing stored" if dry_run else "nothing changed"
    lines.append(state if found.roster is None else f"roster {found.roster}")
    document = {
        "roster": found.roster,
        "rows": counts,
        "refused": [v.row for v in found.merged.refused],
        "missing": found.merged.missing,
    }
    emit(document, lines, json_=json_)


@roster.command()
@_territory
@_at
@click.option("-o", "--output", type=out_path, required=True, help="A .xlsx, or a .zip of CSV files.")
@database_option
@as_json
def export(territory: str, at: str | None, output: Path, database: str | None, *, json_: bool) -> None:
    """Write the roster as a file whose import changes nothing."""
    from gridsvc.exchange.files import replace_whole
    from gridsvc.services import roster_files

    if output.suffix not in {".xlsx", ".zip"}:
        raise InvalidInput(f"cannot write {output.name}", field="--output", cure="name a .xlsx or .zip")
    with opened(database) as db:
        moment = _moment("--at", at, _zone(db, territory))
        kind: roster_files.FileKind = "xlsx" if output.suffix == ".xlsx" else "csv"
        number, content = roster_files.export(db, WHO, territory, kind, at=moment)

    def write(draft: Path) -> None:
        draft.write_bytes(content)

    replace_whole(output, write)
    emit({"roster": number, "file": output.name}, [f"roster {number} in {output.name}"], json_=json_)


@roster.command()
@click.argument("operations", type=in_path)
@_territory
@click.option("--base-roster", type=click.IntRange(0), help="The newest roster as it was seen.")
@_valid_from
@_reason
@database_option
@as_json
def change(
    operations: Path,
    territory: str,
    base_roster: int | None,
    valid_from: str | None,
    reason: str | None,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Do the operations of a JSON file (as of POST .../roster/changes): all of them, or none."""
    from gridsvc.services import roster_changes

    try:
        steps = orjson.loads(_bytes(operations))
    except orjson.JSONDecodeError:
        steps = None
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise InvalidInput(
            "not a list of operations", source=operations.name, cure="write a JSON list of objects"
        )
    with opened(database) as db:
        since = _moment("--valid-from", valid_from, _zone(db, territory))
        made = roster_changes.change(
            db, WHO, territory, steps, base_roster=base_roster, valid_from=since, reason=reason
        )
    emit({"rosters": made, "newest": made[-1]}, [f"roster {made[-1]}"], json_=json_)


def needed_lines(found: Judged) -> list[str]:
    """Where a role is required, and of which conditions nothing is known."""
    lines = []
    for need in found.needed:
        where = "" if need.fact is None else f" ({need.fact})"
        known = f"needed in {need.grids:,} grids{where}"
        unknown = f"needed nowhere, for nothing is known of {need.fact}; import it, or change the team rules"
        lines.append(f"  {need.role}: {known if need.known else unknown}")
    return lines


@roster.command()
@_territory
@_at
@database_option
@as_json
def check(territory: str, at: str | None, database: str | None, *, json_: bool) -> None:
    """Say where the roster breaks the company's rules; exit 3 where one forbids publishing."""
    from gridsvc.services import team_rules

    with opened(database) as db:
        moment = _moment("--at", at, _zone(db, territory))
        found = team_rules.violations(db, WHO, territory, at=moment)
    lines = [f"{v.severity}: {v.sentence[0]}; {v.cure[0]}" for v in found.violations]
    lines = [*(lines or ["every rule is kept"]), *needed_lines(found)]
    needed = [asdict(need) for need in found.needed]
    told = {"roster": found.roster, "violations": [v.as_dict() for v in found.violations], "needed": needed}
    emit(told, lines, json_=json_)
    blocking = sum(v.severity == "block" for v in found.violations)
    if blocking:
        raise Infeasible(f"{blocking} breaks forbid publishing", cure="change the roster, or the rules")
