"""Taking in a customer file: many small transactions which nobody sees, then one flip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gridsvc.principal import Principal
from gridsvc.store.bulk import CHUNK
from gridsvc.store.database import Database
from gridsvc.store.records import CustomerRows

__all__ = ["Staging", "staging"]

_ACTION = "customers.import"


@dataclass(frozen=True, slots=True)
class Staging:
    """An import which is being filled; `import_id` is handed to ``uow.customers.flip``."""

    database: Database
    principal: Principal
    import_id: str

    def add(self, rows: CustomerRows) -> None:
        """Write rows, 20,000 to a transaction, so that no other writer waits long."""
        for chunk in rows.chunks(CHUNK):
            with self.database.write(self.principal, _ACTION) as work:
                work.customers.stage(self.import_id, chunk)


@contextmanager
def staging(
    database: Database,
    principal: Principal,
    territory: str,
    tiling: str,
    *,
    source: str,
    params: Mapping[str, Any],
) -> Iterator[Staging]:
    """Open an import; if the block fails, its rows are deleted again.

    The block ends with a unit of work of the caller's which flips the import together with whatever must
    change at the same instant (measures, audit, events).
    """
    with database.write(principal, _ACTION) as work:
        made = work.customers.begin_import(territory, tiling, source, params)
    try:
        yield Staging(database, principal, made)
    except BaseException:
        with database.write(principal, _ACTION) as work:
            work.customers.discard(made)
        raise
