"""How a layer is drawn by programs which take styles from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridsvc.exchange.layer import Layer

__all__ = ["PALETTE", "Style", "filled_by"]

PALETTE = (
    "78,121,167",
    "242,142,43",
    "225,87,89",
    "118,183,178",
    "89,161,79",
    "237,201,72",
    "176,122,161",
    "255,157,167",
    "156,117,95",
    "186,176,172",
    "31,119,180",
    "188,189,34",
)
"""Fills as red, green, blue."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn: filled by the values of a column, or in outline only, labelled by another.

    Attributes
    ----------
    fill, label : str or None
        Columns.
    values : tuple of str
        Of the column `fill`, each with a colour; others are grey.
    outline : float
        Width of the outlines, millimetres.
    """

    fill: str | None = None
    label: str | None = None
    values: tuple[str, ...] = ()
    outline: float = 0.5


def filled_by(layer: Layer, fill: str, label: str | None = None) -> Style:
    """A style with a colour for each value of a column."""
    values: Sequence[Any] = layer.columns[fill]
    return Style(fill, label, tuple(sorted({str(value) for value in values if value is not None})))
