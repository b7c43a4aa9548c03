from __future__ import annotations

from dataclasses import replace

import pytest

from gridsvc.errors import Conflict, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from tests.databases import Opener
from tests.store.builders import ANNA, DAY, DAY_1, Clock, territory


def test_a_territory_comes_back_as_it_was_given(open_database: Opener) -> None:
    database = open_database(clock=Clock())
    given = territory(parent=None, valid_to=DAY_1 + DAY, customers_word="用户", simulated=True)
    with database.write(ANNA, "test") as work:
        work.territories.create(given)
    with database.read(SYSTEM) as view:
        assert view.territories.get("elbe") == replace(given, recorded_at=DAY_1)


def test_an_id_is_given_once(database: Database) -> None:
    with database.write(ANNA, "test") as work:
        work.territories.create(territory())
    with pytest.raises(Conflict, match="already a territory 'elbe'"), database.write(ANNA, "test") as work:
        work.territories.create(territory())


def test_an_unknown_territory_names_its_cure(database: Database) -> None:
    with database.read(SYSTEM) as view, pytest.raises(NotFound) as missing:
        view.territories.get("rhine")
    assert missing.value.cure


def test_territories_come_in_pages_by_id(database: Database) -> None:
    with database.write(ANNA, "test") as work:
        for slug in ("c", "a", "b"):
            work.territories.create(territory(slug))
    with database.read(SYSTEM) as view:
        assert [t.id for t in view.territories.list(None, 2)] == ["a", "b"]
        assert [t.id for t in view.territories.list("b", 2)] == ["c"]
