"""Who owns a point, a cell, a customer: answered from one publication and one roster, never a mix.

Each place has an owner's code: the position of a grid, then (behind the grids) that of an overlay, then
`fallback` and `outside`. An answer is told from the code and the cell alone, so all ways of asking agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.errors import InvalidCoordinate
from gridsvc.ownership.answer import Answer, Lang, Status, explain
from gridsvc.ownership.batch import BatchAnswer, Owners
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.people import people_of, team_of
from gridsvc.ownership.publication import rule_of
from gridsvc.ownership.transition import Former
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Named, Roster
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.places import Places

__all__ = ["Moment", "Snapshot", "check_coordinate"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Which state of the world an answer speaks of.

    Attributes
    ----------
    publication : int
    roster : int or None
    seq : int
        Commit counter of the database when the state was read.
    valid_from, valid_to : datetime
        When the publication is in force; `valid_to` is None while no later one is known.
    at : datetime or None
        The time asked about; None means `valid_from`.
    """

    publication: int
    roster: int | None
    seq: int
    valid_from: datetime
    valid_to: datetime | None = None
    at: datetime | None = None


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
        return self.tell(code, row, lang, inside_territory=inside, **place)

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
            return self._by_name(named, row if known else -1, lang)
        if not known:
            return self._answer("unknown_customer", explain("unknown_customer", lang), lang)
        over = self.overlay(lon, lat) if placed and lon is not None and lat is not None else -1
        if over < 0 and row < 0:
            return self._fallback("unplaced", "unplaced", lang)
        code = self.first_overlay + over if over >= 0 else self.code_of(row)
        return self.tell(code, row, lang)

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
            np.copyto(owner, over.astype(owner.dtype) + self.first_overlay, where=over >= 0)
        return BatchAnswer(self.places, rows, owner, self.owners)

    # --- owners' codes

    @property
    def first_overlay(self) -> int:
        """Code of the first overlay."""
        return len(self.holdings.grids)

    @property
    def fallback(self) -> int:
        """Code of places which no grid has."""
        return self.first_overlay + len(self.holdings.overlays)

    @property
    def outside(self) -> int:
        """Code of places outside the territory; behind it stands that of what is no place."""
        return self.fallback + 1

    @cached_property
    def owners(self) -> Owners:
        """What each code stands for."""
        return Owners.of(self.holdings.grids, self.holdings.overlays, self.roster.fallback)

    def code_of(self, row: int) -> int:
        """Code of a cell's owner."""
        label = self._labels[row]
        return label if label >= 0 else self.fallback

    def code_at(self, row: int, lon: float, lat: float, *, inside: bool) -> int:
        """Code of the owner of a point whose cell is known, -1 for none."""
        over = self.overlay(lon, lat)
        if over >= 0:
            return self.first_overlay + over
        if row >= 0:
            return self.code_of(row)
        return self.fallback if inside else self.outside

    def overlay(self, lon: float, lat: float) -> int:
        """Position of the overlay which has a point, border included; -1 where none has."""
        return self._overlays.row(lon, lat) if self.holdings.overlays else -1

    def _codes(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        owner = self.holdings.labels.take(rows, mode="clip").astype(np.int32)
        np.copyto(owner, self.fallback, where=owner < 0)
        return owner

    def _codes_beyond(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        with np.errstate(invalid="ignore"):
            valid = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
        inside = np.zeros(len(lon), bool)
        inside[valid] = self.places.covers(lon[valid], lat[valid])
        codes = np.where(inside, self.fallback, np.where(valid, self.outside, self.outside + 1))
        return codes.astype(np.int32)

    @cached_property
    def _labels(self) -> memoryview:
        return self.holdings.labels.data  # gives Python numbers, sooner than an array

    @cached_property
    def _overlays(self) -> Locator:
        return Locator.of_polygons(np.array([o.polygon for o in self.holdings.overlays], dtype=object))

    @cached_property
    def named(self) -> dict[str, Named]:
        """Named accounts by customer, as they count at the time asked about."""
        at = self.moment.at or self.moment.valid_from
        return {entry.customer: entry for entry in self.roster.named if entry.counts(at)}

    # --- telling

    def tell(self, code: int, row: int, lang: Lang, **place: Any) -> Answer:
        """The answer for an owner's code and a cell, -1 for none."""
        if row >= 0:
            place = {"cell": self.places.name(row), **place}
        former = self.former_grid(row, code)
        if former is not None:
            place["transition"] = self._transition(former)
        if code == self.outside:
            return self._answer("outside", explain("outside", lang), lang, **place)
        if code == self.fallback:
            return self._fallback("fallback", "fallback", lang, **place)
        return self._owned(code, lang, **place)

    def nobody(self, lang: Lang, **place: Any) -> Answer:
        """The answer for a place outside the territory."""
        return self._answer("outside", explain("outside", lang), lang, **place)

    def together(self, answers: Sequence[Answer], why: str, lang: Lang, *, cell: str, agree: bool) -> Answer:
        """The answer for a coarser cell: each cell's owner, and the owner of all where there is one."""
        first = answers[0]
        parts: dict[str, Any] = {"status": first.status if agree else "owned"}
        if agree:
            parts |= {name: getattr(first, name) for name in ("grid", "team", "lead", "roles", "rule")}
        each = tuple(
            {"cell": a.cell, "status": a.status, "grid": a.grid, "team": a.team, "rule": a.rule}
            for a in answers
        )
        return self._answer(why=why, lang=lang, cell=cell, via="cells", cells=each, **parts)

    def former_grid(self, row: int, code: int) -> Grid | None:
        """The grid a cell came from, where its owner changed and customers may stay there."""
        if self.former is None or row < 0 or self.first_overlay <= code < self.fallback:
            return None
        now = self.holdings.grids[code] if code < self.first_overlay else None
        return self.former.grid(int(self.former.labels[row]), now)

    def _owned(self, code: int, lang: Lang, **place: Any) -> Answer:
        over = code - self.first_overlay
        held = self.holdings.grids[code] if over < 0 else self.holdings.overlays[over]
        rule, team = ("carve_out" if not isinstance(held, Grid) else rule_of(held)), held.team
        # A carve-out nobody was given falls to whom all else falls to.
        owner = self.roster.fallback if team is None and over >= 0 else team
        named = team_of(self.roster, owner)
        words = {"grid": held.name, "team": "-" if named is None else named["name"]}
        reason = rule if over < 0 else "overlay"
        why = explain(reason, lang, cell=place.get("cell"), publication=self.moment.publication, **words)
        grid = {"code": held.code, "name": held.name, "line": self.holdings.line}
        people = people_of(self.roster, owner)
        return self._answer("owned", why, lang, grid=grid, team=named, **people, rule=rule, **place)

    def _by_name(self, named: Named, row: int, lang: Lang) -> Answer:
        team = team_of(self.roster, named.team) or {"name": "-"}
        why = explain("name_list", lang, team=team["name"])  # the reason is between those who keep the list
        place: dict[str, Any] = {}
        label = -1 if row < 0 else self._labels[row]
        if row >= 0:
            place["cell"] = self.places.name(row)
        if label >= 0:
            grid = self.holdings.grids[label]
            place["grid"] = {"code": grid.code, "name": grid.name, "line": self.holdings.line}
        people = people_of(self.roster, named.team)
        return self._answer("owned", why, lang, team=team, **people, rule="name_list", **place)

    def _fallback(self, status: Status, reason: str, lang: Lang, **place: Any) -> Answer:
        team = team_of(self.roster, self.roster.fallback)
        why = explain(reason, lang, team="-" if team is None else team["name"])
        people = people_of(self.roster, self.roster.fallback)
        return self._answer(status, why, lang, team=team, **people, rule="fallback", **place)

    def _transition(self, grid: Grid) -> dict[str, Any]:
        assert self.former is not None  # noqa: S101 - a former grid is known
        return {
            "until": self.former.until.isoformat(),
            "from_grid": {"code": grid.code, "name": grid.name, "line": self.holdings.line},
            "from_team": team_of(self.roster, grid.team),
        }

    def _answer(self, status: Status, why: str, lang: Lang, **parts: Any) -> Answer:
        moment, former = self.moment, parts.get("transition")
        if former is not None:
            team = former["from_team"] or {"name": "-"}
            names = {"grid": former["from_grid"]["name"], "team": team["name"]}
            why = f"{why} {explain('transition', lang, until=former['until'], **names)}"
        return Answer(
            status=status,
            territory=self.holdings.territory,
            line=self.holdings.line,
            why=why,
            publication=moment.publication,
            roster=moment.roster,
            seq=moment.seq,
            valid_from=moment.valid_from,
            valid_to=moment.valid_to,
            **parts,
        )
