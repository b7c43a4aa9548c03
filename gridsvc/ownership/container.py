"""Arrays and a document in one file: written once, checked, mapped by any number of readers at once.

Layout: 8 bytes of magic whose last is the version, uint32 length and uint32 CRC-32 of the header, the
header as JSON, then the arrays, each at a multiple of 64 bytes. The header has the SHA-256 of all that
follows it. Numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Container", "DamagedFileError", "is_whole", "verify", "write_container"]

_MAGIC = b"GSOWN\x00\x00\x01"
_PREFIX = struct.Struct("<8sII")
_ALIGN = 64


class DamagedFileError(Exception):
    """The file is not whole, not of this kind, or of a version unknown here: it must be made again."""


@dataclass(frozen=True, slots=True)
class Container:
    """A mapped file; its memory goes back when the last array is gone.

    Attributes
    ----------
    kind : str
        What the file is.
    meta : dict
        JSON values.
    arrays : dict of str to array
        Read-only views of the file.
    checksum : str
        SHA-256 of the arrays.
    """

    kind: str
    meta: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    checksum: str

    @classmethod
    def open(cls, path: Path, kind: str, *, verify: bool = False) -> Container:
        """Map a file.

        Parameters
        ----------
        verify : bool
            Read all of it and compare the checksum; otherwise header and length are checked.

        Raises
        ------
        FileNotFoundError
        DamagedFileError
        """
        with path.open("rb") as file:
            try:
                block = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:  # an empty file
                raise DamagedFileError(f"{path.name} is empty") from None
        header, start = _header(block, path.name)
        if header["kind"] != kind:
            raise DamagedFileError(f"{path.name} is a file of {header['kind']}, not of {kind}")
        if verify and hashlib.sha256(memoryview(block)[start:]).hexdigest() != header["sha256"]:
            raise DamagedFileError(f"{path.name} is not as it was written")
        arrays = {
            name: np.frombuffer(block, np.dtype(dtype), _count(shape), start + offset).reshape(shape)
            for name, dtype, shape, offset in header["arrays"]
        }
        return cls(kind, header["meta"], arrays, header["sha256"])


def is_whole(path: Path) -> bool:
    """Whether a file is there, of this format and as long as it says; what it holds is not read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as block:
            _header(block, path.name)
    except (OSError, ValueError, DamagedFileError):  # a ValueError is an empty file's
        return False
    return True


def verify(path: Path) -> None:
    """Read all of a file of any kind, and compare what it holds with its checksum.

    Raises
    ------
    FileNotFoundError, DamagedFileError
    """
    with path.open("rb") as file:
        whole = file.read()
    header, start = _header(whole, path.name)
    if hashlib.sha256(whole[start:]).hexdigest() != header["sha256"]:
        raise DamagedFileError(f"{path.name} is not as it was written")


def _header(block: mmap.mmap | bytes, name: str) -> tuple[dict[str, Any], int]:
    """The header, and where the arrays begin."""
    if len(block) < _PREFIX.size:
        raise DamagedFileError(f"{name} is cut off")
    magic, length, crc = _PREFIX.unpack_from(block)
    if magic != _MAGIC:
        raise DamagedFileError(f"{name} is of an unknown format")
    text = block[_PREFIX.size : _PREFIX.size + length]
    if zlib.crc32(text) != crc:
        raise DamagedFileError(f"{name} has a damaged header")
    header = json.loads(text)
    start = _aligned(_PREFIX.size + length)
    if len(block) != start + header["length"]:
        raise DamagedFileError(f"{name} is cut off")
    return header, start


def write_container(
    path: Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a file under a temporary name and rename it, so that nobody ever sees a part of it.

    Equal contents give equal bytes.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    table, end = [], 0
    for name, array in whole.items():
        table.append([name, array.dtype.newbyteorder("<").str, list(array.shape), end])
        end = _aligned(end + array.nbytes)
    digest = hashlib.sha256()
    for part in _parts(whole):
        digest.update(part)
    header = {"kind": kind, "meta": meta, "arrays": table, "length": end, "sha256": digest.hexdigest()}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with temporary.open("wb") as file:
            file.write(_PREFIX.pack(_MAGIC, len(text), zlib.crc32(text)))
            file.write(text)
            file.write(bytes(_aligned(file.tell()) - file.tell()))
            for part in _parts(whole):
                file.write(part)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _parts(arrays: Mapping[str, NDArray[Any]]) -> list[memoryview | bytes]:
    """The bytes of all arrays, each filled up to the next multiple of 64."""
    parts: list[memoryview | bytes] = []
    for array in arrays.values():
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        parts += [little.reshape(-1).view(np.uint8).data, bytes(_aligned(array.nbytes) - array.nbytes)]
    return parts


def _aligned(length: int) -> int:
    return -(-length // _ALIGN) * _ALIGN


def _count(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
