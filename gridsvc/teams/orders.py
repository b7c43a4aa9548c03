"""Who may order what of a member, and through whom: by kind of work, home department and chart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from gridsvc.teams.model import Department, Roster

__all__ = ["Area", "Giver", "Line", "OrderRules", "Orders", "Rule", "Step", "Work", "answering", "who_orders"]

Work = Literal["routine", "other", "conflict"]
Line = Literal["area_manager", "department_head"]
Rule = Literal["area_manager", "department_head", "own_line", "common_head", "no_team"]
Skipped = Literal["no_head", "self", "left"]


@dataclass(frozen=True, slots=True)
class OrderRules:
    """Whose word counts in a company.

    Attributes
    ----------
    routine_from, otherwise : {"area_manager", "department_head"}
        For routine work, and for anything else.
    lead_departments : collection of str
        Where leads come from; to members of these and of what lies below, orders come by their own line. None
        named: the departments of the teams' leads.
    """

    routine_from: Line = "area_manager"
    otherwise: Line = "department_head"
    lead_departments: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """What lies above a grid of the member's: its code and team; without code the fallback's."""

    code: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Giver:
    """Who may give the order.

    Attributes
    ----------
    team, area : str or None
        Of an area manager.
    department : str or None
        Of a head.
    """

    person: str
    role: Line
    acting: bool = False
    team: str | None = None
    area: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A department on the way up; `skipped` says why its head is not the one, `acting` who stands in."""

    department: str
    head: str | None
    skipped: Skipped | None = None
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """The answer; no giver means that the chart has none up to its root."""

    rule: Rule
    givers: tuple[Giver, ...]
    path: tuple[Step, ...] = ()


def who_orders(
    roster: Roster,
    person: str,
    work: Work,
    areas: Sequence[Area],
    rules: OrderRules | None = None,
    left: Collection[str] = (),
) -> Orders:
    """Who may give a member an order.

    Parameters
    ----------
    roster : Roster
        At the moment asked about; it knows the person.
    areas : sequence of Area
        Above the grids of the member's teams, each once; none for somebody in no team.
    left : collection of str
        People who have left: no order comes from them.
    """
    known = rules or OrderRules()
    if work == "conflict":
        return _conflict(roster, person, areas, left)
    line = known.routine_from if work == "routine" else known.otherwise
    if line == "area_manager":
        if not areas:
            return _by_head(roster, person, left, "no_team")
        return _by_areas(roster, person, areas, left)
    home = roster.person_by_id[person].department
    own = any(d.id in _lead_departments(roster, known) for d in roster.line_of(home))
    return _by_head(roster, person, left, "own_line" if own else "department_head")


def answering(roster: Roster, department: str, left: Collection[str]) -> Giver | None:
    """Who answers for a department: its head, who stands in there, or the next above; None where nobody does.

    Parameters
    ----------
    left : collection of str
        As `who_orders`.
    """
    givers = _up(roster.line_of(department), (), left, "department_head").givers
    return givers[0] if givers else None


def _by_areas(roster: Roster, person: str, areas: Sequence[Area], left: Collection[str]) -> Orders:
    """The leads of the teams above; who is that lead themselves hears from their own line."""
    givers = list[Giver]()
    for area in areas:
        lead = None if area.team is None else roster.lead(area.team)
        if lead is not None and lead.person != person:
            givers.append(Giver(lead.person, "area_manager", lead.acting, area.team, area.code))
    if givers:
        return Orders("area_manager", tuple(givers))
    return _by_head(roster, person, left, "own_line")


def _by_head(roster: Roster, person: str, left: Collection[str], rule: Rule) -> Orders:
    return _up(roster.line_of(roster.person_by_id[person].department), {person}, left, rule)


def _conflict(roster: Roster, person: str, areas: Sequence[Area], left: Collection[str]) -> Orders:
    """The head whom both sides have in common: the member's department and the area manager's."""
    mine = roster.line_of(roster.person_by_id[person].department)
    managers = [giver.person for giver in _by_areas(roster, person, areas, left).givers]
    theirs = [roster.line_of(roster.person_by_id[manager].department) for manager in managers]
    common = [d for d in mine if all(d in line for line in theirs)]
    # Nobody settles a conflict they are part of.
    return _up(common, {person, *managers}, left, "common_head")


def _lead_departments(roster: Roster, rules: OrderRules) -> Collection[str]:
    if rules.lead_departments:
        return rules.lead_departments
    leads = (roster.lead(team.id) for team in roster.teams)
    return {roster.person_by_id[lead.person].department for lead in leads if lead is not None}


def _up(line: Sequence[Department], parties: Collection[str], left: Collection[str], rule: Rule) -> Orders:
    """The first head on the way up, or who stands in for one, who is none of the parties and is there."""
    path = list[Step]()
    for department in line:
        skipped = _skipped(department.head, parties, left)
        acting = department.acting_head if skipped in {"no_head", "left"} else None
        acting = acting if _skipped(acting, parties, left) is None else None
        path.append(Step(department.id, department.head, skipped, acting))
        person = department.head if skipped is None else acting
        if person is not None:
            giver = Giver(person, "department_head", acting is not None, department=department.id)
            return Orders(rule, (giver,), tuple(path))
    return Orders(rule, (), tuple(path))


def _skipped(head: str | None, parties: Collection[str], left: Collection[str]) -> Skipped | None:
    if head is None:
        return "no_head"
    if head in parties:
        return "self"
    return "left" if head in left else None
