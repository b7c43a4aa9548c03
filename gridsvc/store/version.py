"""Which version the tables in the database are of: asked at each start, so without the migration tools."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from gridsvc.errors import InvalidInput
from gridsvc.store.chain import protections, revisions

__all__ = ["current", "missing", "refuse_changed", "require"]

_CURE = "run: gridsvc db upgrade"


def current(connection: Connection) -> str | None:
    """The version of the tables; None if there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require(connection: Connection) -> None:
    """Make sure that the tables are of this version and protected.

    Raises
    ------
    InvalidInput
        There are none, they are older or newer, or what protects them is missing.
    """
    found = current(connection)
    if found is None:
        raise InvalidInput("the database has no tables yet", field="database", cure=_CURE)
    if found not in revisions():
        raise InvalidInput(
            f"the database is of a newer version (schema {found})", field="database", cure="update gridsvc"
        )
    if found != revisions()[-1]:
        raise InvalidInput(
            f"the database is of an older version (schema {found})", field="database", cure=_CURE
        )
    refuse_changed([f"{name} is missing" for name in missing(connection)])


def refuse_changed(differences: list[str]) -> None:
    """Refuse tables which differ from those of this version.

    Raises
    ------
    InvalidInput
        There are differences.
    """
    if differences:
        raise InvalidInput(
            f"the database's tables were changed by other hands: {'; '.join(differences[:3])}",
            field="database",
            cure="restore them from a backup, or export and start a new database",
        )


def missing(connection: Connection) -> list[str]:
    """Triggers, and the R*Tree of SQLite, that should be there and are not."""
    return sorted(protections(connection.dialect.name) - _present(connection))


def _present(connection: Connection) -> set[str]:
    if connection.dialect.name == "postgresql":
        rows = connection.execute(
            text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
        )
        return set(rows.scalars())
    triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    return set(triggers.scalars()) | set(inspect(connection).get_table_names())
