"""All benchmarks, by section of docs/benchmarks.md."""

from __future__ import annotations

from benchmarks import dissolving, importing, place
from benchmarks.case import Case
from benchmarks.lookup import arrays

__all__ = ["SECTIONS", "case_of"]

# Name of the section (the marker in the page) -> its cases.
SECTIONS: dict[str, tuple[Case, ...]] = {
    "main-job": (*place.CASES, *importing.CASES, *dissolving.CASES),
    "lookup": arrays.CASES,  # with more from `python -m benchmarks.lookup`
}


def case_of(name: str) -> Case:
    """The case of that name, from any section."""
    return next(case for cases in SECTIONS.values() for case in cases if case.name == name)
