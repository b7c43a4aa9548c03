"""`gridsvc keys` as a person uses it."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Run


def test_a_key_is_made_listed_and_revoked(run: Run) -> None:
    assert run("db", "upgrade").code == 0
    assert run("keys", "list").out == "there are no keys\n"
    made = run("keys", "create", "crm", "--role", "service", "--expires", "90d").out
    key = made.splitlines()[0]
    assert key.startswith("gsk_")
    listed = run("keys", "list").out
    assert listed.startswith(f"{key[:10]}…  crm  service  never used, expires 2")
    assert key not in listed
    assert run("keys", "revoke", "crm").out == "the key of crm is good no more\n"
    assert "crm  service  revoked 2" in run("keys", "list").out


def test_programs_read_the_same_as_json(run: Run) -> None:
    assert run("db", "upgrade").code == 0
    scopes = ["--scope", "owner:read", "--scope", "plans:read"]
    made = run("keys", "create", "crm", *scopes, "--json").json
    (listed,) = run("keys", "list", "--json").json["keys"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["name"], listed["scopes"], listed["created_by"]) == ("crm", scopes[1::2], "local")
    assert made["key"].startswith(listed["begins"])


def test_what_is_wrong_is_said(run: Run, refused: Any) -> None:
    assert run("db", "upgrade").code == 0
    assert "a key has a role or scopes" in refused("keys", "create", "crm")
    assert "'soon' is no time" in refused("keys", "create", "crm", "--role", "viewer", "--expires", "soon")
    assert "lies in the past" in refused(
        "keys", "create", "crm", "--role", "viewer", "--expires", "2020-01-01T00:00:00Z"
    )
    assert "there is no scope 'owner'" in refused("keys", "create", "crm", "--scope", "owner")
    assert "there is no key 'crm'" in refused("keys", "revoke", "crm")
