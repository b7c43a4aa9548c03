"""A batch on the wire: Arrow where pyarrow is installed, else JSON columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from gridsvc.client.failures import UnexpectedAnswer

__all__ = ["COLUMNS", "Form", "Part", "decoded", "encoded", "preferred"]

Form = Literal["arrow", "json"]
Floats = NDArray[np.float64]

COLUMNS = ("status", "cell", "grid", "team", "rule")
_ARROW = "application/vnd.apache.arrow.stream"
_JSON = "application/json"


@dataclass(frozen=True, eq=False)
class Part:
    """The answers of one batch.

    Attributes
    ----------
    columns : dict of str to object array of str or None, shape (n,)
        By the names of `COLUMNS`.
    """

    territory: str
    publication: int
    roster: int | None
    seq: int
    columns: dict[str, NDArray[np.object_]]

    @property
    def state(self) -> tuple[str, int, int | None]:
        """What its answers depend on."""
        return self.territory, self.publication, self.roster


def preferred() -> Form:
    """The quicker form of those which can be read here."""
    return "arrow" if find_spec("pyarrow") is not None else "json"


def encoded(lat: Floats, lon: Floats, form: Form) -> tuple[str, bytes]:
    """The media type and the body for some points; NaN is null."""
    if form == "json":
        return _JSON, orjson.dumps({"lat": lat, "lon": lon}, option=orjson.OPT_SERIALIZE_NUMPY)
    import pyarrow as pa

    batch = pa.record_batch({"lat": lat, "lon": lon})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    body: bytes = sink.getvalue().to_pybytes()
    return _ARROW, body


def decoded(body: bytes, form: Form, count: int) -> Part:
    """The answers in a body.

    Raises
    ------
    UnexpectedAnswer
        It is no such body, or not of `count` points.
    """
    try:
        part = _of_json(orjson.loads(body)) if form == "json" else _of_arrow(body)
    except (KeyError, TypeError, ValueError, OSError):  # those of pyarrow are ValueError or OSError, too
        raise UnexpectedAnswer("the batch's answer cannot be read", cure="check the address") from None
    if {len(column) for column in part.columns.values()} != {count}:
        raise UnexpectedAnswer(f"the batch's answer has not {count} rows", cure="check the address")
    return part


def _of_json(document: Mapping[str, Any]) -> Part:
    columns = {}
    for name in COLUMNS:
        columns[name] = np.empty(len(document[name]), object)
        columns[name][:] = document[name]
    return Part(document["territory"], document["publication"], document["roster"], document["seq"], columns)


def _of_arrow(body: bytes) -> Part:
    import pyarrow as pa

    with pa.ipc.open_stream(body) as reader:
        table, said = reader.read_all(), reader.schema.metadata or {}
    # A dictionary's words become strings once each, however many rows have them.
    columns = {name: _words(table.column(name).combine_chunks()) for name in COLUMNS}
    roster = said.get(b"roster")
    return Part(
        said[b"territory"].decode(),
        int(said[b"publication"]),
        None if roster is None else int(roster),
        int(said[b"seq"]),
        columns,
    )


def _words(column: Any) -> NDArray[np.object_]:
    """A column of text, coded or not, as objects."""
    import pyarrow as pa

    words: NDArray[np.object_]
    if not pa.types.is_dictionary(column.type):
        words = np.asarray(column.to_numpy(zero_copy_only=False), object)
        return words
    words = np.array([*column.dictionary.to_pylist(), None], object)
    codes: NDArray[np.integer[Any]] = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return words.take(codes)
