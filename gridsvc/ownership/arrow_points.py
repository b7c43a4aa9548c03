"""A batch as an Arrow table -> arrays; brings pyarrow in, so it is imported only when such a batch comes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.ownership.points import LIMIT, too_many

__all__ = ["read_arrow"]

Floats = NDArray[np.float64]

_MAGIC = b"ARROW1"
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_CURE = "send a table with the columns lat and lon, both numbers"


def read_arrow(body: bytes | memoryview) -> tuple[Floats, Floats]:
    """Read lon and lat, NaN where a value is null or not finite, from an IPC stream or file.

    Raises
    ------
    TooLarge
        More points than a batch may have.
    InvalidInput
        Not a whole Arrow table of two columns of numbers, or a compressed one.
    """
    stream = _stream(memoryview(body))
    try:
        _check_messages(stream)
        with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
            _check_columns(reader.schema)
            lat, lon = _columns(reader)
    except (pa.ArrowException, struct.error, EOFError, OSError, UnicodeDecodeError) as fault:
        raise _broken() from fault
    return lon, lat


def _broken() -> InvalidInput:
    return InvalidInput("not a whole Arrow table", field="body", cure="close the writer, then send all bytes")


def _stream(body: memoryview) -> memoryview:
    """The stream of messages, which a file holds between its marks and its index."""
    if body[: len(_MAGIC)] != _MAGIC:
        return body
    if len(body) < 24 or body[-len(_MAGIC) :] != _MAGIC:
        raise _broken()
    (index,) = struct.unpack("<i", body[-len(_MAGIC) - 4 : -len(_MAGIC)])
    end = len(body) - len(_MAGIC) - 4 - index
    if index < 0 or end < 16:
        raise _broken()
    return body[8:end]


def _check_messages(stream: memoryview) -> None:
    """Refuse what ends early, goes on behind its end, or could unfold to far more than its own size."""
    source = pa.BufferReader(pa.py_buffer(stream))
    messages = pa.ipc.MessageReader.open_stream(source)
    while True:
        try:
            message = messages.read_next_message()
        except StopIteration:
            break
        if message.type == "dictionary":
            raise InvalidInput("a column is dictionary-encoded", field="body", cure=_CURE)
        if message.type == "record batch" and _compressed(message.metadata.to_pybytes()):
            raise InvalidInput("the table is compressed", field="body", cure="send it uncompressed")
    # An index of a file may be padded; a stream ends with its mark.
    if source.tell() != len(stream) or bytes(stream[-len(_END) :]) != _END:
        raise _broken()


def _compressed(message: bytes) -> bool:
    """Whether a record batch names a codec: table ``Message``, field 2, then ``RecordBatch``, field 3."""
    (root,) = struct.unpack_from("<I", message, 0)
    header = _field(message, root, 2)
    if header is None:
        return False
    (offset,) = struct.unpack_from("<I", message, header)
    return _field(message, header + offset, 3) is not None


def _field(data: bytes, table: int, slot: int) -> int | None:
    """Where a field of a flatbuffers table lies; None where the table has none."""
    (back,) = struct.unpack_from("<i", data, table)
    index, entry = table - back, 4 + 2 * slot
    (size,) = struct.unpack_from("<H", data, index)
    if entry >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, index + entry)
    return table + offset if offset else None


def _check_columns(schema: pa.Schema) -> None:
    for name in ("lat", "lon"):
        if schema.names.count(name) != 1:
            fault = "is missing" if name not in schema.names else "comes twice"
            raise InvalidInput(f"the column {name} {fault}", field=name, cure=_CURE)
        kind = schema.field(name).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise InvalidInput(f"the column {name} holds no numbers", field=name, cure=_CURE)
    for other in schema.names:
        if other not in {"lat", "lon"}:
            shown = "".join(c if c.isprintable() else "?" for c in other[:40])
            raise InvalidInput("an unknown column", field=shown, cure="send lat and lon only")


def _columns(reader: Any) -> tuple[Floats, Floats]:
    batches, count = [], 0
    for batch in reader:
        count += batch.num_rows
        if count > LIMIT:
            raise too_many()
        batch.validate()
        batches.append(batch)
    lat, lon = ([_floats(batch.column(name)) for batch in batches] for name in ("lat", "lon"))
    return _joined(lat), _joined(lon)


def _joined(parts: list[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0), *parts])


def _floats(column: pa.Array) -> Floats:
    values: Floats = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)
