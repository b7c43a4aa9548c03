"""Who owns a point, a cell, a customer: answered from one publication and one roster, never a mix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.errors import InvalidCoordinate, InvalidInput
from gridsvc.ownership.answer import Answer, Lang, Status, explain
from gridsvc.ownership.batch import BatchAnswer, batch_answer
from gridsvc.ownership.publication import Publication, rule_of
from gridsvc.ownership.transition import Former
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Member, Roster
from gridsvc.tiling.hexes import is_h3
from gridsvc.tiling.locate import Locator

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
    """

    publication: int
    roster: int | None
    seq: int
    valid_from: datetime
    valid_to: datetime | None = None


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
    publication : Publication
    locator : Locator
        Point -> row of the publication's cells.
    boundary : shapely.MultiPolygon
        The territory, WGS-84.
    tiling : str
        Id of the tiling whose rows are meant.
    roster : Roster
    moment : Moment
    former : Former or None
        Who owned the cells before, while a transition lasts.
    """

    publication: Publication
    locator: Locator
    boundary: shapely.MultiPolygon
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
        row = self.locator.row(lon, lat)
        inside = self._covers(lon, lat)
        if row >= 0:
            return self._owned(row, lang, inside_territory=inside, crs=name)
        if inside:
            return self._by_fallback("fallback", "fallback", lang, inside_territory=True, crs=name)
        return self._nobody("outside", lang, inside_territory=False, crs=name)

    def cell(self, cell: str, *, lang: Lang = "en") -> Answer:
        """Owner of a cell; a finer H3 cell is answered by its centre point.

        Raises
        ------
        InvalidInput
            Not a cell id of this kind of tiling.
        """
        if self.publication.kind == "h3":
            return self._h3_cell(cell, lang)
        row = self.publication.row_of(cell)
        return self._owned(row, lang) if row is not None else self._nobody("outside", lang)

    def customer(
        self, cell_row: int | None, lon: float | None, lat: float | None, *, lang: Lang = "en"
    ) -> Answer:
        """Owner of a known customer.

        Parameters
        ----------
        cell_row : int or None
            Row of the customer's cell in this publication's tiling, -1 where it has none; None if the
            customer was placed on another tiling, so that the point decides.
        lon, lat : float or None
            WGS-84 degrees.
        """
        if cell_row is None and lon is not None and lat is not None:
            cell_row = self.locator.row(lon, lat)
        if cell_row is not None and cell_row >= 0:
            return self._owned(cell_row, lang)
        return self._by_fallback("unplaced", "unplaced", lang)

    def unknown_customer(self, lang: Lang = "en") -> Answer:
        """The answer for a customer id never seen."""
        return self._nobody("unknown_customer", lang)

    def batch(self, lon: NDArray[np.float64], lat: NDArray[np.float64], *, crs: str = "wgs84") -> BatchAnswer:
        """Owners of many points; a bad row gets the status ``invalid`` and the others their answers."""
        name = crs_.normalise(crs)
        lon, lat = crs_.to_wgs84(lon, lat, name)
        with np.errstate(invalid="ignore"):
            valid = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
        rows = self.locator.rows(np.where(valid, lon, np.nan), np.where(valid, lat, np.nan))
        inside = self._covers_many(lon, lat, valid & (rows < 0))
        return batch_answer(self.publication, self.roster.fallback, rows, valid=valid, inside=inside)

    # --- parts of an answer

    @cached_property
    def _prepared(self) -> shapely.MultiPolygon:
        shapely.prepare(self.boundary)
        return self.boundary

    def _covers(self, lon: float, lat: float) -> bool:
        return bool(shapely.intersects_xy(self._prepared, lon, lat))

    def _covers_many(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        inside = np.zeros(len(lon), bool)
        inside[where] = shapely.intersects_xy(self._prepared, lon[where], lat[where])
        return inside

    def _h3_cell(self, cell: str, lang: Lang) -> Answer:
        if not is_h3(cell):
            raise InvalidInput(
                "this is not an H3 cell", field="cell", cure="give an H3 index such as 8931aa5abcfffff"
            )
        resolution = self.publication.resolution or 0
        asked = h3.get_resolution(cell)
        if asked < resolution:
            raise InvalidInput(
                f"a cell of resolution {asked} is coarser than the tiling's {resolution}",
                field="cell",
                cure=f"ask for cells of resolution {resolution} or finer",
            )
        if asked == resolution:
            row = self.publication.row_of(cell)
            return self._nobody("outside", lang) if row is None else self._owned(row, lang)
        lat, lon = h3.cell_to_latlng(cell)  # children do not lie inside their parents: the centre decides
        row = self.locator.row(lon, lat)
        if row < 0:
            return self._nobody("outside", lang, via="centre")
        return self._owned(row, lang, via="centre")

    def _owned(self, row: int, lang: Lang, **place: Any) -> Answer:
        cell, label = self.publication.name_of(row), int(self.publication.labels[row])
        former = self._former(row, None if label < 0 else self.publication.grids[label])
        if label < 0:
            return self._by_fallback("fallback", "fallback", lang, cell=cell, **former, **place)
        grid = self.publication.grids[label]
        rule = rule_of(grid)
        team = self._team(grid.team)
        why = explain(
            rule,
            lang,
            cell=cell,
            grid=grid.name,
            team="-" if team is None else team["name"],
            publication=self.moment.publication,
        )
        return self._answer(
            "owned",
            why,
            lang,
            **former,
            cell=cell,
            grid={"code": grid.code, "name": grid.name, "line": self.publication.line},
            team=team,
            **self._people(grid.team),
            rule=rule,
            **place,
        )

    def _former(self, row: int, now: Grid | None) -> dict[str, Any]:
        """The former owner, where a transition lets customers stay there."""
        grid = None if self.former is None else self.former.grid(row, now)
        if grid is None or self.former is None:
            return {}
        return {
            "transition": {
                "until": self.former.until.isoformat(),
                "from_grid": {"code": grid.code, "name": grid.name, "line": self.publication.line},
                "from_team": self._team(grid.team),
            }
        }

    def _by_fallback(self, status: Status, reason: str, lang: Lang, **place: Any) -> Answer:
        team = self._team(self.roster.fallback)
        why = explain(reason, lang, team="-" if team is None else team["name"])
        return self._answer(
            status, why, lang, team=team, **self._people(self.roster.fallback), rule="fallback", **place
        )

    def _nobody(self, status: Status, lang: Lang, **place: Any) -> Answer:
        return self._answer(status, explain(status, lang), lang, **place)

    def _answer(self, status: Status, why: str, lang: Lang, **parts: Any) -> Answer:
        moment, former = self.moment, parts.get("transition")
        if former is not None:
            team = former["from_team"] or {"name": "-"}
            named = {"grid": former["from_grid"]["name"], "team": team["name"]}
            why = f"{why} {explain('transition', lang, until=former['until'], **named)}"
        return Answer(
            status=status,
            territory=self.publication.territory,
            line=self.publication.line,
            why=why,
            publication=moment.publication,
            roster=moment.roster,
            seq=moment.seq,
            valid_from=moment.valid_from,
            valid_to=moment.valid_to,
            **parts,
        )

    def _team(self, team: str | None) -> dict[str, Any] | None:
        if team is None:
            return None
        known = self.roster.team_by_id.get(team)
        return {"id": team, "name": team if known is None else known.name}

    def _people(self, team: str | None) -> dict[str, Any]:
        if team is None:
            return {"lead": None, "roles": ()}
        lead = self.roster.lead(team)
        others = [m for m in self.roster.members_by_team.get(team, ()) if m is not lead and m.role != "lead"]
        return {
            "lead": None if lead is None else {**self._person(lead), "acting": lead.acting},
            "roles": tuple({"role": m.role, **self._person(m), "backup": m.backup} for m in others),
        }

    def _person(self, member: Member) -> dict[str, Any]:
        person = self.roster.person_by_id.get(member.person)
        return {"id": member.person, "name": member.person if person is None else person.name}
