"""Telling of leads who change by the clock: each turn is one event, whoever looks, and however late.

Until when it was told is written with the events. A roster which is appended tells first what the clock did
until then, so a turn is told of the rosters which were known when it came, and before what came later.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gridsvc.principal import SCOPES, Principal
from gridsvc.services.standing import rosters_from
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.turns import TurnsTold
from gridsvc.teams.turns import Turn, turns

__all__ = ["look_again", "tell", "tell_due"]

_SYSTEM = Principal("job-runner", SCOPES)
_BEFORE = timedelta(microseconds=1)
"""The database knows no shorter time."""


def tell_due(db: Database, now: datetime | None = None) -> None:
    """Tell the turns which have come by now, of every territory."""
    at = now or datetime.now(UTC)
    with db.read(_SYSTEM) as reader:
        due = reader.turns.due(at)
    for territory in due:
        with db.write(_SYSTEM, "roster.turn") as uow:
            tell(uow, territory, at)


def tell(uow: UnitOfWork, territory: str, now: datetime) -> None:
    """Tell a territory's turns until now, and note when the next one comes.

    Where nobody has looked before, turns are told from now on.
    """
    uow.publications.alone()  # of two who look, the second finds nothing left to tell
    told = uow.turns.told(territory)
    since = now if told is None else told.until
    if told is not None and (told.next_at is None or told.next_at > now):
        uow.turns.note(territory, TurnsTold(max(since, now), told.next_at))
        return
    following = None
    for turn in turns(rosters_from(uow, territory, since), since):
        if turn.at > now:
            following = turn.at
            break
        uow.emit("roster.lead-changed", _payload(territory, turn))
    uow.turns.note(territory, TurnsTold(max(since, now), following))


def look_again(uow: UnitOfWork, territory: str) -> None:
    """Note that a roster was appended behind what `tell` has told, so that the next turn may be another."""
    told = uow.turns.told(territory)
    assert told is not None  # noqa: S101 - `tell` noted it
    uow.turns.note(territory, TurnsTold(told.until, told.until))


def _payload(territory: str, turn: Turn) -> dict[str, Any]:
    """Ids only; the moments are those by which `/v1/changes` gives the leads before and after."""
    return {
        "territory": territory,
        "roster": turn.after,
        "former_roster": turn.before,
        "effective_at": turn.at.isoformat(),
        "former_at": (turn.at - _BEFORE).isoformat(),
        "leads": len(turn.teams),
        "teams": list(turn.teams),
    }
