"""The whole database in one file, and back: the same file for both databases."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import Connection, Table, delete, func, insert, inspect, select, text

import gridsvc
from gridsvc.errors import InvalidInput, UnreadableFile
from gridsvc.store import archive, schema, version
from gridsvc.store.bulk import CHUNK, insert_rows
from gridsvc.store.canonical import decoder, encoded, rows_at_once
from gridsvc.store.chain import revisions
from gridsvc.store.handle import Handle, utc_now
from gridsvc.store.tables import cells, cells_rtree, metadata, senders, seq

__all__ = ["restore", "write"]

_MADE_WITH_A_ROW: tuple[Table, ...] = (seq, senders)
"""Tables which the migrations do not leave empty."""


def write(connection: Connection, path: Path) -> dict[str, Any]:
    """Write what the transaction sees to `path`, whole or not at all, and return the manifest.

    Raises
    ------
    InvalidInput
        The tables are not of this version, or the file cannot be written.
    """
    version.require(connection)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
                manifest = _fill(connection, made)
                made.comment = archive.UNSEALED
            archive.seal(file)
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise InvalidInput(
            f"cannot be written ({error.strerror})", source=path.name, cure="name another place, or make room"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _fill(connection: Connection, made: zipfile.ZipFile) -> dict[str, Any]:
    tables = {}
    for table in metadata.sorted_tables:
        with made.open(f"{table.name}.jsonl", "w", force_zip64=True) as stream:
            tables[table.name] = _told(connection, table, stream)
    manifest = {
        "format": archive.FORMAT,
        "gridsvc": gridsvc.__version__,
        "revision": version.current(connection),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "left_out": archive.LEFT_OUT,
        "tables": tables,
    }
    made.writestr(archive.MANIFEST, json.dumps(manifest, indent=1))
    return manifest


def _told(connection: Connection, table: Table, stream: Any = None) -> dict[str, Any]:
    """Rows and checksum of a table, written to `stream` if there is one."""
    digest, rows = hashlib.sha256(), 0
    for line in encoded(connection, table):
        digest.update(line)
        rows += 1
        if stream is not None:
            stream.write(line)
    return {"rows": rows, "sha256": digest.hexdigest()}


def restore(connection: Connection, path: Path, manifest: dict[str, Any]) -> None:
    """Fill an empty database from a verified file, inside the caller's transaction.

    Raises
    ------
    InvalidInput
        The database holds something, or the file is of another version.
    """
    _same_version(path, manifest)
    _refuse_filled(connection)
    schema.upgrade(connection)
    for seeded in _MADE_WITH_A_ROW:
        connection.execute(delete(seeded))
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    handle = Handle(connection, utc_now)
    with zipfile.ZipFile(path) as stored:
        for table in metadata.sorted_tables:
            decode = decoder(table, connection.dialect)
            rows = (decode(line) for line in archive.lines(stored, table.name))
            insert_rows(handle, table, [column.name for column in table.c], rows, rows_at_once(table))
    _derive(connection)
    for table in metadata.sorted_tables:
        if _told(connection, table) != manifest["tables"][table.name]:
            raise archive.damaged(path, f"table {table.name} came out otherwise than it was written")


def _same_version(path: Path, manifest: dict[str, Any]) -> None:
    if manifest["revision"] not in revisions():
        raise UnreadableFile("is of a newer version", source=path.name, cure="update gridsvc")
    if manifest["revision"] != revisions()[-1]:
        made = manifest["gridsvc"]
        raise UnreadableFile(
            f"is of schema {manifest['revision']}, which is older",
            source=path.name,
            cure=f"restore it with the gridsvc which made it ({made}), then run: gridsvc db upgrade",
        )


def _refuse_filled(connection: Connection) -> None:
    present = set(inspect(connection).get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in present or table in _MADE_WITH_A_ROW:
            continue
        if connection.execute(select(1).select_from(table).limit(1)).first() is not None:
            raise InvalidInput(
                f"the database holds something already (table {table.name})",
                field="database",
                cure="restore into a new one",
            )


def _derive(connection: Connection) -> None:
    """Make what is not in the file: counters of keys, or boxes of cells."""
    if connection.dialect.name == "sqlite":
        _boxes(connection)
        return
    for table in metadata.sorted_tables:
        key = table.autoincrement_column
        if key is None:
            continue
        name = connection.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
        last = connection.scalar(select(func.max(key)))
        if name is not None and last is not None:
            connection.execute(select(func.setval(name, last)))


def _boxes(connection: Connection) -> None:
    found = connection.execute(select(cells.c.id, cells.c.geometry), execution_options={"yield_per": CHUNK})
    for part in found.partitions():
        boxes = shapely.bounds([row.geometry for row in part]).tolist()
        rows = [
            {"id": row.id, "min_lon": w, "max_lon": e, "min_lat": s, "max_lat": n}
            for row, (w, s, e, n) in zip(part, boxes, strict=True)
        ]
        connection.execute(insert(cells_rtree), rows)
