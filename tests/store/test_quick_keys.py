"""Who shows a key, by the drivers alone: the same as by the store, which takes longer to load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.identity import BEGINS, Known, digest_of
from gridsvc.principal import LOCAL, ROLES, SCOPES, Principal
from gridsvc.services import keys
from gridsvc.services.keyring import Keyring
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from gridsvc.store.drivers import UnreachableError
from gridsvc.store.quick_keys import QuickKeys

SOON = datetime.now(UTC) + timedelta(hours=1, microseconds=123)


@pytest.fixture
def quick(database: Database, database_url: str) -> QuickKeys:
    return QuickKeys(database_url)


@pytest.fixture
def ring(database: Database) -> Iterator[Keyring]:
    found = Keyring(database, lambda: None)
    found.start()
    yield found
    found.stop()


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("crm", "service"),
        Wanted("list", scopes=["owner:read", "plans:read"], expires_at=SOON),
        Wanted("admin", "administrator"),
    ],
    ids=lambda wanted: wanted.name,
)
def test_a_key_is_told_as_the_store_tells_it(
    database: Database, quick: QuickKeys, ring: Keyring, wanted: Wanted
) -> None:
    key = keys.create(database, LOCAL, wanted)[1]
    found, known = quick.authenticate(key), ring.authenticate(key)
    assert found is not None and known is not None
    assert (found.principal, found.until) == (known.principal, known.until)


def test_branches_and_people_are_told_too(database: Database, quick: QuickKeys) -> None:
    shown = BEGINS + "b" * 43
    with database.write(LOCAL, "test") as uow:
        uow.keys.create(
            "key_of_a_session",
            digest_of(shown),
            shown[:10],
            person="anna",
            scopes=sorted(SCOPES),
            branches=["north", "south/e"],
        )
    found = quick.authenticate(shown)
    assert found is not None
    assert found.principal == Principal("user:anna", SCOPES, frozenset({"north", "south/e"}))


def test_what_is_not_good_is_nobody(database: Database, quick: QuickKeys) -> None:
    key = keys.create(database, LOCAL, Wanted("crm", "service"))[1]
    keys.revoke(database, LOCAL, "crm")
    over = BEGINS + "o" * 43
    with database.write(LOCAL, "test") as uow:
        past = datetime.now(UTC) - timedelta(seconds=1)
        uow.keys.create("over", digest_of(over), over[:10], role="service", expires_at=past)
    for token in (key, over, BEGINS + "x" * 43, digest_of(key), "", "' OR 1=1 --", BEGINS + "%s"):
        assert quick.authenticate(token) is None


def test_a_role_of_a_later_version_gives_nothing(database: Database, quick: QuickKeys) -> None:
    shown = BEGINS + "r" * 43
    with database.write(LOCAL, "test") as uow:
        uow.keys.create("later", digest_of(shown), shown[:10], role="emperor")
    found = quick.authenticate(shown)
    assert isinstance(found, Known) and found.principal.scopes == frozenset()
    assert "emperor" not in ROLES


def test_it_says_whether_there_ever_was_a_key(database: Database, quick: QuickKeys) -> None:
    assert not quick.any()
    keys.create(database, LOCAL, Wanted("crm", "service"))
    keys.revoke(database, LOCAL, "crm")
    assert quick.any()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:9/none"])
def test_without_the_database_nobody_is_known(url: str) -> None:
    assert QuickKeys(url).authenticate(BEGINS + "k" * 43) is None
    with pytest.raises(UnreachableError):
        QuickKeys(url).any()


def test_it_loads_no_more_than_a_driver() -> None:
    heavy = "sqlalchemy", "fastapi", "shapely", "psycopg"
    code = f"import sys, gridsvc.store.quick_keys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"[]\n"
