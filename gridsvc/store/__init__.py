"""The one door to the database: tables, transactions and repositories for PostGIS and embedded SQLite."""

from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency
from gridsvc.store.staging import Staging, staging
from gridsvc.store.unit_of_work import Reader, UnitOfWork

__all__ = ["Database", "Idempotency", "Reader", "Staging", "UnitOfWork", "staging"]
