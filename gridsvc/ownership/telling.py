"""Telling an answer from an owner's code and a cell: who, why, since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridsvc.ownership.answer import Answer, Lang, Status, explain
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.people import people_of, team_of
from gridsvc.ownership.publication import rule_of
from gridsvc.ownership.transition import Former
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Named, Roster
from gridsvc.tiling.places import Places

__all__ = ["Moment", "Teller"]


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


@dataclass(frozen=True)
class Teller:
    """Puts answers into words, by one publication and one roster.

    Attributes
    ----------
    holdings, places, roster, moment, former
        As in `gridsvc.ownership.snapshot.Snapshot`.
    """

    holdings: Holdings
    places: Places
    roster: Roster
    moment: Moment
    former: Former | None = None

    def tell(self, code: int, row: int, lang: Lang, **place: Any) -> Answer:
        """The answer for an owner's code and a cell, -1 for none."""
        if row >= 0:
            place = {"cell": self.places.name(row), **place}
        former = self.former_grid(row, code)
        if former is not None:
            place["transition"] = self._transition(former)
        if code == self.holdings.outside:
            return self._answer("outside", explain("outside", lang), lang, **place)
        if code == self.holdings.fallback:
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
        if self.former is None or row < 0 or self.holdings.first_overlay <= code < self.holdings.fallback:
            return None
        now = self.holdings.grids[code] if code < self.holdings.first_overlay else None
        return self.former.grid(int(self.former.labels[row]), now)

    def unknown_customer(self, lang: Lang) -> Answer:
        """The answer for a customer id never seen."""
        return self._answer("unknown_customer", explain("unknown_customer", lang), lang)

    def unplaced(self, lang: Lang) -> Answer:
        """The answer for a customer of whom no cell is known."""
        return self._fallback("unplaced", "unplaced", lang)

    def by_name(self, named: Named, row: int, lang: Lang) -> Answer:
        """The answer for a named account in a cell, -1 for none."""
        team = team_of(self.roster, named.team) or {"name": "-"}
        why = explain("name_list", lang, team=team["name"])  # the reason is between those who keep the list
        place: dict[str, Any] = {}
        label = -1 if row < 0 else int(self.holdings.labels[row])
        if row >= 0:
            place["cell"] = self.places.name(row)
        if label >= 0:
            grid = self.holdings.grids[label]
            place["grid"] = {"code": grid.code, "name": grid.name, "line": self.holdings.line}
        people = people_of(self.roster, named.team)
        return self._answer("owned", why, lang, team=team, **people, rule="name_list", **place)

    def _owned(self, code: int, lang: Lang, **place: Any) -> Answer:
        over = code - self.holdings.first_overlay
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
