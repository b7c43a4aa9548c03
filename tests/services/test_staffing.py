"""The gate of the company's rules for teams: breaks which block close it, others are listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gridsvc.errors import GateClosed
from gridsvc.services import gates, rosters, team_rules
from gridsvc.store import Database
from gridsvc.teams.company import team_rules_from_dict
from gridsvc.teams.model import Member, Person, Team
from tests.services.board import ANNA
from tests.services.series import TEAMS, draft, ground, people, publish, soon


def test_a_rule_which_blocks_closes_the_gate_on_the_day_the_plan_takes_effect(database: Database) -> None:
    plan = draft(database, ground(database), "aabbcc")
    staffing = next(gate for gate in gates.gates_of(database, ANNA, plan) if gate.name == "staffing")
    assert (staffing.passed, staffing.blocking, staffing.total) == (False, False, 3)
    assert {entry["rule"] for entry in staffing.offenders} == {"backup"}
    team_rules.put(database, ANNA, team_rules_from_dict({"severities": {"backup": "block"}}))
    with pytest.raises(GateClosed, match="rules for teams: 3"):
        publish(database, plan)
    due = soon(9)
    pairs = tuple(Member(t, "deputy", "member", 0.1, 0.1, backup=True, valid_from=due) for t in TEAMS)
    staff = (*people().people, Person("deputy", "Deputy", "m"))
    rosters.put(database, ANNA, "board", replace(people(), people=staff, members=(*people().members, *pairs)))
    with pytest.raises(GateClosed, match="rules for teams: 3"):
        publish(database, plan, effective_at=due - timedelta(seconds=1))
    assert publish(database, plan, effective_at=due).n == 1


def test_a_team_which_comes_with_a_scheduled_roster_may_own_from_that_day_on(database: Database) -> None:
    plan, due = draft(database, ground(database), "aabbzz"), soon(9)
    new = (*people().teams, Team("z", "Team Z")), (*people().members, Member("z", "p-h", "lead", 0.0, 0.0))
    rosters.put(database, ANNA, "board", replace(people(), teams=new[0], members=new[1]), valid_from=due)
    with pytest.raises(GateClosed):
        publish(database, plan)
    assert publish(database, plan, effective_at=due).n == 1
