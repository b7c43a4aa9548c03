"""What counts of rosters and publications from a moment on, for the proof that nothing is nobody's."""

from __future__ import annotations

from datetime import datetime

from gridsvc.errors import InvalidInput
from gridsvc.services.series import published_plan
from gridsvc.store.database import Reader
from gridsvc.store.handovers import HandoverRecord
from gridsvc.teams.handover import Passed
from gridsvc.teams.orphans import InForce, Orphan, Proof, Published

__all__ = ["passed_of", "publications_from", "require_owned", "rosters_from"]

_NAMED = 5


def rosters_from(reader: Reader, territory: str, start: datetime) -> list[InForce]:
    """The roster in force at `start`, if any, and those scheduled behind it which come into force."""
    standing = reader.rosters.standing(territory, start)
    return [InForce(r, since, reader.rosters.get(territory, r)) for since, r in standing]


def publications_from(reader: Reader, territory: str, start: datetime, known: datetime) -> list[Published]:
    """The publication of each line in force at `start`, and those scheduled behind it."""
    found = list[Published]()
    for owner, line in reader.publications.lines():
        if owner != territory:
            continue
        first = reader.publications.in_force(territory, line, start, known)
        records = [] if first is None else [first]
        for record in [*records, *reader.publications.upcoming(territory, line, start)]:
            plan = published_plan(reader, territory, line, record.n)
            teams = {grid.code: grid.team for grid in plan.grids}
            teams |= {carved.code: carved.team for carved in plan.carve_outs}
            found.append(Published(line, record.n, record.effective_at, teams))
    return found


def require_owned(before: Proof, after: Proof) -> None:
    """Make sure that a change leaves nothing without owner which had one.

    Raises
    ------
    InvalidInput
        Naming team, moment and cure; the details list the grids.
    """
    lost = after.beyond(before)
    if not lost:
        return
    first = lost[0]
    raise InvalidInput(
        f"{_what(first)} would be nobody's from {first.at.isoformat()} on: "
        + ("there is no team" if first.team is None else f"team {first.team!r} has no lead then"),
        field="successors",
        cure="name a successor who begins by then, or who stands in until the successor does (acting)",
        orphans=[
            {"at": o.at.isoformat(), "team": o.team, "grids": [code for _, code in o.grids]} for o in lost
        ],
    )


def _what(orphan: Orphan) -> str:
    codes = [code for _, code in orphan.grids]
    if codes:
        listed = ", ".join(codes[:_NAMED]) + (", ..." if len(codes) > _NAMED else "")
        return f"grid {listed}" if len(codes) == 1 else f"{len(codes)} grids ({listed})"
    return "what no grid team owns" if orphan.fallback else f"{orphan.named} named accounts"


def passed_of(records: list[HandoverRecord]) -> list[Passed]:
    """The places which were passed on, in the order of the handovers."""
    return [
        Passed(
            **{name: given[name] for name in ("team", "role", "person", "to", "acting")},
            at=datetime.fromisoformat(given["at"]),
            start=None if given["start"] is None else datetime.fromisoformat(given["start"]),
        )
        for record in records
        for given in record.told["passed"]
    ]
