"""A year of joins, leaves and republications: at every date one primary owner a grid, as the tables say."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.services import roster_changes, rosters
from gridsvc.store import Database
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.teams.rules import check_roster
from tests.services.board import ANNA
from tests.services.series import DAY, TEAMS, draft, ground, owner, publish

SIZE = int(os.environ.get("GRIDSVC_PROOF_ROSTERS", "1"))
"""The suite takes a short year; the proof a full one, ten times as busy."""

CELLS = tuple(f"x{x:03d}y000" for x in range(6))
STEPS, DATES = 9 * SIZE, 12 * SIZE
YEAR = 365.0


def moment(base: datetime, days: float) -> str:
    return (base + days * DAY).isoformat()


class Year:
    """Random changes of who is in which team, each as somebody in an office would tell it."""

    def __init__(self, seed: int, base: datetime) -> None:
        self.rng, self.base, self.hired = random.Random(seed), base, 0

    def hire(self) -> dict[str, Any]:
        self.hired += 1
        entry = {"id": f"n{self.hired}", "name": f"New {self.hired}", "department": "m"}
        return {"op": "add", "what": "person", "entry": entry}

    def join(self, team: str, role: str, start: float, **more: Any) -> dict[str, Any]:
        entry = {"team": team, "person": f"n{self.hired}", "role": role, **more}
        return {"op": "add", "what": "member", "entry": {**entry, "valid_from": moment(self.base, start)}}

    def step(self, whole: Roster) -> list[dict[str, Any]]:
        day, team = self.rng.uniform(1, YEAR), self.rng.choice(TEAMS)
        kind = self.rng.choice(["new lead", "new lead", "guest", "stand-in", "leave"])
        if kind == "guest":
            until = moment(self.base, day + self.rng.uniform(1, 90))
            return [self.hire(), self.join(team, "vip", day, valid_until=until, backup=True)]
        if kind == "stand-in":
            until = moment(self.base, day + self.rng.uniform(1, 30))
            return [self.hire(), self.join(team, "member", day, valid_until=until, acting=True)]
        leads = [m for m in whole.members if m.team == team and m.role == "lead" and m.valid_until is None]
        last = leads[0]
        start = max(day, 0.5 + ((last.valid_from or self.base) - self.base) / DAY)
        ended = {"id": last.person, "valid_until": moment(self.base, start)}
        gone = {"op": "end", "what": "person", "entry": ended}
        if kind == "leave":  # nobody follows: this must not go through
            return [gone]
        return [gone, self.hire(), self.join(team, "lead", start)]


def by_the_tables(database: Database, at: datetime) -> list[str]:
    """Who leads the team of each cell, by plain SQL; fails where that is not one."""
    known = datetime.now(UTC)
    with database._engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection, only=["rosters", "members", "publications", "published_grids"])
        c = tables.tables
        times = "valid_from", "recorded_at"
        heads = [
            (r.r, *(_utc(getattr(r, name)) for name in times))
            for r in connection.execute(c["rosters"].select())
        ]
        r = max(number for number, since, told in heads if since <= at and told <= known)
        rows = connection.execute(c["members"].select().where(c["members"].c.r == r)).all()
        series = c["publications"].c
        made = connection.execute(sa.select(series.n, series.effective_at))
        n = max(number for number, since in made if _utc(since) <= at)
        grids = c["published_grids"]
        listed = connection.execute(grids.select().where(grids.c.n == n))
        owners = {grid.code: grid.team for grid in listed}
    there = [
        m
        for m in rows
        if (m.valid_from is None or _utc(m.valid_from) <= at)
        and (m.valid_until is None or at < _utc(m.valid_until))
    ]
    found = {}
    for code, team in owners.items():
        lead = [m.person for m in there if m.team == team and m.role == "lead"]
        acting = [m.person for m in there if m.team == team and m.acting]
        assert len(lead) == 1, f"{team} has {len(lead)} leads at {at}"
        found[code] = (acting or lead)[0]
    return [found[code] for code in sorted(found)]


def _utc(value: Any) -> datetime:
    if isinstance(value, int):  # microseconds, in the embedded database
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


@pytest.mark.parametrize("seed", range(SIZE))
def test_at_every_date_each_grid_has_one_primary_owner_and_lookups_say_so(
    database: Database, seed: int
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    base = datetime.now(UTC)
    year, refused = Year(seed, base), 0
    for number in range(STEPS):
        newest = rosters.newest(database, ANNA, "board")
        whole = rosters.get(database, ANNA, "board", base + 2 * YEAR * DAY)[1]
        # Now, with the dates in the memberships, or scheduled.
        start = None if number % 3 else base + year.rng.uniform(1, YEAR) * DAY
        try:
            roster_changes.change(
                database, ANNA, "board", year.step(whole), base_roster=newest, valid_from=start
            )
        except InvalidInput:
            refused += 1
            assert rosters.newest(database, ANNA, "board") == newest
        if number % 4 == 3:
            letters = "".join(sorted(year.rng.choices(TEAMS, k=6)))
            publish(database, draft(database, tiling, letters), effective_at=base + number * 20 * DAY)
    assert refused < STEPS
    for _ in range(DATES):
        at = base + year.rng.uniform(0.01, YEAR) * DAY
        leads = by_the_tables(database, at)
        answers = [owner(database, cell, as_of=at) for cell in CELLS]
        grids = sorted({answer["grid"]["code"] for answer in answers})
        told = {answer["grid"]["code"]: answer["lead"]["id"] for answer in answers}
        assert [told[code] for code in grids] == leads
        assert all(answer["status"] == "owned" for answer in answers)


SHARES = st.sampled_from([0.0, 0.2, 0.25, 0.5, 0.75, 1.0])
PEOPLE = ("p", "q")
T = datetime(2027, 1, 1, tzinfo=UTC)


@st.composite
def _members(draw: st.DrawFn) -> list[Member]:
    found = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.none() | st.integers(0, 9))
        end = draw(st.none() | st.integers((start or 0) + 1, 12))
        since, until = (None if day is None else T + timedelta(days=day) for day in (start, end))
        ids = draw(st.sampled_from(TEAMS)), draw(st.sampled_from(PEOPLE))
        found.append(Member(*ids, "member", draw(SHARES), draw(SHARES), valid_from=since, valid_until=until))
    return found


@settings(max_examples=200 * SIZE)
@given(_members())
def test_no_roster_is_taken_in_which_shares_exceed_at_any_date(members: list[Member]) -> None:
    roster = Roster(
        (Department("m", "Marketing"),),
        tuple(Person(p, p, "m") for p in (*PEOPLE, "boss")),
        tuple(Team(t, t) for t in TEAMS),
        (*members, *(Member(t, "boss", "lead", 0.1, 0.1) for t in TEAMS)),
    )
    days = [T + timedelta(days=day - 0.5) for day in range(15)]
    sums = [
        sum(getattr(m, share) for m in members if m.person == person and m.counts(day))
        for day in days
        for person in PEOPLE
        for share in ("time_share", "kpi_share")
    ]
    twice = any(
        sum((m.team, m.person) == key and m.counts(day) for m in members) > 1
        for day in days
        for key in {(m.team, m.person) for m in members}
    )
    if max(sums, default=0) > 1 or twice:
        with pytest.raises(InvalidInput, match=r"comes to|already"):
            check_roster(roster)
    else:
        check_roster(roster)
