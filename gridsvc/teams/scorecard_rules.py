"""What a company's scorecard is made of: which measure plays which part, and what counts how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, cast, get_args

from gridsvc.errors import InvalidInput

__all__ = ["FIGURES", "PARTS", "Better", "Part", "ScorecardRules", "scorecard_rules_from_dict"]

PARTS = ("customers", "potential", "served", "premises", "sales", "competition", "visits")
"""What a measure may stand for."""

FIGURES = (
    "customers",
    "potential",
    "penetration",
    "white_space",
    "competition",
    "density",
    "base_km",
    "outlet_km",
)
"""What grids are ranked by, in the order of the report."""

Better = Literal["high", "low"]
_LOW = frozenset({"competition", "base_km", "outlet_km"})
_MOST, _LONGEST = 50, 100


@dataclass(frozen=True, slots=True)
class Part:
    """The measures which play a part.

    Attributes
    ----------
    of : tuple of str
        Added up over the cells of a grid.
    by : str or None
        The measure a mean is weighed by instead, for a measure which does not add up, such as a share.
    """

    of: tuple[str, ...]
    by: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The part as `scorecard_rules_from_dict` reads it."""
        return {"of": list(self.of), "by": self.by}

    def __str__(self) -> str:
        return " + ".join(self.of) + (f" / {self.by}" if self.by else "")


def _weights() -> dict[str, float]:
    return dict.fromkeys(FIGURES[:5], 1.0)


@dataclass(frozen=True, slots=True)
class ScorecardRules:
    """A company's scorecard.

    Attributes
    ----------
    parts : mapping of part to Part
        A part which is not there leaves its figures out.
    weights : mapping of figure to float
        What each figure counts in the score; 0 where it is not named.
    better : mapping of figure to {"high", "low"}
        Which end is the good one, where it is not the usual one.
    visits : mapping of tier to float
        Visits a month which one customer of a tier needs.
    """

    parts: Mapping[str, Part] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=_weights)
    better: Mapping[str, Better] = field(default_factory=dict)
    visits: Mapping[str, float] = field(default_factory=dict)

    def good_end(self, figure: str) -> Better:
        """Whether much or little of a figure is good."""
        return self.better.get(figure, "low" if figure in _LOW else "high")

    def as_dict(self) -> dict[str, Any]:
        """The rules as `scorecard_rules_from_dict` reads them."""
        return {
            "parts": {name: part.as_dict() for name, part in self.parts.items()},
            "weights": dict(self.weights),
            "better": dict(self.better),
            "visits": dict(self.visits),
        }


def scorecard_rules_from_dict(document: Mapping[str, Any]) -> ScorecardRules:
    """Rules from their stored form; what is left out is as by default.

    Raises
    ------
    InvalidInput
        Names the member, and what it may be.
    """
    parts = {name: _part(name, value) for name, value in (document.get("parts") or {}).items()}
    weights = document.get("weights")
    better = document.get("better") or {}
    for figure, end in better.items():
        _among(figure, FIGURES, "better")
        _among(end, get_args(Better), f"better.{figure}")
    return ScorecardRules(
        parts=parts,
        weights=_weights() if weights is None else _counted(weights),
        better=cast("Mapping[str, Better]", dict(better)),
        visits={name: _amount(value, f"visits.{name}") for name, value in _short(document, "visits").items()},
    )


def _short(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get(name) or {}
    if len(found) > _MOST:
        raise InvalidInput(f"{len(found)} entries", field=name, cure=f"give at most {_MOST}")
    return found


def _part(name: str, value: Mapping[str, Any]) -> Part:
    _among(name, PARTS, "parts")
    of: Sequence[Any] = value.get("of") or ()
    if isinstance(of, str) or not 0 < len(of) <= _MOST:
        raise InvalidInput(
            "names no measures", field=f"parts.{name}", cure='write {"of": ["measure", ...]}, one or more'
        )
    if len(set(of)) < len(of):
        raise InvalidInput("a measure stands twice", field=f"parts.{name}", cure="name each measure once")
    names = tuple(_text(measure, f"parts.{name}") or "" for measure in of)
    return Part(names, _text(value.get("by"), f"parts.{name}.by"))


def _counted(weights: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for figure, value in weights.items():
        _among(figure, FIGURES, "weights")
        found[figure] = _amount(value, f"weights.{figure}")
    return found


def _among(value: object, allowed: Sequence[str], name: str) -> None:
    if value not in allowed:
        raise InvalidInput(f"{str(value)[:40]!r} is none", field=name, cure=f"use {', '.join(allowed)}")


def _amount(value: object, name: str) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0
    if not (isfinite(number) and 0 <= number <= 1e6):
        raise InvalidInput("not a weight", field=name, cure="give a number from 0 to 1,000,000")
    return number


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST:
        raise InvalidInput("not a name", field=name, cure=f"give 1 to {_LONGEST} characters")
    return value.strip()
