"""The hot path answers callers with branches only where all of the territory they name is theirs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from api.lookup import Lookup
from gridsvc.principal import SCOPES, Principal
from tests.api.small_state import small_state


def answer(branches: frozenset[str] | None, query: str) -> Any:
    """What the hot path says; None hands the question on to the routes."""
    state = small_state()
    door: Any = SimpleNamespace(quick=lambda _shown, _host: Principal("x", SCOPES, branches))
    live: Any = SimpleNamespace(state=lambda: state)
    app: Any = None
    scope = {"path": "/v1/owner", "query_string": f"lat=28.65&lon=112.95{query}".encode(), "headers": []}
    return Lookup(app, live, door).find(scope)


@pytest.mark.parametrize(
    ("branches", "query", "at_once"),
    [
        (None, "", True),
        (None, "&territory=north", True),
        (frozenset({"north"}), "&territory=north", True),
        (frozenset({"north", "south/a"}), "&territory=north", True),
        (frozenset({"north"}), "", False),
        (frozenset({"south"}), "&territory=north", False),
        (frozenset({"north/a"}), "&territory=north", False),
        (frozenset({"north/a"}), "&territory=north/a", False),
        (frozenset(), "&territory=north", False),
        (frozenset(), "", False),
    ],
)
def test_who_is_answered_at_once(branches: frozenset[str] | None, query: str, at_once: bool) -> None:
    found = answer(branches, query)
    assert (found is not None) is at_once
    if at_once:
        assert found.status == 200
        assert b'"code":"a"' in found.body
