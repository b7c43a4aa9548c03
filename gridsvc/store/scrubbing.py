"""The pages of an embedded database: what was deleted must not be left in them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from gridsvc.store.tables import customer_changes, customer_states, customers, named_accounts
from gridsvc.store.words import in_file

__all__ = ["scrub"]


def scrub(engine: Engine, word: str) -> bool:
    """Empty the log, and write the file anew where a word is left in it; says whether that was needed.

    Deleted rows are overwritten at once, but pages which were split or merged may hold copies of them.
    """
    _count_anew(engine)
    if engine.dialect.name != "sqlite":
        return False
    file = Path(engine.url.database or "")
    _empty_log(engine)
    if not in_file(file, word):
        return False
    with engine.connect().execution_options(gridsvc_bare=True) as connection:
        connection.exec_driver_sql("VACUUM")
    _empty_log(engine)
    return True


def _count_anew(engine: Engine) -> None:
    """Let the planner's statistics, in which values are kept as examples, follow what is there now."""
    with engine.connect() as connection, connection.begin():
        for table in (customers, customer_changes, customer_states, named_accounts):
            connection.exec_driver_sql(f"ANALYZE {table.name}")


def _empty_log(engine: Engine) -> None:
    """Bring the log into the file, and cut it; readers are waited for."""
    with engine.connect().execution_options(gridsvc_bare=True) as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
