"""Keys: what one is, what it gives, and when it is good no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.errors import Conflict, Forbidden, InvalidInput, NotFound
from gridsvc.identity import digest_of
from gridsvc.principal import LOCAL, ROLES, SCOPES, SYSTEM, Principal
from gridsvc.services import keys, sessions
from gridsvc.services.keyring import Keyring
from gridsvc.services.keys import Wanted
from gridsvc.store import Database

NOW = datetime.now(UTC)


def good(db: Database, at: datetime = NOW) -> set[str]:
    with db.read(SYSTEM) as reader:
        return {record.name for record in reader.keys.good(at)}


def test_a_key_is_shown_once_and_kept_as_a_digest(database: Database) -> None:
    record, key = keys.create(database, LOCAL, Wanted("crm", "service"))
    assert key.startswith(record.begins)
    assert len(key) - len(record.begins) > 32
    with database.read(SYSTEM) as reader:
        (kept,) = reader.keys.list()
        (told,) = reader.audit_log()
    assert kept.digest == digest_of(key)
    for document in (repr(kept), repr(told)):
        assert key not in document
        assert kept.digest not in document
    assert (told.action, told.actor, told.subject) == ("key.create", "local", f"key/{record.id}")


def test_two_keys_have_nothing_in_common(database: Database) -> None:
    made = {keys.create(database, LOCAL, Wanted(name, "viewer"))[1] for name in ("a", "b", "c")}
    assert len({key[8:] for key in made}) == 3


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_gives_its_scopes(database: Database, role: str) -> None:
    record, _ = keys.create(database, LOCAL, Wanted("crm", role))
    assert record.principal == Principal("key:crm", ROLES[role])


def test_a_key_may_list_scopes_instead(database: Database) -> None:
    record, _ = keys.create(database, LOCAL, Wanted("crm", scopes=["owner:read", "owner:read"]))
    assert record.scopes == ["owner:read"]
    assert record.principal.scopes == {"owner:read"}


def test_roles_are_made_of_known_scopes_and_keep_drawing_and_approving_apart() -> None:
    assert all(scopes <= SCOPES for scopes in ROLES.values())
    assert ROLES["administrator"] == SCOPES
    assert not {"plans:review", "plans:publish", "requests:decide"} & ROLES["planner"]
    assert not {"plans:write", "territories:write", "roster:write"} & ROLES["approver"]
    for role in set(ROLES) - {"administrator"}:
        assert not {"keys:read", "keys:write", "company:write"} & ROLES[role], role


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted("", "viewer"), "name"),
        (Wanted("Ann", "viewer"), "name"),
        (Wanted("key_01", "viewer"), "name"),
        (Wanted("a" * 64, "viewer"), "name"),
        (Wanted("a"), "role"),
        (Wanted("a", "viewer", ["owner:read"]), "role"),
        (Wanted("a", "king"), "role"),
        (Wanted("a", scopes=[]), "scopes"),
        (Wanted("a", scopes=["owner:read", "owner:write"]), "scopes"),
        (Wanted("a", "viewer", branches=["north"]), "branches"),
        (Wanted("a", "viewer", expires_at=NOW - timedelta(seconds=1)), "expires_at"),
        (Wanted("a", "viewer", expires_at=NOW.replace(tzinfo=None)), "expires_at"),
    ],
)
def test_what_is_wrong_with_a_key_is_named(database: Database, wanted: Wanted, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        keys.create(database, LOCAL, wanted)
    assert refused.value.field == field
    assert refused.value.cure
    assert good(database) == set()


def test_nobody_gives_away_more_than_they_hold(database: Database) -> None:
    clerk = Principal("key:clerk", frozenset({"keys:write", "owner:read"}))
    keys.create(database, clerk, Wanted("less", scopes=["owner:read"]))
    for wanted in (Wanted("more", "administrator"), Wanted("more", scopes=["owner:read", "plans:write"])):
        with pytest.raises(Forbidden):
            keys.create(database, clerk, wanted)
    assert good(database) == {"less"}


def test_only_who_may_makes_lists_and_revokes_keys(database: Database) -> None:
    planner = Principal("key:p", ROLES["planner"])
    with pytest.raises(Forbidden):
        keys.create(database, planner, Wanted("a", "viewer"))
    with pytest.raises(Forbidden):
        keys.listing(database, planner, None, 10)
    with pytest.raises(Forbidden):
        keys.revoke(database, planner, "a")


def test_a_name_is_never_given_twice(database: Database) -> None:
    keys.create(database, LOCAL, Wanted("crm", "service"))
    keys.revoke(database, LOCAL, "crm")
    with pytest.raises(Conflict, match="there is or was a key 'crm'"):
        keys.create(database, LOCAL, Wanted("crm", "service"))


def test_a_revoked_key_is_good_no_more(database: Database) -> None:
    record, _ = keys.create(database, LOCAL, Wanted("crm", "service"))
    keys.create(database, LOCAL, Wanted("other", "viewer"))
    revoked = keys.revoke(database, LOCAL, record.id)
    assert revoked.revoked_at is not None
    assert good(database) == {"other"}
    assert keys.revoke(database, LOCAL, "crm") == revoked  # a second time changes nothing
    with database.read(SYSTEM) as reader:
        assert [row.action for row in reader.audit_log()] == ["key.revoke", "key.create", "key.create"]
    with pytest.raises(NotFound):
        keys.revoke(database, LOCAL, "nobody")


def test_a_key_is_good_until_it_expires(database: Database) -> None:
    until = NOW + timedelta(days=1)
    keys.create(database, LOCAL, Wanted("crm", "service", expires_at=until))
    assert good(database, until - timedelta(seconds=1)) == {"crm"}
    assert good(database, until) == set()


def test_the_good_ones_are_others_once_one_is_made_or_revoked_but_not_once_one_is_used(
    database: Database,
) -> None:
    def ids() -> frozenset[str]:
        with database.read(SYSTEM) as reader:
            return reader.keys.good_ids(NOW)

    assert ids() == set()
    record, _ = keys.create(database, LOCAL, Wanted("crm", "service"))
    keys.note_uses(database, {record.id: NOW})
    assert ids() == {record.id}
    keys.revoke(database, LOCAL, "crm")
    assert ids() == set()


def test_the_last_use_never_goes_back(database: Database) -> None:
    record, _ = keys.create(database, LOCAL, Wanted("crm", "service"))
    later = NOW.replace(microsecond=0)
    keys.note_uses(database, {record.id: later})
    keys.note_uses(database, {record.id: later - timedelta(hours=1)})
    (found,) = keys.listing(database, LOCAL, None, 10)
    assert found.used_at == later


def test_the_first_start_makes_one_administrator(database: Database) -> None:
    key = keys.first(database)
    assert key is not None
    (record,) = keys.listing(database, LOCAL, None, 10)
    assert (record.name, record.role, record.digest) == (
        "administrator",
        "administrator",
        digest_of(key),
    )
    assert keys.first(database) is None
    keys.revoke(database, LOCAL, "administrator")
    assert keys.first(database) is None  # whoever revoked it knows how to make another


# --- sessions, which are kept as keys are


def _kept(db: Database) -> set[str]:
    with db.read(SYSTEM) as reader:
        return {record.person or record.name for record in reader.keys.good(datetime.min.replace(tzinfo=UTC))}


def test_sessions_which_are_over_are_removed_after_a_day_and_keys_never_are(database: Database) -> None:
    keys.create(database, LOCAL, Wanted("crm", "viewer", expires_at=NOW + timedelta(hours=1)))
    for person, hours in (("anna", 1), ("bo", 100)):
        sessions.begin(database, Principal(f"user:{person}", frozenset()), hours)
    sessions.sweep(database, NOW + timedelta(hours=24))
    assert _kept(database) == {"crm", "anna", "bo"}
    sessions.sweep(database, NOW + timedelta(hours=26))
    assert _kept(database) == {"crm", "bo"}
    with database.read(SYSTEM) as reader:
        assert [row.action for row in reader.audit_log()].count("session.sweep") == 1


def test_a_session_which_was_ended_is_removed_too(database: Database) -> None:
    shown = sessions.begin(database, Principal("user:anna", frozenset()), 100)
    sessions.end(database, shown)
    sessions.sweep(database, datetime.now(UTC) + timedelta(days=1, minutes=1))
    with database.read(SYSTEM) as reader:
        assert reader.keys.session(digest_of(shown)) is None


def test_a_key_made_while_a_session_is_removed_is_known_and_one_revoked_is_not(database: Database) -> None:
    """The same number of keys before and after tells nothing."""
    shown = sessions.begin(database, Principal("user:anna", frozenset()), 1)
    revoked = keys.create(database, LOCAL, Wanted("crm", "viewer"))[1]
    ring = Keyring(database, lambda: None)
    ring._look()
    assert ring.authenticate(revoked) and ring.authenticate(shown)
    keys.revoke(database, LOCAL, "crm")
    sessions.sweep(database, NOW + timedelta(days=2))
    made = keys.create(database, LOCAL, Wanted("billing", "viewer"))[1]
    ring._look()
    assert ring.authenticate(made)
    assert ring.authenticate(revoked) is None


def test_what_an_earlier_look_saw_never_takes_the_place_of_a_later_ones(database: Database) -> None:
    key = keys.create(database, LOCAL, Wanted("crm", "viewer"))[1]
    with database.read(SYSTEM) as reader:
        seen = reader.keys.good(NOW)
    ring = Keyring(database, lambda: None)
    keys.revoke(database, LOCAL, "crm")
    ring._begun = 1
    ring._look()
    ring._take(1, frozenset(), seen)
    assert ring.authenticate(key) is None
