"""Rows as streams of bytes: JSON lines, CSV, Arrow or Parquet, a chunk at a time in constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson

from gridsvc.exchange.texts import inert

__all__ = ["MEDIA_TYPES", "Kind", "StreamForm", "stream_rows"]

StreamForm = Literal["ndjson", "csv", "arrow", "parquet"]
Kind = Literal["text", "number", "json"]
"""What a column holds; values of JSON are written as text where the form has no members."""
Row = Sequence[Any]

MEDIA_TYPES: dict[StreamForm, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def stream_rows(
    form: StreamForm, columns: Mapping[str, Kind], chunks: Iterable[Sequence[Row]]
) -> Iterator[bytes]:
    """Write chunks of rows down, one piece of bytes a chunk.

    Parameters
    ----------
    columns : mapping
        Name and kind of each column, in the order of a row's values; any value may be None.
    """
    if form == "ndjson":
        return _ndjson(list(columns), chunks)
    flat = _flat(columns, chunks)
    if form == "csv":
        return _csv(list(columns), flat)
    return _arrow(columns, flat) if form == "arrow" else _parquet(columns, flat)


def _flat(columns: Mapping[str, Kind], chunks: Iterable[Sequence[Row]]) -> Iterable[Sequence[Row]]:
    """The rows with JSON as text."""
    if "json" not in columns.values():
        return chunks
    wide = [kind == "json" for kind in columns.values()]

    def text(value: Any) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    return (
        [[text(v) if w else v for v, w in zip(row, wide, strict=True)] for row in rows] for rows in chunks
    )


def _ndjson(names: list[str], chunks: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    for rows in chunks:
        lines = (orjson.dumps(dict(zip(names, row, strict=True))) for row in rows)
        yield b"".join([line + b"\n" for line in lines])


def _csv(names: list[str], chunks: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    yield _csv_lines([names])
    for rows in chunks:
        yield _csv_lines(
            [[inert(value) if isinstance(value, str) else value for value in row] for row in rows]
        )


def _csv_lines(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _arrow(columns: Mapping[str, Kind], chunks: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    import pyarrow as pa

    schema = _schema(columns)
    sink = _Sink()
    with pa.ipc.new_stream(sink, schema) as writer:
        for rows in chunks:
            writer.write_batch(_batch(rows, schema))
            yield sink.taken()
    yield sink.taken()


def _parquet(columns: Mapping[str, Kind], chunks: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    schema = _schema(columns)
    sink = _Sink()
    with pq.ParquetWriter(sink, schema) as writer:
        for rows in chunks:
            writer.write_batch(_batch(rows, schema))
            yield sink.taken()
    yield sink.taken()


def _schema(columns: Mapping[str, Kind]) -> Any:
    import pyarrow as pa

    kinds = {"text": pa.utf8(), "json": pa.utf8(), "number": pa.float64()}
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _batch(rows: Sequence[Row], schema: Any) -> Any:
    import pyarrow as pa

    values = zip(*rows, strict=True) if rows else ((),) * len(schema)
    arrays = [pa.array(list(v), field.type) for v, field in zip(values, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


class _Sink(io.RawIOBase):
    """A file which is emptied as it is written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since it was last asked."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
