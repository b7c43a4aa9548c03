"""A batch's answers as an Arrow stream; brings pyarrow in, so it is imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gridsvc.ownership.batch import BatchAnswer

if TYPE_CHECKING:
    from gridsvc.ownership.columns import Facts

__all__ = ["render_arrow"]

_HEX = 15


def render_arrow(answer: BatchAnswer, facts: Facts) -> bytes:
    """Write an IPC stream: cell as utf8, the other columns dictionary-encoded, the facts as metadata."""
    owners = answer.owners
    named = {"status": owners.status, "grid": owners.grid, "team": owners.team, "rule": owners.rule}
    coded = {name: _coded(words, answer.owner) for name, words in named.items()}
    cell = _hexes(answer) if answer.places.kind == "h3" else _names(answer)
    columns = {"status": coded.pop("status"), "cell": cell, **coded}
    metadata = {name: str(value) for name, value in facts._asdict().items() if value is not None}
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    batch = pa.record_batch(list(columns.values()), schema=pa.schema(fields, metadata=metadata))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


def _coded(words: Sequence[str | None], owner: NDArray[np.integer]) -> pa.DictionaryArray:
    """A column of coded words, each word once in its dictionary, as readers expect it."""
    distinct = {word: code for code, word in enumerate(dict.fromkeys(w for w in words if w is not None))}
    kind = np.min_scalar_type(-max(len(distinct), 1))
    table = np.array([-1 if word is None else distinct[word] for word in words], kind)
    codes = table.take(owner)
    indices = pa.Array.from_buffers(
        pa.from_numpy_dtype(kind), len(codes), [_validity(codes >= 0), pa.py_buffer(codes)]
    )
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(distinct), pa.utf8()))


def _validity(valid: NDArray[np.bool_]) -> pa.Buffer | None:
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def _hexes(answer: BatchAnswer) -> pa.Array:
    valid = answer.rows >= 0
    ends = np.zeros(len(valid) + 1, np.int32)
    np.cumsum(valid, out=ends[1:])
    ends *= _HEX
    digits = answer.places.hex_bytes(answer.rows[valid] if ends[-1] < _HEX * len(valid) else answer.rows)
    buffers = [_validity(valid), pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(digits))]
    return pa.Array.from_buffers(pa.utf8(), len(valid), buffers)


def _names(answer: BatchAnswer) -> pa.Array:
    from gridsvc.ownership.columns import distinct_cells

    names, codes = distinct_cells(answer)
    return pa.array(names, pa.utf8()).take(pa.array(codes))
