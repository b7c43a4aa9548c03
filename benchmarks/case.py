"""What is compared: cases, contenders, sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

__all__ = ["FULL", "QUICK", "Answer", "Case", "Contender", "Disagreement", "Sizes"]

Answer = Mapping[str, NDArray[Any]]


class Disagreement(AssertionError):
    """Two contenders gave different answers where they must not."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the inputs are.

    Attributes
    ----------
    points : int
        Customers to place, and rows of the file to import.
    resolution : int
        H3 resolution; 9 gives London 17,274 cells.
    polygons : int
        Cells of the layer of polygons.
    grids : int
        Grids to dissolve the cells to.
    rounds : int
        How often each contender runs, in turn with the others.
    """

    points: int
    resolution: int
    polygons: int
    grids: int
    rounds: int


FULL = Sizes(points=1_000_000, resolution=9, polygons=20_000, grids=200, rounds=5)
QUICK = Sizes(points=20_000, resolution=7, polygons=500, grids=20, rounds=2)


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    Attributes
    ----------
    name : str
    load : callable
        Folder of the inputs to inputs in memory; imports what `run` needs. Not timed.
    run : callable
        Inputs to outcome. Timed.
    answer : callable
        Outcome to the form in which all contenders of the case are compared. Not timed.
    """

    name: str
    load: Callable[[Path], Any]
    run: Callable[[Any], Any]
    answer: Callable[[Any, Any], Answer]


@dataclass(frozen=True, slots=True)
class Case:
    """A piece of work, done by us and by others.

    Attributes
    ----------
    name, title : str
    about : callable
        Folder of the inputs to a sentence about them.
    contenders : tuple of Contender
        Ours first.
    check : callable
        (folder of the inputs, our answer, their answer) to a remark; raises `Disagreement`.
    repeats : int
        Runs within one process, of which the median counts; more than 1 for work of milliseconds.
    """

    name: str
    title: str
    about: Callable[[Path], str]
    contenders: tuple[Contender, ...]
    check: Callable[[Path, Answer, Answer], str]
    repeats: int = 1

    def contender(self, name: str) -> Contender:
        """The contender of that name."""
        return next(c for c in self.contenders if c.name == name)
