"""Text ids of a tiling's cells as two arrays, found both ways without making a string of each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TextIds"]


class TextIds:
    """Ascending text ids. The order of UTF-8 bytes is that of the characters."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = {name: arrays[name] for name in ("names", "names_at")}
        self._bytes, self._at = self._arrays["names"].data, self._arrays["names_at"].data

    @classmethod
    def of(cls, ids: Iterable[str]) -> TextIds:
        """`ids` : ascending, each once."""
        coded = [_coded(text) for text in ids]
        at = np.cumsum([0, *map(len, coded)], dtype=np.int64)
        return cls({"names": np.frombuffer(b"".join(coded), np.uint8), "names_at": at})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as named arrays, from which `TextIds(arrays)` is made again."""
        return self._arrays

    def __len__(self) -> int:
        return len(self._at) - 1

    def find(self, text: str) -> int:
        """Row of an id, -1 where there is none."""
        wanted = _coded(text)
        row = bisect_left(range(len(self)), wanted, key=self._coded)
        return row if row < len(self) and self._coded(row) == wanted else -1

    def one(self, row: int) -> str:
        """The id in one row."""
        return self._coded(row).decode("utf-8", "surrogatepass")

    def _coded(self, row: int) -> bytes:
        return bytes(self._bytes[self._at[row] : self._at[row + 1]])


def _coded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
