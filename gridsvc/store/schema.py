"""The schema in the database: making it, and checking that it is the one this version knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import Geometry as PostgisGeometry
from sqlalchemy import Connection, LargeBinary, text

from gridsvc.store import version
from gridsvc.store.chain import MIGRATIONS
from gridsvc.store.tables import metadata
from gridsvc.store.types import SERIAL, Geometry, Json, UtcDateTime

__all__ = ["check", "downgrade", "migration_options", "script", "upgrade"]

_UPGRADE_LOCK = 0x67726964  # an arbitrary number for PostgreSQL's advisory lock ('grid')


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def script() -> ScriptDirectory:
    """The chain of migrations."""
    return ScriptDirectory.from_config(_config())


def _own(name: str | None, kind: str, _parents: Any) -> bool:
    """Look at our own tables only: PostGIS and the R*Tree bring theirs."""
    return kind != "table" or name in metadata.tables


def _applies(dialect: str) -> Callable[..., bool]:
    """Leave out indexes which are for the other database."""

    def include(item: Any, _name: str | None, _kind: str, reflected: bool, _other: Any) -> bool:
        condition = getattr(item, "_ddl_if", None)
        return reflected or condition is None or condition.dialect == dialect

    return include


def _type_differs(context: Any, _found: Any, _wanted: Any, stored: Any, declared: Any) -> bool | None:
    """Compare geometry columns by kind and SRID; None leaves other columns to Alembic."""
    if not isinstance(declared, Geometry):
        return None
    if context.dialect.name == "postgresql":
        kind = (declared.kind, 4326)
        return not (isinstance(stored, PostgisGeometry) and (stored.geometry_type, stored.srid) == kind)
    return not isinstance(stored, LargeBinary)


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Name our own column types in a migration as `script.py.mako` imports them."""
    if kind != "type":
        return False
    if isinstance(item, Geometry):
        return f"Geometry({item.kind!r})"
    if isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    if item is SERIAL or item is Json:
        return "SERIAL" if item is SERIAL else "Json"
    return False


def migration_options(connection: Connection) -> dict[str, Any]:
    """Return what Alembic is told, in ``migrations/env.py`` and in `check`."""
    return {
        "target_metadata": metadata,
        "include_name": _own,
        "include_object": _applies(connection.dialect.name),
        "compare_type": _type_differs,
        "render_item": _render,
        "transactional_ddl": True,
    }


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to `revision`, inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _UPGRADE_LOCK})
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Take the schema back to `revision` (``base``: none of our tables), inside the caller's transaction."""
    command.downgrade(_config(connection), revision)


def check(connection: Connection) -> None:
    """Make sure that the schema is at the head and as declared.

    Raises
    ------
    InvalidInput
        It is empty, older, newer, or was changed by hand.
    """
    version.require(connection)
    context = MigrationContext.configure(connection, opts=migration_options(connection))
    version.refuse_changed([_words(difference) for difference in compare_metadata(context, metadata)])


def _words(difference: Any) -> str:
    """One of Alembic's differences in a few words: what, and on which table or column."""
    if isinstance(difference, list):
        difference = difference[0]
    names = [str(getattr(part, "name", part)) for part in difference[1:5] if part is not None]
    return " ".join([str(difference[0]).replace("_", " "), *names])
