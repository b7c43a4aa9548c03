"""Names and ids of people and customers, found in free text and in files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["in_file", "masked", "names"]

_PIECE = 1 << 20


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    longest = sorted(words, key=len, reverse=True)
    # A name between Latin letters or digits is part of another word; Chinese has no such bounds.
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, longest))})(?![^\W_])", re.ASCII)


def names(text: str, word: str) -> bool:
    """Whether a text names somebody by this very word."""
    return word in text and _pattern({word: ""}).search(text) is not None


def masked(text: str, words: Mapping[str, str]) -> str:
    """The text with other words in place of these, the longest first."""
    there = {word: other for word, other in words.items() if word and word in text}
    return _pattern(there).sub(lambda found: there[found[0]], text) if there else text


def in_file(path: Path, word: str) -> bool:
    """Whether a file holds a word anywhere, read in pieces."""
    sought = word.encode()
    with path.open("rb") as file:
        last = b""
        while piece := file.read(_PIECE):
            if sought in last + piece:
                return True
            last = piece[-len(sought) :]
    return False
