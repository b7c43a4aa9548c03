"""Publications: numbered per territory and line, never changed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import Row, func, insert, select

from gridsvc.errors import NotFound
from gridsvc.ownership.publication import checksum
from gridsvc.plans.plan import Grid
from gridsvc.store.handle import Handle
from gridsvc.store.records import PublicationRecord
from gridsvc.store.tables import publications, published_grids, seq

__all__ = ["PublicationReader", "PublicationWriter"]

_HEAD = [c for c in publications.c if c.name != "payload"]


def _record(row: Row[*tuple[Any, ...]]) -> PublicationRecord:
    named = dict(row._mapping)
    return PublicationRecord(plan=named.pop("plan_id"), tiling=named.pop("tiling_id"), **named)


class PublicationReader:
    """Reads publications."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, territory: str, line: str, n: int) -> PublicationRecord:
        """Return publication `n` with its payload.

        Raises
        ------
        NotFound
            The territory and line have no such publication.
        """
        c = publications.c
        rows = select(publications).where(c.territory == territory, c.line == line, c.n == n)
        found = self._handle.connection.execute(rows).first()
        if found is None:
            raise NotFound(
                f"territory {territory!r}, line {line!r} has no publication {n}",
                field="publication",
                cure="list the publications there are",
            )
        return _record(found)

    def in_force(self, territory: str, line: str, at: datetime, known: datetime) -> PublicationRecord | None:
        """The largest n with ``effective_at <= at``, ``recorded_at <= known``, without payload; or None."""
        c = publications.c
        rows = select(*_HEAD).where(
            c.territory == territory, c.line == line, c.effective_at <= at, c.recorded_at <= known
        )
        found = self._handle.connection.execute(rows.order_by(c.n.desc()).limit(1)).first()
        return None if found is None else _record(found)

    def newest(self, territory: str, line: str, known: datetime | None = None) -> PublicationRecord | None:
        """The largest number of a territory and line, in force or not, as known then; without payload."""
        c = publications.c
        rows = select(*_HEAD).where(c.territory == territory, c.line == line)
        if known is not None:
            rows = rows.where(c.recorded_at <= known)
        found = self._handle.connection.execute(rows.order_by(c.n.desc()).limit(1)).first()
        return None if found is None else _record(found)

    def made_of(self, plan: str, territory: str, line: str) -> int | None:
        """The last publication of a territory and line which was made of this plan; None if none was."""
        c = publications.c
        rows = select(func.max(c.n)).where(c.territory == territory, c.line == line, c.plan_id == plan)
        return self._handle.connection.execute(rows).scalar()

    def next_effective(
        self, territory: str, line: str, n: int, at: datetime, known: datetime
    ) -> datetime | None:
        """When publication `n`, in force at `at`, gives way to a later one; None while none is known."""
        c = publications.c
        later = select(func.min(c.effective_at, type_=c.effective_at.type)).where(
            c.territory == territory, c.line == line, c.n > n, c.effective_at > at, c.recorded_at <= known
        )
        return self._handle.connection.execute(later).scalar()

    def ends(self, territory: str, line: str) -> dict[int, datetime | None]:
        """When each publication gives way to a later number, as known now; None while none is known.

        One whose end is not after its own start never comes into force: a later number took its place.
        """
        c = publications.c
        rows = select(c.n, c.effective_at).where(c.territory == territory, c.line == line)
        found: dict[int, datetime | None] = {}
        end: datetime | None = None
        for n, start in self._handle.connection.execute(rows.order_by(c.n.desc())):
            found[n] = end
            end = start if end is None else min(end, start)
        return found

    def upcoming(self, territory: str, line: str, at: datetime) -> list[PublicationRecord]:
        """Publications which take effect after `at` and are not set aside by a later number, by number."""
        c = publications.c
        rows = select(*_HEAD).where(c.territory == territory, c.line == line, c.effective_at > at)
        ends = self.ends(territory, line)
        later = [_record(row) for row in self._handle.connection.execute(rows.order_by(c.n))]
        return [r for r in later if (end := ends[r.n]) is None or end > r.effective_at]

    def unsound(self) -> list[tuple[str, str, int]]:
        """Territory, line and number of each publication whose block is not what its checksum says."""
        c = publications.c
        names = select(c.territory, c.line, c.n).order_by(c.territory, c.line, c.n)
        found = self._handle.connection.execute(names).all()
        return [(t, line, n) for t, line, n in found if not self._sound(t, line, n)]

    def _sound(self, territory: str, line: str, n: int) -> bool:
        record = self.get(territory, line, n)
        try:
            return checksum(record.payload) == record.checksum
        except zlib.error:
            return False

    def lines(self) -> list[tuple[str, str]]:
        """Each territory and line with a publication, in order."""
        c = publications.c
        rows = select(c.territory, c.line).distinct().order_by(c.territory, c.line)
        return [(territory, line) for territory, line in self._handle.connection.execute(rows)]

    def begun(self, territory: str, line: str) -> tuple[datetime, str] | None:
        """When the first of a territory and line took or takes effect, and the tiling of the newest."""
        c = publications.c
        mine = c.territory == territory, c.line == line
        newest = select(c.tiling_id).where(*mine).order_by(c.n.desc()).limit(1).scalar_subquery()
        first = select(func.min(c.effective_at, type_=c.effective_at.type), newest).where(*mine)
        since, tiling = self._handle.connection.execute(first).one()
        return None if since is None else (since, tiling)

    def list(
        self, territory: str, line: str, after: int | None = None, limit: int = 100
    ) -> list[PublicationRecord]:
        """Publications, newest first, without payload; at most `limit`, with numbers below `after`."""
        c = publications.c
        rows = select(*_HEAD).where(c.territory == territory, c.line == line)
        if after is not None:
            rows = rows.where(c.n < after)
        return [
            _record(row) for row in self._handle.connection.execute(rows.order_by(c.n.desc()).limit(limit))
        ]


class PublicationWriter(PublicationReader):
    """Writes publications."""

    def teams(self, territory: str, line: str, n: int) -> set[str]:
        """Ids of the teams which own grids of a publication."""
        c = published_grids.c
        rows = select(c.team).distinct().where(c.territory == territory, c.line == line, c.n == n)
        return {team for team in self._handle.connection.execute(rows).scalars() if team is not None}

    def alone(self) -> None:
        """Make sure that nobody else publishes until this transaction ends."""
        self._handle.connection.execute(select(seq.c.value).with_for_update())  # one writer anyway on SQLite

    def publish(
        self, record: PublicationRecord, grids: Sequence[Grid] = (), outlines: Sequence[Any] = ()
    ) -> int:
        """Write the next publication of its territory and line, and return its number.

        Parameters
        ----------
        grids : sequence of Grid
        outlines : sequence of shapely (multi)polygon or None, as long as `grids`
            Their shapes in WGS-84, for GIS tools; None where a grid has no cells.
        """
        self._handle.bump_seq()  # from here on nobody else gives out a number
        c = publications.c
        last = select(func.max(c.n), func.max(c.recorded_at, type_=c.recorded_at.type))
        highest, latest = self._handle.connection.execute(
            last.where(c.territory == record.territory, c.line == record.line)
        ).one()
        n, now = (highest or 0) + 1, self._handle.clock()
        row = {
            **{name: value for name, value in vars(record).items() if name not in {"plan", "tiling"}},
            "plan_id": record.plan,
            "tiling_id": record.tiling,
            "n": n,
            "published_by": self._handle.actor,
            "recorded_at": now
            if latest is None
            else max(now, latest),  # a later number is never known earlier
        }
        self._handle.connection.execute(insert(publications).values(row))
        self._write_grids(record, n, grids, outlines)
        return n

    def _write_grids(
        self, record: PublicationRecord, n: int, grids: Sequence[Grid], outlines: Sequence[Any]
    ) -> None:
        rows = [
            {
                "territory": record.territory,
                "line": record.line,
                "n": n,
                "code": grid.code,
                "level": record.level,
                "parent": grid.parent,
                "name": grid.name,
                "team": grid.team,
                "geometry": shapely.MultiPolygon() if outline is None else outline,
            }
            for grid, outline in zip(grids, outlines, strict=True)
        ]
        if rows:
            self._handle.connection.execute(insert(published_grids), rows)
