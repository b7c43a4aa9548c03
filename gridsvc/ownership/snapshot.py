"""Who owns a point, a cell, a customer: answered from one publication and one roster, never a mix.

Each place has an owner's code: the position of a grid, then (behind the grids) that of an overlay, then
`fallback` and `outside`. An answer is told from the code and the cell alone, so all ways of asking agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.errors import InvalidCoordinate
from gridsvc.ownership.answer import Answer, Lang
from gridsvc.ownership.batch import BatchAnswer, Owners
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.telling import Moment, Teller
from gridsvc.ownership.transition import Former
from gridsvc.teams.model import Named, Roster
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.places import Places

__all__ = ["Moment", "Snapshot", "check_coordinate"]


def check_coordinate(lon: float, lat: float) -> None:
    """Raise `InvalidCoordinate` unless both are finite degrees."""
    for field, value, limit in (("lat", lat, 90.0), ("lon", lon, 180.0)):
        if not math.isfinite(value) or abs(value) > limit:
            raise InvalidCoordinate(
                f"{value:g} is not a {'latitude' if field == 'lat' else 'longitude'}",
                field=field,
                cure=f"give degrees between -{limit:g} and {limit:g}",
            )


@dataclass(frozen=True)
class Snapshot:
    """One publication with one roster, ready for lookups.

    Attributes
    ----------
    holdings : Holdings
        Which grid holds which cell.
    places : Places
        Point -> cell, and where the territory ends.
    tiling : str
        Id of the tiling whose cells are meant.
    roster : Roster
    moment : Moment
    former : Former or None
        Who owned the cells before, while a transition lasts.
    """

    holdings: Holdings
    places: Places
    tiling: str
    roster: Roster
    moment: Moment
    former: Former | None = None

    def point(self, lon: float, lat: float, *, crs: str = "wgs84", lang: Lang = "en") -> Answer:
        """Owner of a point.

        Raises
        ------
        InvalidCoordinate
            Not a longitude or latitude.
        """
        name = crs_.normalise(crs)
        if name in {"wgs84", "gcj02", "bd09"}:
            check_coordinate(lon, lat)
        lon, lat = crs_.point_to_wgs84(lon, lat, name)
        check_coordinate(lon, lat)
        return self.found_at(lon, lat, lang, crs=name)

    def found_at(self, lon: float, lat: float, lang: Lang, **place: Any) -> Answer:
        """Owner of a WGS-84 point in range."""
        row = self.places.row(lon, lat)
        inside = self.places.inside(lon, lat, row)
        code = self.code_at(row, lon, lat, inside=inside)
        return self.teller.tell(code, row, lang, inside_territory=inside, **place)

    def customer(
        self,
        customer: str,
        row: int | None,
        lon: float | None = None,
        lat: float | None = None,
        *,
        known: bool = True,
        lang: Lang = "en",
    ) -> Answer:
        """Owner of a customer.

        Parameters
        ----------
        row : int or None
            Row of the customer's cell, -1 where it has none; None where it is not known, so that the point
            decides.
        lon, lat : float or None
            WGS-84 degrees. Overlays can only be told with them.
        known : bool
            Whether there is such a customer; one on the name list has an owner all the same.
        """
        placed = lon is not None and lat is not None
        if row is None:
            row = self.places.row(lon, lat) if lon is not None and lat is not None else -1
        named = self.named.get(customer)
        if named is not None:
            return self.teller.by_name(named, row if known else -1, lang)
        if not known:
            return self.teller.unknown_customer(lang)
        over = self.overlay(lon, lat) if placed and lon is not None and lat is not None else -1
        if over < 0 and row < 0:
            return self.teller.unplaced(lang)
        code = self.holdings.first_overlay + over if over >= 0 else self.code_of(row)
        return self.teller.tell(code, row, lang)

    def batch(self, lon: NDArray[np.float64], lat: NDArray[np.float64], *, crs: str = "wgs84") -> BatchAnswer:
        """Owners of many points; a bad row gets the status ``invalid`` and the others their answers."""
        name = crs_.normalise(crs)
        if name != "wgs84":
            lon, lat = crs_.to_wgs84(lon, lat, name)
        rows = self.places.rows(lon, lat)
        owner = self._codes(rows)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            owner[missing] = self._codes_beyond(lon[missing], lat[missing])
        if self.holdings.overlays:
            over = self._overlays.rows(lon, lat)
            np.copyto(owner, over.astype(owner.dtype) + self.holdings.first_overlay, where=over >= 0)
        return BatchAnswer(self.places, rows, owner, self.owners)

    # --- owners' codes

    @cached_property
    def teller(self) -> Teller:
        """What puts the answers into words."""
        return Teller(self.holdings, self.places, self.people, self.moment, self.former)

    @cached_property
    def owners(self) -> Owners:
        """What each code stands for."""
        return Owners.of(self.holdings.grids, self.holdings.overlays, self.roster.fallback)

    def code_of(self, row: int) -> int:
        """Code of a cell's owner."""
        label = self._labels[row]
        return label if label >= 0 else self.holdings.fallback

    def code_at(self, row: int, lon: float, lat: float, *, inside: bool) -> int:
        """Code of the owner of a point whose cell is known, -1 for none."""
        over = self.overlay(lon, lat)
        if over >= 0:
            return self.holdings.first_overlay + over
        if row >= 0:
            return self.code_of(row)
        return self.holdings.fallback if inside else self.holdings.outside

    def overlay(self, lon: float, lat: float) -> int:
        """Position of the overlay which has a point, border included; -1 where none has."""
        return self._overlays.row(lon, lat) if self.holdings.overlays else -1

    def _codes(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        owner = self.holdings.labels.take(rows, mode="clip").astype(np.int32)
        np.copyto(owner, self.holdings.fallback, where=owner < 0)
        return owner

    def _codes_beyond(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        with np.errstate(invalid="ignore"):
            valid = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
        inside = np.zeros(len(lon), bool)
        inside[valid] = self.places.covers(lon[valid], lat[valid])
        held = self.holdings
        codes = np.where(inside, held.fallback, np.where(valid, held.outside, held.outside + 1))
        return codes.astype(np.int32)

    @cached_property
    def _labels(self) -> memoryview:
        return self.holdings.labels.data  # gives Python numbers, sooner than an array

    @cached_property
    def _overlays(self) -> Locator:
        return Locator.of_polygons(np.array([o.polygon for o in self.holdings.overlays], dtype=object))

    @cached_property
    def people(self) -> Roster:
        """Members and named accounts of the roster which count at the time asked about."""
        return self.roster.at(self.moment.at or self.moment.valid_from)

    @property
    def named(self) -> dict[str, Named]:
        """Named accounts by customer, as they count at the time asked about."""
        return self.people.named_by_customer
