"""Where a roster breaks the company's rules: which, who, how much, in words, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridsvc.teams.company import Rule, Severity, TeamRules
from gridsvc.teams.model import Department, Member, Roster
from gridsvc.teams.orders import Giver, answering

__all__ = ["Violation", "check"]

_ROUNDING = 1e-9

Text = tuple[str, str]
"""English and Chinese."""

_ROLES: Mapping[str, Text] = {
    "lead": ("lead", "网格长"),
    "enterprise": ("enterprise service", "大客户服务"),
    "vip": ("VIP service", "VIP服务"),
    "maintenance": ("network maintenance", "运维"),
    "member": ("member", "成员"),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One break of a rule.

    Attributes
    ----------
    rule : str
        As in `gridsvc.teams.company.Rule`.
    severity : {"block", "warn"}
    team, person, grid : str or None
        Whom it is about.
    value : float or None
        A share (1 is 100 %), or how many there are.
    sentence, cure : (str, str)
        English and Chinese.
    """

    rule: Rule
    severity: Severity
    sentence: Text
    cure: Text
    team: str | None = None
    person: str | None = None
    grid: str | None = None
    value: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "team": self.team,
            "person": self.person,
            "grid": self.grid,
            "value": self.value,
            "sentence": {"en": self.sentence[0], "zh": self.sentence[1]},
            "cure": {"en": self.cure[0], "zh": self.cure[1]},
        }


def check(
    roster: Roster,
    rules: TeamRules,
    grids: Mapping[str, str | None],
    facts: Mapping[str, Mapping[str, float]],
    at: datetime,
) -> list[Violation]:
    """All breaks at a moment, the rules one after another.

    Parameters
    ----------
    grids : mapping of grid code to team id or None
    facts : mapping of grid code to mapping of name to number
        What the conditions of required roles look at (`Where.fact`); what is not there is 0.
    """
    judge = _Judge(roster.at(at), rules, grids, facts)
    found = (
        *judge.leads(),
        *judge.heads(at),
        *judge.roles(),
        *judge.time(),
        *judge.assessment(),
        *judge.primary(),
        *judge.backup(),
    )
    return [violation for violation in found if violation.severity != "off"]


def _headless(department: Department, giver: Giver | None, lent: int, *, gone: bool) -> Text:
    """That a department has no head, and who answers for its people in teams."""
    people = "member" if lent == 1 else f"{lent} members"
    what = (
        (
            f"{department.head}, head of {department.id}, has left",
            f"{department.id} 负责人 {department.head} 已离开",
        )
        if gone
        else (
            f"neither {department.id} nor what is above it has a head",
            f"{department.id} 及其上级部门均无负责人",
        )
    )
    then = (
        ("nobody gives", "无人向")
        if giver is None
        else (
            f"{giver.person}, head of {giver.department}, gives",
            f"由 {giver.department} 负责人 {giver.person} 向",
        )
    )
    return (
        f"{what[0]}: {then[0]} its {people} of teams what is not routine",
        f"{what[1]},{then[1]}其 {lent} 名团队成员安排非例行工作",
    )


class _Judge:
    def __init__(
        self,
        roster: Roster,
        rules: TeamRules,
        grids: Mapping[str, str | None],
        facts: Mapping[str, Mapping[str, float]],
    ) -> None:
        self.roster, self.rules, self.grids, self.facts = roster, rules, grids, facts
        self.by_person: dict[str, list[Member]] = {}
        for member in roster.members:
            self.by_person.setdefault(member.person, []).append(member)

    def _broken(self, rule: Rule, sentence: Text, cure: Text, **about: Any) -> Violation:
        return Violation(rule, self.rules.severities.get(rule, "warn"), sentence, cure, **about)

    def _members(self, team: str | None) -> tuple[Member, ...]:
        return self.roster.members_by_team.get(team or "", ())

    def _home(self) -> set[str]:
        """The departments from which leads come, with all below them."""
        wanted = set(self.rules.lead_departments)
        home = {d.id for d in self.roster.departments if wanted & {d.id, d.name}}
        grown = True
        while grown:
            below = {d.id for d in self.roster.departments if d.parent in home} - home
            home |= below
            grown = bool(below)
        return home

    def leads(self) -> Iterator[Violation]:
        home, named = self._home(), ", ".join(self.rules.lead_departments)
        if not home and self.rules.lead_departments:
            yield self._broken(
                "lead_department",
                (f"there is no department {named}", f"没有部门 {named}"),
                ("name the departments of leads in the team rules", "请在团队规则中指定网格长所属部门"),
            )
        for team in self.roster.teams if home else ():
            lead = self.roster.lead(team.id)
            person = None if lead is None else self.roster.person_by_id.get(lead.person)
            if person is not None and person.department not in home:
                yield self._broken(
                    "lead_department",
                    (
                        f"{person.id} leads team {team.id} and is of {person.department}, not of {named}",
                        f"团队 {team.id} 的负责人 {person.id} 属于 {person.department},不属于 {named}",
                    ),
                    (f"give the team a lead from {named}", f"请从 {named} 指定负责人"),
                    team=team.id,
                    person=person.id,
                )

    def heads(self, at: datetime) -> Iterator[Violation]:
        left = self.roster.left_by(at)
        lent = Counter(self.roster.person_by_id[name].department for name in self.by_person)
        for department in self.roster.departments if lent else ():
            giver, gone = answering(self.roster, department.id, left), department.head in left
            stale = gone and (giver is None or giver.department != department.id)
            if not lent[department.id] or (giver is not None and not stale):
                continue
            yield self._broken(
                "department_head",
                _headless(department, giver, lent[department.id], gone=gone),
                (
                    f"name a head of {department.id}, or who stands in (acting_head)",
                    f"请为 {department.id} 指定负责人或代理负责人",
                ),
                person=department.head,
                value=float(lent[department.id]),
            )

    def roles(self) -> Iterator[Violation]:
        for wanted in self.rules.required_roles:
            en, zh = _ROLES[wanted.role]
            for grid, team in self.grids.items():
                where = wanted.where
                amount = None if where is None else self.facts.get(grid, {}).get(where.fact, 0.0)
                if where is not None and (amount or 0.0) < where.least:
                    continue
                if team is None or any(m.role == wanted.role for m in self._members(team)):
                    continue
                because = "" if where is None else f" and has {where.fact} {amount:g}"
                yield self._broken(
                    "required_roles",
                    (
                        f"grid {grid}{because}, and team {team} has nobody for {en}".replace(
                            " and has", " has"
                        ),
                        f"网格 {grid} 的团队 {team} 缺少{zh}"
                        + ("" if where is None else f"({where.fact}: {amount:g})"),
                    ),
                    (f"add a member with the role {wanted.role}", f"请增加角色为{zh}的成员"),
                    team=team,
                    grid=grid,
                    value=amount,
                )

    def time(self) -> Iterator[Violation]:
        for person, members in sorted(self.by_person.items()):
            total = sum(m.time_share for m in members)
            if total > 1 + _ROUNDING:
                yield self._broken(
                    "time_shares",
                    (
                        f"{person} is given to {len(members)} teams for {100 * total:g} % of the time",
                        f"{person} 在 {len(members)} 个团队的时间占比合计 {100 * total:g} %",
                    ),
                    ("lower a share until they come to at most 100 %", "请降低占比,合计不超过 100 %"),
                    person=person,
                    value=total,
                )

    def assessment(self) -> Iterator[Violation]:
        for person, members in sorted(self.by_person.items()):
            known = self.roster.person_by_id.get(person)
            home = None if known is None else known.kpi_share
            total = sum(m.kpi_share for m in members) + (home or 0.0)
            if total > 1 + _ROUNDING or (home is not None and total < 1 - _ROUNDING):
                yield self._broken(
                    "kpi_shares",
                    (
                        f"the assessment of {person} comes to {100 * total:g} %"
                        + ("" if home is None else f", {100 * home:g} % of it by the department"),
                        f"{person} 的考核占比合计 {100 * total:g} %"
                        + ("" if home is None else f",其中部门 {100 * home:g} %"),
                    ),
                    (
                        "let the shares of department and teams come to 100 %, or leave the department's out",
                        "请使部门与团队的考核占比合计 100 %,或不填部门占比",
                    ),
                    person=person,
                    value=total,
                )

    def primary(self) -> Iterator[Violation]:
        for grid, team in self.grids.items():
            leads = [m for m in self._members(team) if m.role == "lead"]
            acting = [m for m in self._members(team) if m.acting]
            who = len(acting) or len(leads)
            if who == 1 and len(leads) <= 1:
                continue
            number = max(who, len(leads))
            yield self._broken(
                "primary",
                (
                    f"grid {grid} (team {team or '-'}) has {number or 'no'} "
                    + ("leads at once" if number else "lead"),
                    f"网格 {grid}(团队 {team or '-'})"
                    + (f"同时有 {number} 名负责人" if number else "没有负责人"),
                ),
                ("let one person lead the team", "请为团队指定一名负责人"),
                team=team,
                grid=grid,
                value=float(number),
            )

    def backup(self) -> Iterator[Violation]:
        for grid, team in self.grids.items():
            lead = None if team is None else self.roster.lead(team)
            if any(m.backup and m is not lead for m in self._members(team)):
                continue
            yield self._broken(
                "backup",
                (
                    f"grid {grid} (team {team or '-'}) has no backup",
                    f"网格 {grid}(团队 {team or '-'})没有后备人员",
                ),
                ("mark another member of the team as backup", "请将团队另一名成员标为后备"),
                team=team,
                grid=grid,
                value=0.0,
            )
