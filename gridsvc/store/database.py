"""The one door to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from gridsvc import correlation
from gridsvc.errors import GridsvcError
from gridsvc.principal import Principal
from gridsvc.store import version
from gridsvc.store.chain import revisions
from gridsvc.store.engine import READING, WRITING, embedded_file, make_engine, make_probe
from gridsvc.store.faults import translated
from gridsvc.store.handle import Clock, Handle, utc_now
from gridsvc.store.records import Idempotency
from gridsvc.store.sight import bind
from gridsvc.store.unit_of_work import Reader, UnitOfWork

__all__ = ["Database", "Reader", "UnitOfWork"]


class Database:
    """An open database; safe to share between threads, not between processes.

    Attributes
    ----------
    dialect : str
        ``sqlite`` or ``postgresql``.
    """

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine, self._probe = engine, make_probe(engine)
        self._clock = clock
        self.dialect = engine.dialect.name

    @classmethod
    def open(cls, url: str, *, clock: Clock = utc_now) -> Database:
        """Open the database at `url` as it is; `upgrade` makes the tables.

        Parameters
        ----------
        url : str
            ``sqlite:///file.db`` or ``postgresql://user@host/name``.
        clock : callable, optional
            Gives the instant which is recorded as now.

        Raises
        ------
        InvalidInput
            The address is not one of ours, or the database behind it cannot be opened.
        """
        return cls(make_engine(url), clock)

    @classmethod
    def open_existing(cls, url: str) -> Database:
        """As `open`, by those who come later: no empty file takes the place of one which is away for a while.

        Raises
        ------
        InvalidInput
            As of `open`, and where an embedded database's file is not there.
        """
        return cls(make_engine(url, new=False))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def upgrade(self) -> None:
        """Make the tables, or bring them to this version's schema."""
        with self._transaction(writes=False) as connection:
            if version.current(connection) == revisions()[-1]:
                return
        from gridsvc.store import schema  # with the migration tools, which most starts do without

        with self._transaction(writes=True) as connection:
            schema.upgrade(connection)

    def require_version(self) -> None:
        """Make sure that the tables are this version's and protected; quick, for each start.

        Raises
        ------
        InvalidInput
            There are none, they are older or newer, or what protects them is missing.
        """
        with self._transaction(writes=False) as connection:
            version.require(connection)

    def check(self) -> None:
        """Compare all tables, columns and indexes with those of this version.

        Raises
        ------
        InvalidInput
            They are missing, older, newer, or were changed by hand.
        """
        from gridsvc.store import schema

        with self._transaction(writes=False) as connection:
            schema.check(connection)

    def backup(self, path: Path) -> dict[str, Any]:
        """Write one consistent state of all tables to `path`, and return the manifest."""
        from gridsvc.store import backup

        with self._transaction(writes=False) as connection:
            return backup.write(connection, path)

    @classmethod
    def restore(cls, url: str, path: Path) -> dict[str, Any]:
        """Fill the database at `url`, which must be empty, from a backup: all of it, or nothing.

        Raises
        ------
        InvalidInput
            The file is not whole or of another version, or the database holds something.
        """
        from gridsvc.store import archive, backup

        manifest = archive.verified(path)
        file = embedded_file(url)
        made = file is not None and not file.exists()
        try:
            database = cls.open(url)
            try:
                with database._transaction(writes=True) as connection:
                    backup.restore(connection, path, manifest)
            finally:
                database.close()
        except BaseException:
            if made and file is not None:
                for end in ("", "-wal", "-shm"):
                    file.with_name(file.name + end).unlink(missing_ok=True)
            raise
        return manifest

    def scrub(self, word: str) -> bool:
        """Make sure that no page of an embedded database's files holds a word any more.

        Returns
        -------
        bool
            Whether the file had to be written anew for it. Of PostgreSQL's files its own cleaning takes care.
        """
        from gridsvc.store.scrubbing import scrub

        with translated():
            return scrub(self._engine, word)

    @contextmanager
    def probe(self) -> Iterator[Reader]:
        """As `read`, by a connection of its own and with little patience, and only where one could write.

        Who waits for a connection, or to write, keeps nobody from asking if the database is there.
        """
        # PostgreSQL lets many write at a time; whether it lets anybody write, its own state says.
        options = WRITING if self.dialect == "sqlite" else READING
        with translated(), self._probe.connect() as connection:
            connection.execution_options(**options[self.dialect])
            with connection.begin():
                yield Reader(Handle(connection, self._clock))

    @contextmanager
    def read(self, principal: Principal, *, parts: bool = False) -> Iterator[Reader]:
        """One consistent state of the database, as the caller sees it, however long the block takes.

        Parameters
        ----------
        parts : bool
            Whether territories are seen of which the caller may see a part; whoever asks so leaves out the
            rest.
        """
        with self._transaction(writes=False) as connection:
            bind(connection, principal, parts=parts)
            yield Reader(Handle(connection, self._clock))

    @contextmanager
    def write(
        self,
        principal: Principal,
        action: str,
        *,
        idempotency: Idempotency | None = None,
        reason: str | None = None,
        request_id: str | None = None,
        parts: bool = False,
    ) -> Iterator[UnitOfWork]:
        """One transaction: committed when the block is left normally, rolled back on any error.

        Parameters
        ----------
        principal : Principal
            Who writes; it finds and changes what it sees, as in `read`.
        request_id : str or None
            Goes into the audit; that of the request or job being served, if None.

        Raises
        ------
        Conflict
            Another change stands against it, or the idempotency key was used before.
        """
        try:
            with self._transaction(writes=True) as connection:
                bind(connection, principal, parts=parts)
                work = UnitOfWork(
                    Handle(connection, self._clock, principal.actor),
                    action,
                    idempotency=idempotency,
                    reason=reason,
                    request_id=request_id or correlation.current(),
                )
                work.begin()
                yield work
                work.flush()
        except GridsvcError:
            if idempotency is not None:
                self._refuse_answered(principal, idempotency)
            raise

    def _refuse_answered(self, principal: Principal, request: Idempotency) -> None:
        """Raise `Conflict` where a request was answered while it was tried: it met its own change."""
        with self.read(principal) as reader:
            reader.require_new(principal.actor, request)

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        options = (WRITING if writes else READING)[self.dialect]
        with translated(), self._engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                yield connection
