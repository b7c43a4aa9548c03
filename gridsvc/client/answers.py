"""Answers of the service as values; members which are not known here are kept in `more`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gridsvc.client.failures import UnexpectedAnswer

__all__ = [
    "CellOwner",
    "Customer",
    "Grid",
    "Lead",
    "Named",
    "Owner",
    "Owners",
    "Publication",
    "Role",
    "Transition",
    "read",
]

Words = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class _More:
    """A JSON object.

    Attributes
    ----------
    more : mapping
        Members which this version does not know.
    """

    more: Mapping[str, Any] = field(default_factory=dict)


T = TypeVar("T", bound=_More)


@dataclass(frozen=True)
class Named(_More):
    """An id with its name."""

    id: str
    name: str


@dataclass(frozen=True)
class Grid(_More):
    """The owning grid."""

    code: str
    name: str
    line: str


@dataclass(frozen=True)
class Lead(Named):
    """Who leads the team; `acting` in place of somebody else."""

    acting: bool


@dataclass(frozen=True)
class Role(Named):
    """Another member of the team."""

    role: str
    backup: bool


@dataclass(frozen=True)
class Transition(_More):
    """The former owner, with whom customers may stay for a while."""

    until: datetime
    from_grid: Grid
    from_team: Named | None


@dataclass(frozen=True)
class CellOwner(_More):
    """One of the cells in a coarser one."""

    cell: str
    status: str
    grid: Grid | None
    team: Named | None
    rule: str | None


@dataclass(frozen=True)
class Owner(_More):
    """Who owns a place, by which rule, according to which publication and roster.

    Attributes
    ----------
    status : str
        owned, fallback, outside, unplaced or unknown_customer.
    rule : str or None
        name_list, carve_out, cell or fallback.
    why : str
        A sentence.
    seq : int
        Commits the service knew of when it answered.
    transition : Transition or None
        While customers may stay with a former owner.
    cells : tuple of CellOwner or None
        Where a coarser cell was asked for: the cells in it.
    """

    status: str
    cell: str | None
    grid: Grid | None
    team: Named | None
    lead: Lead | None
    roles: tuple[Role, ...]
    rule: str | None
    why: str
    territory: str
    publication: int
    roster: int | None
    seq: int
    valid_from: datetime | None
    valid_to: datetime | None
    inside_territory: bool | None
    crs: str | None
    via: str | None = None
    transition: Transition | None = None
    cells: tuple[CellOwner, ...] | None = None


@dataclass(frozen=True)
class Customer(_More):
    """A customer as placed."""

    id: str
    premise: str | None
    cell: str | None
    verdict: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class Publication(_More):
    """An immutable version of who owns which cell; further members are in `more`."""

    territory: str
    line: str
    n: int
    state: str
    effective_at: datetime
    valid_to: datetime | None
    recorded_at: datetime
    published_by: str
    grids: int
    cells: int
    checksum: str


@dataclass(frozen=True, eq=False)
class Owners:
    """Owners of many points, all by one publication and one roster.

    Attributes
    ----------
    seq : int
        Commits the service knew of when it answered the newest part.
    status, cell, grid, team, rule : object arrays of str or None, shape (n,)
        Of each point: its status (owned, fallback, outside or invalid), its cell's id, the grid's code, the
        team's id, and the rule.
    """

    territory: str
    publication: int
    roster: int | None
    seq: int
    status: Words
    cell: Words
    grid: Words
    team: Words
    rule: Words

    def __len__(self) -> int:
        return len(self.status)


def read(kind: type[T], document: Any) -> T:
    """A JSON object as a value of one of the classes above.

    Raises
    ------
    UnexpectedAnswer
        It is none, or lacks a member.
    """
    if not isinstance(document, dict):
        raise UnexpectedAnswer("the answer is of another kind", cure="check the address")
    known = {f.name: f for f in fields(kind) if f.name != "more"}
    lacking = [name for name, f in known.items() if f.default is MISSING and name not in document]
    if lacking:
        raise UnexpectedAnswer(f"the answer lacks {lacking[0]}", cure="check the service's version")
    given = {name: document[name] for name in known if name in document}
    more = {name: value for name, value in document.items() if name not in known}
    try:
        return kind(**{name: _value(kind, name, value) for name, value in given.items()}, more=more)
    except (TypeError, ValueError):
        raise UnexpectedAnswer("a member is of another kind", cure="check the service's version") from None


def _value(kind: type[Any], name: str, value: Any) -> Any:
    """A member's value; objects and times are told by its name."""
    if value is None or (kind is Publication and name in {"grids", "cells"}):
        return value
    convert = _MEMBERS.get(name)
    return value if convert is None else convert(value)


def _each(kind: type[T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda documents: tuple(read(kind, document) for document in documents)


def _one(kind: type[T]) -> Callable[[Any], T]:
    return lambda document: read(kind, document)


_time = datetime.fromisoformat

_MEMBERS: dict[str, Callable[[Any], Any]] = {
    "grid": _one(Grid),
    "team": _one(Named),
    "lead": _one(Lead),
    "roles": _each(Role),
    "transition": _one(Transition),
    "from_grid": _one(Grid),
    "from_team": _one(Named),
    "cells": _each(CellOwner),
    "until": _time,
    "valid_from": _time,
    "valid_to": _time,
    "effective_at": _time,
    "recorded_at": _time,
}
