"""Rosters from CSV files: a folder of four lists and a name list, or one list of teams with their leads."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from gridsvc.errors import InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.teams.document import roster_from_dict, roster_to_dict
from gridsvc.teams.model import Roster

__all__ = ["read_roster", "read_teams", "roster_from_dict", "roster_to_dict"]

_CAPACITY = "capacity_"
_TRUE, _FALSE = {"true", "1", "yes", "是"}, {"false", "0", "no", "否", ""}
_LISTS = ("departments", "people", "teams", "members", "named")

Row = Mapping[str, str]


def read_roster(folder: Path) -> Roster:
    """Read departments.csv, people.csv, teams.csv and members.csv, and named.csv where there is one.

    Columns are the attributes of `gridsvc.teams.model`; skills and languages are separated by semicolons,
    times carry their offset, a team's capacities stand in columns ``capacity_<measure>`` (empty is
    unlimited), and ``fallback`` is true for the one team which owns what no grid team does.

    Raises
    ------
    UnreadableFile
        A file is missing or not a CSV text.
    UnknownColumn
        A column which is needed is not there.
    InvalidInput
        As `roster_from_dict`, with the file as source.
    """
    departments = _rows(folder / "departments.csv", ("id", "name"))
    people = _rows(folder / "people.csv", ("id", "name", "department"))
    teams = _rows(folder / "teams.csv", ("id", "name"))
    members = _rows(folder / "members.csv", ("team", "person", "role"))
    named = folder / "named.csv"
    document = {
        "departments": departments,
        "people": _converted("people.csv", people, _person),
        "teams": _converted("teams.csv", teams, _team),
        "members": _converted("members.csv", members, _member),
        "fallback": _fallback("teams.csv", teams),
        "named": _rows(named, ("customer", "team", "reason")) if named.exists() else [],
    }
    return _checked(document, {name: f"{name}.csv" for name in _LISTS})


def read_teams(path: Path) -> Roster:
    """Read one CSV of teams: id, name, lead_name; lead_id, lon, lat, level, fallback, capacity_* if known.

    Each lead becomes a person of one department, "Marketing"; without a lead_id the name is the id, and the
    same id in two rows is one person who leads two teams, with an equal share of the time for each.

    Raises
    ------
    UnreadableFile, UnknownColumn, InvalidInput
        As `read_roster`.
    """
    source = path.name
    rows = _rows(path, ("id", "name", "lead_name"))
    leads = [_lead(source, number, row) for number, row in enumerate(rows, 1)]
    people: dict[str, str] = {}
    led = Counter(person for person, _ in leads)
    for number, (person, name) in enumerate(leads, 1):
        if people.setdefault(person, name) != name:
            raise InvalidInput(
                f"{person!r} is the id of two people",
                source=source,
                row=number,
                field="lead_id",
                cure="give each person an id of their own",
            )
    document = {
        "departments": [{"id": "marketing", "name": "Marketing"}],
        "people": [{"id": i, "name": name, "department": "marketing"} for i, name in people.items()],
        "teams": _converted(source, rows, _team),
        "members": [
            {"team": row["id"], "person": person, "role": "lead", **_even(led[person])}
            for row, (person, _) in zip(rows, leads, strict=True)
        ],
        "fallback": _fallback(source, rows),
    }
    return _checked(document, dict.fromkeys(_LISTS, source))


def _checked(document: Mapping[str, Any], files: Mapping[str, str]) -> Roster:
    try:
        return roster_from_dict(document)
    except InvalidInput as error:
        # The document's lists came from files: name those, so that the reader knows where to look.
        error.source = files.get(error.source or "teams", error.source)
        if error.field is not None:
            error.field = error.field.replace("capacity.", _CAPACITY)
        raise


def _rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    reader = csv.DictReader(StringIO(_text(path)), strict=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        rows = list(reader)
    except csv.Error:
        raise UnreadableFile("not a CSV text", source=path.name, cure="save it as CSV") from None
    for name in needed:
        if name not in columns:
            found = ", ".join(columns) or "none"
            raise UnknownColumn(
                f"no such column (found: {found})",
                source=path.name,
                field=name,
                cure="add the column",
            )
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise InvalidInput(
                f"not {len(columns)} values", source=path.name, row=number, cure="give one value a column"
            )
    return [{name: value.strip() for name, value in row.items()} for row in rows]


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError:
        raise UnreadableFile("cannot be opened", source=path.name, cure="check the name and place") from None
    for encoding in ("utf-8-sig", "gb18030"):  # what spreadsheets write
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile("neither UTF-8 nor GB 18030 text", source=path.name, cure="save it as UTF-8")


def _converted(
    source: str, rows: list[dict[str, str]], convert: Callable[[str, int, Row], dict[str, Any]]
) -> list[dict[str, Any]]:
    return [convert(source, number, row) for number, row in enumerate(rows, 1)]


def _even(teams: int) -> dict[str, float]:
    return {"time_share": 1 / teams, "kpi_share": 1 / teams}


def _person(source: str, number: int, row: Row) -> dict[str, Any]:
    lists = {name: _listed(row.get(name, "")) for name in ("skills", "languages")}
    return {**row, **lists, **_numbers(source, number, row, ("lon", "lat", "capacity", "kpi_share"))}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _team(source: str, number: int, row: Row) -> dict[str, Any]:
    measures = [name for name in row if name.startswith(_CAPACITY)]
    capacity = _numbers(source, number, row, tuple(measures))
    return {
        **row,
        **_numbers(source, number, row, ("lon", "lat")),
        "capacity": {name.removeprefix(_CAPACITY): value for name, value in capacity.items()},
    }


def _member(source: str, number: int, row: Row) -> dict[str, Any]:
    flags = {name: _flag(source, number, row, name) for name in ("acting", "backup")}
    return {**row, **_numbers(source, number, row, ("time_share", "kpi_share")), **flags}


def _lead(source: str, number: int, row: Row) -> tuple[str, str]:
    name = row["lead_name"]
    if not name:
        raise InvalidInput(
            f"team {row['id']!r} has no lead",
            source=source,
            row=number,
            field="lead_name",
            cure="name a lead",
        )
    return row.get("lead_id") or name, name


def _fallback(source: str, rows: list[dict[str, str]]) -> str | None:
    found = [(n, row["id"]) for n, row in enumerate(rows, 1) if _flag(source, n, row, "fallback")]
    if len(found) > 1:
        raise InvalidInput(
            f"a second fallback team after {found[0][1]!r}",
            source=source,
            row=found[1][0],
            field="fallback",
            cure="mark one team only",
        )
    return found[0][1] if found else None


def _numbers(source: str, number: int, row: Row, columns: tuple[str, ...]) -> dict[str, float | None]:
    return {column: _number(source, number, row, column) for column in columns}


def _number(source: str, number: int, row: Row, column: str) -> float | None:
    text = row.get(column, "")
    try:
        return float(text) if text else None
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not a number", source=source, row=number, field=column, cure="give a number"
        ) from None


def _flag(source: str, number: int, row: Row, column: str) -> bool:
    text = row.get(column, "").lower()
    if text not in _TRUE | _FALSE:
        raise InvalidInput(
            f"{text!r} is neither true nor false",
            source=source,
            row=number,
            field=column,
            cure="write true or false",
        )
    return text in _TRUE
