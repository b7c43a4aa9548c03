"""Customers: who lives in a cell or a grid, for callers who may see them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from gridsvc.customers.verdicts import Verdict
from gridsvc.errors import Conflict, NotFound
from gridsvc.ownership.cells import rows_in
from gridsvc.ownership.residents import Residents, residents_of_grid
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.principal import Principal
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.lineage import no_such_grid
from gridsvc.services.sights import seen_at
from gridsvc.store.database import Reader
from gridsvc.store.records import CustomerRecord

__all__ = ["Placed", "Which", "of_cell", "of_grid", "page", "records", "stream"]

_VERDICTS = {int(verdict): verdict for verdict in Verdict}

_CHUNK = 5000
"""Customers read at once."""

_CELLS = 256
"""Cells asked for at once: sorting by id is then cheap, however many customers a grid has."""

_STREAMS = threading.BoundedSemaphore(4)
"""Streams hold a connection each for as long as their callers take; single questions need some too."""

_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A customer as the API shows it, with its cell and verdict in words."""

    id: str
    premise: str | None
    cell: str | None
    verdict: str
    lon: float | None
    lat: float | None


Chunks = Generator[list[Placed], None, None]

Which = Callable[[Reader, Snapshot], Residents]
"""Whose customers are meant, in the publication in force."""


def of_cell(cell: str) -> Which:
    """Customers of a cell; of a finer H3 cell those of the cell at its centre, of a coarser those in it."""

    def choose(_: Reader, found: Snapshot) -> Residents:
        rows = rows_in(found, cell)
        if not rows:
            raise NotFound("no such cell in the publication in force", field="cell", cure="check its id")
        return Residents(rows)

    return choose


def of_grid(code: str) -> Which:
    """Customers of a grid or a carve-out; one which has ended is not found, and the error names its heirs."""

    def choose(reader: Reader, found: Snapshot) -> Residents:
        residents = residents_of_grid(found, code)
        if residents is None:
            raise no_such_grid(reader, found, code)
        return residents

    return choose


def page(
    desk: Desk, who: Principal, territory: str | None, which: Which, after: str | None, limit: int
) -> list[Placed]:
    """At most `limit` customers by id, behind the id `after`."""
    who.require("customers:read")
    with desk.database.read(who, parts=True) as reader:
        found, residents = _asked(desk, reader, who, territory, which)
        read = records(reader, found, residents, residents.rows, after, max(limit, 100))
        return [_placed(found, record) for record in islice(read, limit)]


def stream(desk: Desk, who: Principal, territory: str | None, which: Which) -> Chunks:
    """All customers in chunks, from one state of the database; closing the iterator ends the read.

    Raises
    ------
    Conflict
        As many are being read as may be at once.
    """
    who.require("customers:read")
    chunks = _chunks(desk, who, territory, which)
    next(chunks)  # what may be wrong with the question shows before the first customer
    return chunks


def _chunks(desk: Desk, who: Principal, territory: str | None, which: Which) -> Chunks:
    with _turn(), desk.database.read(who, parts=True) as reader:
        found, residents = _asked(desk, reader, who, territory, which)
        yield []
        for at in range(0, len(residents.rows), _CELLS):
            read = records(reader, found, residents, residents.rows[at : at + _CELLS], None, _CHUNK)
            while chunk := [_placed(found, record) for record in islice(read, _CHUNK)]:
                yield chunk


@contextmanager
def _turn() -> Iterator[None]:
    if not _STREAMS.acquire(timeout=_WAIT):
        raise Conflict("as many streams are being read as may be at once", cure="try again later")
    try:
        yield
    finally:
        _STREAMS.release()


def _asked(
    desk: Desk, reader: Reader, who: Principal, territory: str | None, which: Which
) -> tuple[Snapshot, Residents]:
    """The state in force, and who is meant."""
    found = seen_at(desk, reader, who, Asked(territory))
    return found, which(reader, found)


def records(
    reader: Reader, found: Snapshot, residents: Residents, rows: list[int], after: str | None, size: int
) -> Iterator[CustomerRecord]:
    """Customers of some cells by id, `size` read at once."""
    while True:
        read = reader.customers.residents(found.holdings.territory, found.tiling, rows, after, size)
        yield from (r for r in read if residents.counts(r.lon, r.lat))
        if len(read) < size:
            return
        after = read[-1].id


def _placed(found: Snapshot, record: CustomerRecord) -> Placed:
    cell = found.places.name(record.cell) if record.cell >= 0 else None
    return Placed(record.id, record.premise, cell, _VERDICTS[record.verdict].slug, record.lon, record.lat)
