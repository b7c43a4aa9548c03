"""The chain of schema versions, and what protects the tables: known without any database library."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gridsvc

__all__ = ["IMMUTABLE", "MIGRATIONS", "protections", "revisions"]

MIGRATIONS = Path(gridsvc.__file__).resolve().parent.parent / "migrations"

IMMUTABLE = (
    "publications",
    "published_grids",
    "plan_moves",
    "plan_reviews",
    "company_documents",
    "lineage",
    "territory_rules",
    "handovers",
    "rosters",
    "departments",
    "teams",
    "members",
    "audit",
    "audit_chain",
    "outbox",
)
"""Tables whose rows triggers protect.

`people` and `named_accounts` are not among them, for a person may ask to be erased.
"""


@cache
def revisions() -> tuple[str, ...]:
    """The versions there are, the newest last: files of the chain begin with theirs."""
    return tuple(sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def protections(dialect: str) -> set[str]:
    """Names of the triggers which must be there, and of SQLite's R*Tree."""
    if dialect == "postgresql":
        return {f"{table}_immutable" for table in IMMUTABLE}
    return {f"{table}_no_{verb}" for table in IMMUTABLE for verb in ("update", "delete")} | {"cells_rtree"}
