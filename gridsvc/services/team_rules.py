"""The company's rules for its teams, and where a territory's roster breaks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.gates import Gate
from gridsvc.plans.plan import Plan
from gridsvc.plans.summary import grid_totals
from gridsvc.principal import Principal
from gridsvc.services.documents import Document
from gridsvc.services.series import published_plan
from gridsvc.store.database import Database, Reader
from gridsvc.teams.company import TeamRules, Where, team_rules_from_dict
from gridsvc.teams.model import Roster
from gridsvc.teams.violations import Violation, check

__all__ = ["Judged", "Needed", "get", "put", "rules_of", "staffing_gate", "violations"]

_RULES = Document("team-rules", "roster:read", TeamRules, team_rules_from_dict)
_LISTED = 1000

Facts = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Needed:
    """Where a role is required.

    Attributes
    ----------
    role : str
    fact : str or None
        What decides it; None: each grid needs the role.
    grids : int
        How many need it.
    known : bool
        Whether anything is known of the fact; else no grid needs the role, whatever is true.
    """

    role: str
    fact: str | None
    grids: int
    known: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The number of the roster which was judged, its breaks, and where the required roles are required."""

    roster: int | None
    violations: list[Violation]
    needed: list[Needed]


def rules_of(reader: Reader) -> TeamRules:
    """The rules in force."""
    return _RULES.of(reader)


def get(db: Database, who: Principal) -> tuple[int, TeamRules]:
    """The revision of the rules, 0 for those by default, and the rules."""
    return _RULES.get(db, who)


def put(db: Database, who: Principal, rules: TeamRules) -> int:
    """Replace the rules, and give their revision."""
    return _RULES.put(db, who, rules)


def violations(
    db: Database, who: Principal, territory: str, *, at: datetime | None = None, line: str = "base"
) -> Judged:
    """Where the roster which counts at a moment, now if None, breaks the rules for what is published.

    Raises
    ------
    NotFound
        There is no such territory.
    """
    who.require("roster:read")
    moment, known = at or datetime.now(UTC), datetime.now(UTC)
    with db.read(who) as reader:
        reader.territories.get(territory)
        found = reader.rosters.in_force(territory, moment, known)
        if found is None:
            return Judged(None, [], [])
        rules = rules_of(reader)
        record = reader.publications.in_force(territory, line, moment, known)
        if record is None:
            return Judged(found[0], check(found[1], rules, {}, {}, moment), [])
        plan = published_plan(reader, territory, line, record.n)
        measures = {n: m.values for n, m in reader.tilings.measures(record.tiling).items()}
        facts = _facts(reader, territory, record.tiling, plan, rules, measures)
    broken = check(found[1], rules, _owners(plan, found[1]), facts, moment)
    return Judged(found[0], broken, _needed(rules, facts))


def _needed(rules: TeamRules, facts: Facts) -> list[Needed]:
    found = []
    for wanted in rules.required_roles:
        where = wanted.where
        if where is None:
            found.append(Needed(wanted.role, None, len(facts), known=True))
            continue
        amounts = [grid[where.fact] for grid in facts.values() if where.fact in grid]
        needing = sum(amount >= where.least for amount in amounts)
        found.append(Needed(wanted.role, where.fact, needing, known=bool(amounts)))
    return found


def staffing_gate(
    reader: Reader,
    territory: str,
    tiling: str,
    plan: Plan,
    measures: Mapping[str, NDArray[np.float64]],
    start: datetime | None = None,
) -> Gate | None:
    """How the teams of a plan stand to the rules when it takes effect; None where there is no roster."""
    now = datetime.now(UTC)
    moment = start or now
    found = reader.rosters.in_force(territory, moment, now)
    if found is None:
        return None
    rules = rules_of(reader)
    facts = _facts(reader, territory, tiling, plan, rules, measures)
    # A grid without a team, or with one nobody leads, is what the gate `team` tells.
    grids = {code: team for code, team in _owners(plan, found[1]).items() if team in found[1].team_by_id}
    broken = check(found[1], rules, grids, facts, moment)
    if not broken:
        kept = "every team keeps the company's rules"
        return Gate("staffing", True, True, message=kept, message_zh="每个团队都符合公司规则")
    blocking = any(violation.severity == "block" for violation in broken)
    return Gate(
        "staffing",
        False,
        blocking,
        [violation.as_dict() for violation in broken[:_LISTED]],
        len(broken),
        f"breaks of the company's rules for teams: {len(broken)}",
        "change the roster, or the rules; each says how",
        message_zh=f"不符合公司团队规则之处：{len(broken)} 处",
        cure_zh="修改人员名册或规则；各条均有说明",
    )


def _owners(plan: Plan, roster: Roster) -> dict[str, str | None]:
    return {grid.code: grid.team or (roster.fallback if grid.carve_out else None) for grid in plan.grids}


def _facts(
    reader: Reader,
    territory: str,
    tiling: str,
    plan: Plan,
    rules: TeamRules,
    measures: Mapping[str, NDArray[np.float64]],
) -> Facts:
    """The numbers of each grid which the conditions look at; of what nothing is known there is none."""
    asked = [role.where for role in rules.required_roles if role.where is not None]
    wanted = {where.measure for where in asked}
    columns = {name: values for name, values in measures.items() if name in wanted}
    counted = [where for where in asked if where.column is not None]
    if counted:
        columns |= _counts(reader, territory, tiling, len(plan.labels), counted)
    totals = grid_totals(plan, columns)
    return {
        grid.code: {name: float(total[g]) for name, total in totals.items()}
        for g, grid in enumerate(plan.grids)
    }


def _counts(
    reader: Reader, territory: str, tiling: str, cells: int, counted: list[Where]
) -> dict[str, NDArray[np.float64]]:
    """Customers of each cell with a value in a column, as they are now; none of a column which nobody has."""
    live, found = reader.customers.live_import(territory, tiling), dict[str, NDArray[np.float64]]()
    if live is None:
        return found
    for where in counted:
        rows, places, texts = reader.customers.tally(live, where.column or "", datetime.now(UTC))
        if not any(texts):
            continue  # the column was not in the file, or not kept when it came
        place = texts.index(where.value) if where.value in texts else -1
        meant = rows[(places == place) & (rows >= 0)]
        found[where.fact] = np.bincount(meant, minlength=cells).astype(np.float64)
    return found
