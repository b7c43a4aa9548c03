"""Customer id -> cell, as files that are mapped. The ids are not in them, only their digests.

One file has all customers; on it lie small ones with those who changed since, the newest on top.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.container import Container, write_container

__all__ = ["GONE", "Accounts", "Layers"]

GONE = -2
"""Stands in a layer for the cell of a customer who is no more."""

_KIND = "customers"
_BITS = 64


@dataclass(frozen=True, eq=False)
class Accounts:
    """The cell of each customer, found by a keyed digest of the id (128 bits: two never share one).

    Attributes
    ----------
    key : bytes
        Of the digest; another for each file.
    high, low : uint64 arrays, shape (n_customers,)
        The two halves of the digests, ordered by both.
    rows : int32 array, shape (n_customers,)
        Row of the customer's cell, -1 where it has none, `GONE` where the customer is no more.
    """

    key: bytes
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    rows: NDArray[np.int32]

    @classmethod
    def of(
        cls, chunks: Iterable[tuple[Sequence[str], NDArray[np.integer[Any]]]], key: bytes | None = None
    ) -> Accounts:
        """Digest the ids.

        Parameters
        ----------
        chunks : pairs of ids and the rows of their cells, each an array of shape (n_chunk,)
            Of an id which comes again the first counts.
        """
        chosen = os.urandom(16) if key is None else key
        digests, rows = [np.zeros((0, 2), np.uint64)], [np.zeros(0, np.int32)]
        for ids, cells in chunks:
            digests.append(_digests(chosen, ids))
            rows.append(np.asarray(cells).astype(np.int32))
        high, low = np.concatenate(digests).T
        del digests
        return cls._ordered(chosen, high, low, np.concatenate(rows))

    @classmethod
    def merged(cls, layers: Sequence[Accounts]) -> Accounts:
        """Layers of one key as one; the first is on top."""
        columns = ([getattr(layer, name) for layer in layers] for name in ("high", "low", "rows"))
        return cls._ordered(layers[0].key, *map(np.concatenate, columns))

    @classmethod
    def _ordered(
        cls, key: bytes, high: NDArray[np.uint64], low: NDArray[np.uint64], rows: NDArray[np.int32]
    ) -> Accounts:
        order = np.lexsort((low, high))  # stable: of the same id the first comes first
        high, low = high[order], low[order]
        first = np.ones(len(order), bool)
        first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        return cls(key, high[first], low[first], rows[order][first])

    def without_gone(self) -> Accounts:
        """Those who are there: what lies under all others need not say who is no more."""
        there = self.rows != GONE
        return Accounts(self.key, self.high[there], self.low[there], self.rows[there])

    @classmethod
    def open(cls, path: Path, *, verify: bool = False) -> Accounts:
        """Map the file which `write` wrote.

        Raises
        ------
        FileNotFoundError, DamagedFileError
        """
        found = Container.open(path, _KIND, verify=verify)
        names = ("high", "low", "rows")
        return cls(bytes.fromhex(found.meta["key"]), *(found.arrays[name] for name in names))

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        arrays: dict[str, NDArray[Any]] = {"high": self.high, "low": self.low, "rows": self.rows}
        write_container(path, _KIND, {"key": self.key.hex()}, arrays)

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, customer: str) -> int | None:
        """Row of a customer's cell, -1 where it has none; None where no customer has this id."""
        row = self.at(*_halves(self.key, customer))
        return None if row == GONE else row

    def at(self, high: int, low: int) -> int | None:
        """Row at a digest, given by its halves; None where it is not here."""
        highs, lows, rows = self._views
        at = self._first(high)
        while at < len(highs) and highs[at] == high:
            if lows[at] == low:
                return rows[at]
            at += 1
        return None

    @cached_property
    def _views(self) -> tuple[memoryview, memoryview, memoryview]:
        # A memoryview gives Python numbers, five times as fast as an array does.
        return self.high.data, self.low.data, self.rows.data

    def _first(self, high: int) -> int:
        """Where a digest's first half stands or would stand.

        Digests are spread evenly, so one stands about where its value says, give or take the root of their
        number: a few pages of the file are read instead of one for each halving of the whole.
        """
        highs, n = self._views[0], len(self)
        about, reach = (high * n) >> _BITS, 4 * isqrt(n) + 4
        first, last = max(0, about - reach), min(n, about + reach)
        found = bisect_left(highs, high, first, last)
        if (found == first > 0) or (found == last < n):
            return bisect_left(highs, high)
        return found


@dataclass(frozen=True, eq=False)
class Layers:
    """Files of one key which lie on each other.

    Attributes
    ----------
    files : tuple of Accounts
        The first is on top: who is in it is looked for no further.
    """

    files: tuple[Accounts, ...]

    def __len__(self) -> int:
        return sum(len(file) for file in self.files)

    def find(self, customer: str) -> int | None:
        """Row of a customer's cell, -1 where it has none; None where no customer has this id."""
        high, low = _halves(self.files[0].key, customer)
        for file in self.files:
            row = file.at(high, low)
            if row is not None:
                return None if row == GONE else row
        return None


def _halves(key: bytes, customer: str) -> tuple[int, int]:
    digest = _digest(key, customer)
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def _digests(key: bytes, ids: Sequence[str]) -> NDArray[np.uint64]:
    block = b"".join([_digest(key, customer) for customer in ids])
    return np.frombuffer(block, "<u8").astype(np.uint64).reshape(-1, 2)


def _digest(key: bytes, customer: str) -> bytes:
    return hashlib.blake2b(customer.encode("utf-8", "surrogatepass"), digest_size=16, key=key).digest()
