"""What must hold between the lists of a roster: every name leads somewhere, every team has a lead."""

from __future__ import annotations

from collections.abc import Container, Iterable

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Department, Named, Roster
from gridsvc.teams.periods import check_periods

__all__ = ["check_roster"]


def check_roster(roster: Roster) -> None:
    """Check ids, references, the chart of departments, periods, shares and leads.

    A lead there must be; whether at each moment, `gridsvc.teams.periods.check_leads` tells of a roster which
    counts from a time on.

    Raises
    ------
    InvalidInput
        Naming list, row, field and cure.
    """
    departments = _ids("departments", [d.id for d in roster.departments])
    people = _ids("people", [p.id for p in roster.people])
    teams = _ids("teams", [t.id for t in roster.teams])
    _known("departments", "parent", [d.parent for d in roster.departments], departments)
    _known("departments", "head", [d.head for d in roster.departments], people)
    _known("departments", "acting_head", [d.acting_head for d in roster.departments], people)
    _known("people", "department", [p.department for p in roster.people], departments)
    _known("members", "team", [m.team for m in roster.members], teams)
    _known("members", "person", [m.person for m in roster.members], people)
    _known("named", "team", [n.team for n in roster.named], teams)
    _named_once(roster.named)
    _no_circle(roster.departments)
    check_periods(roster)
    _leads(roster)
    if roster.fallback is not None and roster.fallback not in teams:
        raise InvalidInput(
            f"no team {roster.fallback!r}", field="fallback", cure="name a team which is in the list of teams"
        )


def _ids(source: str, ids: list[str]) -> dict[str, int]:
    first: dict[str, int] = {}
    for row, name in enumerate(ids, 1):
        if name in first:
            raise InvalidInput(
                f"{name!r} stands in row {first[name]} already",
                source=source,
                row=row,
                field="id",
                cure="keep one of the two rows",
            )
        first[name] = row
    return first


def _known(source: str, field: str, names: Iterable[str | None], known: Container[str]) -> None:
    for row, name in enumerate(names, 1):
        if name is not None and name not in known:
            listed = {"team": "teams", "person": "people", "head": "people", "acting_head": "people"}.get(
                field, "departments"
            )
            raise InvalidInput(
                f"{name!r} is not in the list of {listed}",
                source=source,
                row=row,
                field=field,
                cure="correct the id or add the entry it names",
            )


def _named_once(named: tuple[Named, ...]) -> None:
    first: dict[str, int] = {}
    for row, entry in enumerate(named, 1):
        before = first.setdefault(entry.customer, row)
        if before != row:
            raise InvalidInput(
                f"the customer of row {before} again",  # its id is nobody's business
                source="named",
                row=row,
                field="customer",
                cure="keep one of the two rows",
            )


def _no_circle(departments: tuple[Department, ...]) -> None:
    parent = {d.id: d.parent for d in departments}
    for row, department in enumerate(departments, 1):
        seen = {department.id}
        above = department.parent
        while above is not None and above not in seen:
            seen.add(above)
            above = parent[above]
        if above == department.id:
            raise InvalidInput(
                f"department {department.id!r} stands above itself",
                source="departments",
                row=row,
                field="parent",
                cure="give the topmost department no parent",
            )


def _leads(roster: Roster) -> None:
    for row, team in enumerate(roster.teams, 1):
        if roster.lead(team.id) is None:
            raise InvalidInput(
                f"team {team.id!r} has no lead",
                source="teams",
                row=row,
                field="lead",
                cure="add a member with the role lead, or mark one as acting",
            )
