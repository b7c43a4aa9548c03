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
from gridsvc.ownership.answer import Answer, Lang, Rule, Status, explain
from gridsvc.ownership.publication import Publication
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Member, Roster
from gridsvc.tiling.hexes import is_h3
from gridsvc.tiling.locate import Locator

__all__ = ["BatchAnswer", "Moment", "Snapshot", "check_coordinate"]


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


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Answers for many points as columns.

    Attributes
    ----------
    status : object array of str, shape (n,)
    cell, grid, team : object array of str or None, shape (n,)
    rule : object array of str or None, shape (n,)
    """

    status: NDArray[np.object_]
    cell: NDArray[np.object_]
    grid: NDArray[np.object_]
    team: NDArray[np.object_]
    rule: NDArray[np.object_]


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
    """

    publication: Publication
    locator: Locator
    boundary: shapely.MultiPolygon
    tiling: str
    roster: Roster
    moment: Moment

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
        row = self.row_of(cell)
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
        return self._columns(rows, valid, self._covers_many(lon, lat, valid & (rows < 0)))

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

    def row_of(self, cell: str) -> int | None:
        """Row of a cell by its id; None where the publication has no such cell."""
        if self.publication.kind == "h3" and not is_h3(cell):
            return None
        key: Any = np.uint64(h3.str_to_int(cell)) if self.publication.kind == "h3" else cell
        row = int(np.searchsorted(self.publication.ids, key))
        found = row < len(self.publication.ids) and self.publication.ids[row] == key
        return row if found else None

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
            row = self.row_of(cell)
            return self._nobody("outside", lang) if row is None else self._owned(row, lang)
        lat, lon = h3.cell_to_latlng(cell)  # children do not lie inside their parents: the centre decides
        row = self.locator.row(lon, lat)
        if row < 0:
            return self._nobody("outside", lang, via="centre")
        return self._owned(row, lang, via="centre")

    def name_of(self, row: int) -> str:
        """Id of the cell in a row."""
        cell = self.publication.ids[row]
        return str(h3.int_to_str(int(cell))) if self.publication.kind == "h3" else str(cell)

    def _owned(self, row: int, lang: Lang, **place: Any) -> Answer:
        grid = self.publication.grids[int(self.publication.labels[row])]
        cell, rule = self.name_of(row), _rule(grid)
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
            cell=cell,
            grid={"code": grid.code, "name": grid.name, "line": self.publication.line},
            team=team,
            **self._people(grid.team),
            rule=rule,
            **place,
        )

    def _by_fallback(self, status: Status, reason: str, lang: Lang, **place: Any) -> Answer:
        team = self._team(self.roster.fallback)
        why = explain(reason, lang, team="-" if team is None else team["name"])
        return self._answer(
            status, why, team=team, **self._people(self.roster.fallback), rule="fallback", **place
        )

    def _nobody(self, status: Status, lang: Lang, **place: Any) -> Answer:
        return self._answer(status, explain(status, lang), **place)

    def _answer(self, status: Status, why: str, **parts: Any) -> Answer:
        moment = self.moment
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

    @cached_property
    def _grid_columns(self) -> dict[str, NDArray[np.object_]]:
        """Per grid, with one more entry at the end (reached by -1) for 'no grid'."""
        grids = self.publication.grids
        return {
            "grid": np.array([g.code for g in grids] + [None], dtype=object),
            "team": np.array([g.team for g in grids] + [None], dtype=object),
            "rule": np.array([_rule(g) for g in grids] + [None], dtype=object),
        }

    def _columns(
        self, rows: NDArray[np.int64], valid: NDArray[np.bool_], inside: NDArray[np.bool_]
    ) -> BatchAnswer:
        hit = rows >= 0
        label = np.where(hit, self.publication.labels[np.maximum(rows, 0)], -1)
        status = np.where(hit, "owned", np.where(inside, "fallback", np.where(valid, "outside", "invalid")))
        cells = np.full(len(rows), None, dtype=object)
        distinct, back = np.unique(rows[hit], return_inverse=True)
        cells[hit] = np.array([self.name_of(int(r)) for r in distinct], dtype=object)[back]
        team, rule = self._grid_columns["team"][label], self._grid_columns["rule"][label]
        fallback = ~hit & inside
        team[fallback], rule[fallback] = self.roster.fallback, "fallback"
        return BatchAnswer(status.astype(object), cells, self._grid_columns["grid"][label], team, rule)


def _rule(grid: Grid) -> Rule:
    return "carve_out" if grid.carve_out else "cell"
