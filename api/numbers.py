"""Coordinates in a query: plain decimal digits only, on every path."""

from __future__ import annotations

import re

__all__ = ["NUMBER", "degrees"]

# float() also takes 1_0.5, Arabic digits, nan and blanks; a coordinate is none of these.
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_BYTES = re.compile(NUMBER.pattern.encode())


def degrees(text: bytes) -> float | None:
    """The number which a parameter's text stands for; None where it is none."""
    return float(text) if _BYTES.fullmatch(text) else None
