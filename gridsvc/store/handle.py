"""What a repository works with: one connection inside one transaction, a clock and the actor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, update

from gridsvc.store.tables import seq

__all__ = ["SEQ_CHANNEL", "Clock", "Handle", "utc_now"]

SEQ_CHANNEL = "gridsvc_seq"
"""Where PostgreSQL tells each new count of commits that lookups must see."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Handle:
    """A transaction in progress.

    Attributes
    ----------
    connection : sqlalchemy.Connection
    clock : callable
        Gives the present instant as aware UTC.
    actor : str
        Who is written down as the maker; empty for readers.
    """

    connection: Connection
    clock: Clock
    actor: str = ""

    @property
    def postgres(self) -> bool:
        """Whether this is PostgreSQL rather than the embedded database."""
        return self.connection.dialect.name == "postgresql"

    def bump_seq(self) -> int:
        """Count one commit that lookups must see, and return the new count.

        On PostgreSQL the counter's row stays locked until the commit, so whoever bumps first is alone from
        here on: numbers given out behind it are consecutive. Listeners are told the count by the commit.
        """
        counted = update(seq).values(value=seq.c.value + 1).returning(seq.c.value)
        count = self.connection.execute(counted).scalar_one()
        if self.postgres:
            self.connection.execute(select(func.pg_notify(SEQ_CHANNEL, str(count))))
        return count
