"""The one door to the database: tables, transactions and repositories for PostGIS and embedded SQLite."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridsvc.store.database import Database
    from gridsvc.store.records import Idempotency
    from gridsvc.store.staging import Staging
    from gridsvc.store.unit_of_work import Reader, UnitOfWork

__all__ = ["Database", "Idempotency", "Reader", "Staging", "UnitOfWork"]

_HOMES = {
    "Database": "database",
    "Idempotency": "records",
    "Reader": "unit_of_work",
    "Staging": "staging",
    "UnitOfWork": "unit_of_work",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: `gridsvc.store.pulse` alone needs none of it, and starts depend on that."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"gridsvc.store.{_HOMES[name]}"), name)
