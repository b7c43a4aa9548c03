"""The schema in the database: making it, and checking that it is the one this version knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import Geometry as PostgisGeometry
from sqlalchemy import Connection, LargeBinary, inspect, text

import gridsvc
from gridsvc.errors import InvalidInput
from gridsvc.store.tables import metadata
from gridsvc.store.types import SERIAL, Geometry, Json, UtcDateTime

__all__ = ["IMMUTABLE", "check", "downgrade", "migration_options", "script", "upgrade"]

IMMUTABLE = (
    "publications",
    "published_grids",
    "plan_moves",
    "rosters",
    "departments",
    "teams",
    "members",
    "audit",
    "outbox",
)
"""Tables whose rows triggers protect; `people` is not among them, for a person may ask to be erased."""

_UPGRADE_LOCK = 0x67726964  # an arbitrary number for PostgreSQL's advisory lock ('grid')
_CURE = "run: gridsvc db upgrade"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    folder = Path(gridsvc.__file__).resolve().parent.parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
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
    options = migration_options(connection)
    context = MigrationContext.configure(connection, opts=options)
    heads, current = script(), context.get_current_revision()
    if current is None:
        raise InvalidInput("the database has no tables yet", field="database", cure=_CURE)
    if current not in {revision.revision for revision in heads.walk_revisions()}:
        raise InvalidInput(
            f"the database is of a newer version (schema {current})", field="database", cure="update gridsvc"
        )
    if current != heads.get_current_head():
        raise InvalidInput(
            f"the database is of an older version (schema {current})", field="database", cure=_CURE
        )
    differences = _differences(connection, context)
    if differences:
        raise InvalidInput(
            f"the database's tables were changed by other hands: {'; '.join(differences[:3])}",
            field="database",
            cure="restore them from a backup, or export and start a new database",
        )


def _differences(connection: Connection, context: MigrationContext) -> list[str]:
    found = [_words(difference) for difference in compare_metadata(context, metadata)]
    missing = sorted(_expected(connection.dialect.name) - _present(connection))
    return found + [f"{name} is missing" for name in missing]


def _words(difference: Any) -> str:
    """One of Alembic's differences in a few words: what, and on which table or column."""
    if isinstance(difference, list):
        difference = difference[0]
    names = [str(getattr(part, "name", part)) for part in difference[1:5] if part is not None]
    return " ".join([str(difference[0]).replace("_", " "), *names])


def _expected(dialect: str) -> set[str]:
    """What autogenerate does not see: the triggers, and the R*Tree of SQLite."""
    if dialect == "postgresql":
        return {f"{table}_immutable" for table in IMMUTABLE}
    return {f"{table}_no_{verb}" for table in IMMUTABLE for verb in ("update", "delete")} | {"cells_rtree"}


def _present(connection: Connection) -> set[str]:
    if connection.dialect.name == "postgresql":
        rows = connection.execute(
            text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
        )
        return set(rows.scalars())
    triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    return set(triggers.scalars()) | set(inspect(connection).get_table_names())
