"""A handover pack as a value: the grid, its people before and after, its customers, what lies around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from gridsvc.exchange.packs.extras import Extra

__all__ = ["Account", "Neighbour", "Pack", "Person", "Resident", "Stage"]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the team as the pack shows them."""

    id: str
    name: str
    department: str
    role: str
    acting: bool
    backup: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """The owning team and its members from a moment on; `start` None is until the first change."""

    start: datetime | None
    team: str | None
    name: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Resident:
    """A customer who lives in the grid.

    Attributes
    ----------
    tier : str or None
    named : str or None
        Name of another team which owns the customer by name.
    """

    id: str = field(repr=False)
    tier: str | None
    premise: str | None
    cell: str | None
    lon: float | None = field(repr=False)
    lat: float | None = field(repr=False)
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A named account which concerns the grid: the team's own, or one who lives here and is another's."""

    customer: str = field(repr=False)
    team: str
    own: bool
    here: bool
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A grid with a common border, of so many km."""

    code: str
    name: str
    team: str
    lead: str
    border_km: float


@dataclass(frozen=True)
class Pack:
    """All of it.

    Attributes
    ----------
    tier_column : str or None
        The customers' column which holds the tier.
    tiers : mapping of str or None to int, or None
        Number of the team's own customers in the grid by tier; None has none.
    elsewhere : int or None
        Customers in the grid whom another team owns by name.
    customers, accounts : tuple or None
        These four are None where the reader may not see customers: few in a grid would be told by numbers.
    """

    territory: str
    territory_name: str
    customers_word: str
    simulated: bool
    line: str
    code: str
    name: str
    publication: int
    valid_from: datetime
    valid_to: datetime | None
    roster: int | None
    cells: int
    area_km2: float | None
    stages: tuple[Stage, ...]
    tier_column: str | None
    tiers: Mapping[str | None, int] | None
    elsewhere: int | None
    customers: tuple[Resident, ...] | None
    accounts: tuple[Account, ...] | None
    neighbours: tuple[Neighbour, ...]
    extras: tuple[Extra, ...]
    reason: str | None
    made: datetime

    @property
    def number(self) -> int | None:
        """Customers in the grid."""
        if self.tiers is None or self.elsewhere is None:
            return None
        return sum(self.tiers.values()) + self.elsewhere

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        told, tiers = asdict(self), self.tiers
        if tiers is not None:
            told["tiers"] = [{"tier": tier, "customers": number} for tier, number in tiers.items()]
        told["extras"] = [extra.document() for extra in self.extras]
        plain: dict[str, Any] = _plain(told)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
