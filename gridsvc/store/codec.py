"""Named arrays as one compressed block of bytes.

Layout: one byte, the version of the format; behind it one zlib stream of: uint32 length of the header, the
header (JSON: a list of name, dtype, shape), then the arrays one after another, little-endian, C order. Text
arrays (dtype ``text``; None allowed) stand as JSON in UTF-8, and their shape is the number of bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pack", "unpack"]

_VERSION = 1
_LEVEL = 3  # coordinates hardly compress further, and 150,000 cells stay below a second
_KINDS = "buif"


def _encode(array: NDArray[Any]) -> tuple[str, list[int], bytes]:
    if array.dtype.kind in _KINDS:
        little = array.dtype.newbyteorder("<")
        return little.str, list(array.shape), np.ascontiguousarray(array, little).tobytes()
    text = json.dumps(array.tolist(), ensure_ascii=False, separators=(",", ":")).encode()
    return "text", [len(text)], text


def _decode(dtype: str, shape: list[int], block: bytes, offset: int) -> tuple[NDArray[Any], int]:
    if dtype == "text":
        end = offset + shape[0]
        return np.array(json.loads(block[offset:end]), dtype=object), end
    count = int(np.prod(shape, dtype=np.int64))
    array = np.frombuffer(block, dtype, count, offset).reshape(shape)
    return array.astype(array.dtype.newbyteorder("=")), offset + array.nbytes


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Give `arrays` (booleans, numbers or text) as bytes."""
    parts = {name: _encode(array) for name, array in arrays.items()}
    header = json.dumps([[name, dtype, shape] for name, (dtype, shape, _) in parts.items()]).encode()
    body = b"".join([struct.pack("<I", len(header)), header, *(data for _, _, data in parts.values())])
    return bytes([_VERSION]) + zlib.compress(body, _LEVEL)


def unpack(block: bytes) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote.

    Raises
    ------
    ValueError
        The block is of a format this version does not know.
    """
    if not block or block[0] != _VERSION:
        raise ValueError("not an array block of a known format")
    body = zlib.decompress(memoryview(block)[1:])
    (length,) = struct.unpack_from("<I", body)
    arrays: dict[str, NDArray[Any]] = {}
    offset = 4 + length
    for name, dtype, shape in json.loads(body[4:offset]):
        arrays[name], offset = _decode(dtype, shape, body, offset)
    return arrays
