from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

from gridsvc.errors import Conflict, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from gridsvc.teams.model import Roster
from tests.databases import Opener, PostgisServer, copy_postgis, opener
from tests.store.builders import ANNA, DAY, DAY_1, Clock, ground, roster


def test_a_roster_comes_back_as_it_was_given_and_counts_as_a_commit(database: Database) -> None:
    ground(database)
    with database.write(ANNA, "test") as work:
        assert work.rosters.append("elbe", roster(), valid_from=DAY_1, reason="start") == 1
    with database.read(SYSTEM) as view:
        assert view.rosters.get("elbe", 1) == roster()
        assert view.seq() == 1


def test_dates_languages_and_the_share_at_home_come_back(database: Database) -> None:
    ground(database)
    once = replace(roster().members[1], role="vip", valid_until=DAY_1)
    again = replace(once, valid_from=DAY_1 + DAY, valid_until=None)
    person = replace(roster().people[0], languages=("zh", "en"), kpi_share=0.25)
    given = replace(roster(), people=(person, roster().people[1]), members=(roster().members[0], once, again))
    with database.write(ANNA, "test") as work:
        work.rosters.append("elbe", given, valid_from=DAY_1, reason="start")
    with database.read(SYSTEM) as view:
        assert view.rosters.get("elbe", 1) == given
        found = view.rosters.in_force("elbe", DAY_1, DAY_1 + 9000 * DAY)
        assert found == (1, given) and len(given.at(DAY_1).members) == 1


def test_an_empty_roster_is_a_roster(database: Database) -> None:
    ground(database)
    empty = Roster((), (), (), ())
    with database.write(ANNA, "test") as work:
        work.rosters.append("elbe", empty, valid_from=DAY_1, reason="start")
        assert work.rosters.get("elbe", 1) == empty


def test_the_roster_in_force_is_the_last_that_counts_and_was_known(open_database: Opener) -> None:
    """::

    r   valid from   recorded on
    1   day 1        day 1
    2   day 5        day 2
    3   day 3        day 4
    """
    clock = Clock()
    database = open_database(clock=clock)
    ground(database)
    for valid, recorded in ((1, 1), (5, 2), (3, 4)):
        clock.now = DAY_1 + (recorded - 1) * DAY
        with database.write(ANNA, "test") as work:
            named = replace(roster(), fallback=f"valid {valid}")
            work.rosters.append("elbe", named, valid_from=DAY_1 + (valid - 1) * DAY, reason="x")

    def in_force(at: float, known: float) -> int | None:
        with database.read(SYSTEM) as view:
            found = view.rosters.in_force("elbe", DAY_1 + (at - 1) * DAY, DAY_1 + (known - 1) * DAY)
            return found[0] if found else None

    assert in_force(0.9, 9) is None
    assert in_force(9, 0.9) is None
    assert in_force(1, 9) == 1
    assert in_force(3, 3.9) == 1
    assert in_force(3, 4) == 3
    assert in_force(5, 3) == 2
    assert in_force(5, 4) == 3


def test_rosters_are_listed_with_who_and_why(database: Database) -> None:
    ground(database)
    with database.write(ANNA, "test") as work:
        for reason in ("start", "leave"):
            work.rosters.append("elbe", roster(), valid_from=DAY_1, reason=reason)
    with database.read(SYSTEM) as view:
        found = view.rosters.list("elbe")
        assert [(x.r, x.reason, x.recorded_by) for x in found] == [(1, "start", "anna"), (2, "leave", "anna")]
        assert [x.r for x in view.rosters.list("elbe", after=1)] == [2]


def test_a_team_named_twice_is_refused(database: Database) -> None:
    ground(database)
    twice = replace(roster(), teams=roster().teams * 2)
    with pytest.raises(Conflict, match="teams twice"), database.write(ANNA, "test") as work:
        work.rosters.append("elbe", twice, valid_from=DAY_1, reason="x")
    with database.read(SYSTEM) as view, pytest.raises(NotFound):
        view.rosters.get("elbe", 1)


def test_a_customer_named_twice_is_refused_without_its_id(database: Database) -> None:
    ground(database)
    twice = replace(roster(), named=roster().named[:1] * 2)
    with (
        pytest.raises(Conflict, match="named accounts twice") as refused,
        database.write(ANNA, "test") as work,
    ):
        work.rosters.append("elbe", twice, valid_from=DAY_1, reason="x")
    assert "k9" not in str(refused.value)


def test_a_customer_may_be_erased_from_a_name_list(database: Database) -> None:
    ground(database)
    with database.write(ANNA, "test") as work:
        work.rosters.append("elbe", roster(), valid_from=DAY_1, reason="x")
    with database._transaction(writes=True) as connection:
        connection.execute(sa.text("DELETE FROM named_accounts WHERE customer = 'k9'"))
    with database.read(SYSTEM) as view:
        assert [entry.customer for entry in view.rosters.get("elbe", 1).named] == ["k1"]


@pytest.mark.postgis
def test_listeners_are_told_the_count_by_the_commit(postgis_server: PostgisServer) -> None:
    for url in copy_postgis(postgis_server, "migrated"):
        for open_database in opener(url):
            database = open_database()
            ground(database)
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as listener:
                listener.execute("LISTEN gridsvc_seq")
                with database.write(ANNA, "test") as work:
                    work.rosters.append("elbe", roster(), valid_from=DAY_1, reason="x")
                with pytest.raises(NotFound), database.write(ANNA, "test") as work:
                    work.rosters.append("elbe", roster(), valid_from=DAY_1, reason="undone")
                    work.plans.get("none")
                told = list(listener.notifies(timeout=1.0))
            assert [(note.channel, note.payload) for note in told] == [("gridsvc_seq", "1")]


@pytest.mark.parametrize("table", ["rosters", "teams", "members", "departments"])
def test_a_roster_is_never_changed(database: Database, table: str) -> None:
    ground(database)
    with database.write(ANNA, "test") as work:
        work.rosters.append("elbe", roster(), valid_from=DAY_1, reason="x")
    for statement in (f"UPDATE {table} SET territory = territory", f"DELETE FROM {table}"):
        with (
            pytest.raises(Conflict, match="never changed"),
            database._transaction(writes=True) as connection,
        ):
            connection.execute(sa.text(statement))
