"""Names and ids of people and customers found in free text."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["masked", "names"]


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
