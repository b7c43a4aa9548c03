"""At every date each customer stands at one place or none, and has exactly one owner on the base line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.customers.arrivals import Arrival
from gridsvc.principal import SYSTEM
from gridsvc.services import ownership
from gridsvc.services.desk import Asked, Desk
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish

T = datetime(2027, 1, 1, tzinfo=UTC)  # behind the publication, whenever the test runs
DAY = timedelta(days=1)
GRIDS, NAMES = "aabbcc", ("k", "l")


@dataclass(frozen=True)
class Said:
    """A message of the test: who, from which day to which, at which cell."""

    who: str
    start: int
    end: int | None
    cell: int

    def arrival(self, number: int) -> Arrival:
        end = None if self.end is None else T + self.end * DAY
        return Arrival(self.who, T + number * DAY, T + self.start * DAY, end, self.cell, 0, 0.0, 0.0)


@st.composite
def messages(draw: st.DrawFn) -> list[Said]:
    found = []
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, 9))
        length = draw(st.none() | st.integers(0, 5))  # 0: gone from then on
        cell = draw(st.integers(0, len(GRIDS) - 1))
        found.append(
            Said(draw(st.sampled_from(NAMES)), start, None if length is None else start + length, cell)
        )
    return found


def oracle(said: list[Said], who: str, day: float) -> int | None:
    """The cell by the last message whose start has come; None where it is gone, or nothing was told."""
    counting = [m for m in said if m.who == who and m.start <= day]
    last = counting[-1] if counting else None
    return None if last is None or (last.end is not None and day >= last.end) else last.cell


@pytest.fixture
def board(database: Database) -> tuple[Database, str]:
    tiling = ground(database)
    publish(database, draft(database, tiling, GRIDS))
    return database, tiling


def _tell(database: Database, tiling: str, said: list[Said], size: int) -> None:
    with database._transaction(writes=True) as connection:
        for table in ("customer_states", "customer_changes"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    told = [message.arrival(number) for number, message in enumerate(said)]
    for at in range(0, len(told), size):
        with database.write(ANNA, "test") as uow:
            uow.changes.begin()
            uow.changes.append("board", tiling, told[at : at + size])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=messages(), size=st.integers(1, 8))
def test_each_customer_has_one_owner_at_every_date(
    board: tuple[Database, str], said: list[Said], size: int
) -> None:
    database, tiling = board
    _tell(database, tiling, said, size)
    for day in (0, 0.5, 1, 3, 4.5, 5, 7, 9, 14, 20):
        at = T + day * DAY
        with database.read(SYSTEM) as reader:
            standing = reader.changes.standing("board", 0, at)
            found = {name: reader.customers.find("board", name, at) for name in NAMES}
        states = {state.id: state.cell if state.there else None for state in standing}
        assert len(states) == len(standing)  # intervals never overlap
        for name in NAMES:
            cell, record = oracle(said, name, day), found[name]
            assert states.get(name) == cell
            assert (None if record is None else record.cell) == cell
            assert _owners(database, name, at) == ([] if cell is None else [GRIDS[cell]])


def _owners(database: Database, name: str, at: datetime) -> list[Any]:
    asked = Asked("board", as_of=at, on_miss_status=True)
    answer = ownership.customer(Desk(database), ANNA, name, asked=asked)
    assert (answer.team is None) == (answer.status == "unknown_customer")
    return [] if answer.grid is None else [answer.grid["code"]]
