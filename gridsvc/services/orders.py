"""Who may order what of a member, through whom, at a date: the chart, the teams and the level above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Lang
from gridsvc.plans.levels import parents_of
from gridsvc.principal import Principal
from gridsvc.services import team_rules
from gridsvc.services.asking import moment_of, require_person, roster_at
from gridsvc.services.levels import above
from gridsvc.services.series import published_plan
from gridsvc.store.database import Database, Reader
from gridsvc.teams.masking import nameless
from gridsvc.teams.model import Roster
from gridsvc.teams.orders import Area, Giver, OrderRules, Orders, Rule, Step, Work, who_orders

__all__ = ["orders"]

_WHY: dict[str, dict[Lang, str]] = {
    "area_manager": {
        "en": "Routine work comes to {person} from {givers}, who leads the team of the area above.",
        "zh": "例行工作由片区经理 {givers} 直接安排给 {person}。",
    },
    "department_head": {
        "en": "Anything but routine work goes through {givers}, head of {department}, the home department of"
        " {person} or one above it.",
        "zh": "非例行工作须经 {person} 所属部门（或其上级部门）{department} 负责人 {givers} 安排。",
    },
    "routine_by_head": {
        "en": "By the company's rules routine work, too, goes through {givers}, head of {department}, the"
        " home department of {person} or one above it.",
        "zh": "按公司规则，例行工作也须经 {person} 所属（或其上级）部门 {department} 负责人 {givers} 安排。",
    },
    "own_line": {
        "en": "{person} belongs to the department which leads the teams, so the order comes by its own line,"
        " from {givers}, head of {department}.",
        "zh": "{person} 属于牵头部门，由本条线上的 {department} 负责人 {givers} 安排。",
    },
    "common_head": {
        "en": "The conflict is settled by {givers}, head of {department}, whom both departments share.",
        "zh": "出现冲突时，由双方部门共同的上级 {department} 负责人 {givers} 裁定。",
    },
    "no_team": {
        "en": "{person} is in no team then, so orders come from {givers}, head of {department}.",
        "zh": "{person} 当时不在任何团队，由 {department} 负责人 {givers} 安排。",
    },
    "nobody": {
        "en": "Nobody: no department from that of {person} up to the root has a head who could give the"
        " order; name one in the roster.",
        "zh": "无人可下达：从 {person} 的所属部门直至最高部门均无可用负责人，请在人员版本中补充。",
    },
}

_DETOURS: dict[str, dict[Lang, str]] = {
    "left": {
        "en": "{head}, head of {department}, has left: it goes to the department above.",
        "zh": "{department} 负责人 {head} 已离开，改由上级部门负责。",
    },
    "left_acting": {
        "en": "{head}, head of {department}, has left: {acting} stands in.",
        "zh": "{department} 负责人 {head} 已离开，由 {acting} 代理。",
    },
    "no_head": {
        "en": "{department} has no head: it goes to the department above.",
        "zh": "{department} 未设负责人，改由上级部门负责。",
    },
    "no_head_acting": {
        "en": "{department} has no head: {acting} stands in.",
        "zh": "{department} 未设负责人，由 {acting} 代理。",
    },
}


def orders(
    db: Database,
    who: Principal,
    territory: str,
    person: str,
    work: Work,
    *,
    grid: str | None = None,
    line: str = "base",
    at: str | datetime | None = None,
    lang: Lang = "en",
    rules: OrderRules | None = None,
) -> dict[str, Any]:
    """Who may give a member an order.

    Parameters
    ----------
    grid : str or None
        The grid the work is in; else all grids of the member's teams.
    rules : OrderRules or None
        Else those of the company.

    Raises
    ------
    InvalidInput
        The roster has no such person, or the grid is not of a team the person is in.
    """
    who.require("roster:read")
    with db.read(who) as reader:
        moment = moment_of(reader, territory, at)
        number, roster = roster_at(reader, territory, moment)
        require_person(roster, number, person)
        areas = list(dict.fromkeys(_areas(reader, territory, roster, person, grid, line, moment)))
        known = rules or _company_rules(reader, roster)
    found = who_orders(roster, person, work, areas, known, roster.left_by(moment))
    roster = nameless(roster, who.scopes)
    return {
        "person": {**_named(roster, person), "department": roster.person_by_id[person].department},
        "work": work,
        "grid": grid,
        "at": moment.isoformat(),
        "territory": territory,
        "roster": number,
        "status": "known" if found.givers else "nobody",
        "rule": found.rule,
        "by": [_giver(roster, giver) for giver in found.givers],
        "path": [asdict(step) for step in found.path],
        "why": _why(roster, person, found, work, lang),
    }


def _company_rules(reader: Reader, roster: Roster) -> OrderRules:
    """Whose word counts in this company; it names its leading departments by id or name."""
    rules = team_rules.rules_of(reader)
    leading = [d.id for d in roster.departments if {d.id, d.name} & set(rules.lead_departments)]
    return OrderRules(rules.routine_from, rules.otherwise, leading)


def _areas(
    reader: Reader,
    territory: str,
    roster: Roster,
    person: str,
    grid: str | None,
    line: str,
    at: datetime,
) -> Iterator[Area]:
    """What lies above the grids of the person's teams; the fallback where nothing does."""
    teams, seen = {m.team for m in roster.members if m.person == person}, False
    for owner, series in reader.publications.lines():
        if owner != territory or (grid is not None and series != line):
            continue
        record = reader.publications.in_force(territory, series, at, datetime.now(UTC))
        if record is None:
            continue
        plan = published_plan(reader, territory, series, record.n)
        mine = {i for i, g in enumerate(plan.grids) if g.team in teams and grid in {None, g.code}}
        seen = seen or bool(mine)
        upper = above(reader, territory, series, record.tiling, at) if mine else None
        codes = (
            [None] * len(plan.grids) if upper is None or upper.plan is None else parents_of(plan, upper.plan)
        )
        owners = {} if upper is None or upper.plan is None else {g.code: g.team for g in upper.plan.grids}
        for i in sorted(mine):
            yield Area(codes[i], owners.get(codes[i] or "") or roster.fallback)
    if grid is not None and not seen:
        raise InvalidInput(
            f"grid {grid[:40]!r} is of no team which {person!r} is in then",
            field="grid",
            cure="name a grid of the member's team, or leave it out",
        )
    if teams and not seen:
        yield Area(None, roster.fallback)


def _named(roster: Roster, person: str) -> dict[str, Any]:
    known = roster.person_by_id.get(person)
    return {"id": person, "name": person if known is None else known.name}


def _giver(roster: Roster, giver: Any) -> dict[str, Any]:
    more = {name: getattr(giver, name) for name in ("acting", "team", "area", "department")}
    return {"person": _named(roster, giver.person), "as": giver.role, **more}


def _why(roster: Roster, person: str, found: Orders, work: Work, lang: Lang) -> str:
    rule: Rule | str = found.rule if found.givers else "nobody"
    names = ("、" if lang == "zh" else ", ").join(_called(roster, giver, lang) for giver in found.givers)
    departments = {d.id: d.name for d in roster.departments}
    department = next((departments.get(g.department or "", "") for g in found.givers), "")
    if rule == "department_head" and work == "routine":
        rule = "routine_by_head"
    told = _WHY[rule][lang].format(person=_named(roster, person)["name"], givers=names, department=department)
    detours = [_detour(roster, step, departments[step.department], lang) for step in found.path]
    return (" " if lang == "en" else "").join([told, *(filter(None, detours) if found.givers else ())])


def _called(roster: Roster, giver: Giver, lang: Lang) -> str:
    acting = {"en": " (acting)", "zh": "（代理）"}[lang] if giver.acting else ""
    return f"{_named(roster, giver.person)['name']}{acting}"


def _detour(roster: Roster, step: Step, department: str, lang: Lang) -> str:
    """Why it is not a department's own head who gives the order; nothing where it is, or is the person."""
    if step.skipped not in {"no_head", "left"}:
        return ""
    head, acting = (None if p is None else _named(roster, p)["name"] for p in (step.head, step.acting))
    way = step.skipped if acting is None else f"{step.skipped}_acting"
    return _DETOURS[way][lang].format(department=department, head=head, acting=acting)
