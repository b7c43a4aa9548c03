"""Requests (调整申请): what districts ask for, and the way of a request to its decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from gridsvc.errors import Conflict, InvalidInput

__all__ = [
    "DAYS",
    "MOST_CELLS",
    "Comment",
    "Decision",
    "DistrictRequest",
    "Kind",
    "State",
    "Wish",
    "check_wish",
    "decided",
]

DAYS = 3
"""Working days within which a request is decided."""

MOST_CELLS = 10_000
"""In one request; a larger wish is a plan of its own."""

_LONGEST = 200  # characters of an id

Kind = Literal["move", "customer", "lead"]
State = Literal["open", "accepted", "rejected", "withdrawn"]
Decision = Literal["accept", "reject", "withdraw"]

_ENDS: dict[Decision, State] = {"accept": "accepted", "reject": "rejected", "withdraw": "withdrawn"}
_NEEDS: dict[Kind, tuple[str, ...]] = {
    "move": ("cells", "to"),
    "customer": ("customer", "team"),
    "lead": ("team", "person"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes
    ----------
    kind : {"move", "customer", "lead"}
        Cells to another grid, a customer to a team by name, another lead for a team.
    cells, to : tuple of str, and str or None
        Of a move: cell ids, and the code of a grid.
    customer : str or None
        Private: never part of a message, an audit or an event (`repr` leaves it out).
    team, person : str or None
        Ids of the roster.
    """

    kind: Kind
    cells: tuple[str, ...] = ()
    to: str | None = None
    customer: str | None = field(default=None, repr=False)
    team: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class DistrictRequest:
    """A request as it stands.

    Attributes
    ----------
    line : str or None
        Line whose grids a move is about; None for people and customers, who are the same for all lines.
    plan : str or None
        Draft on which a move is to be made; the decider may name another.
    due_at : datetime
        Open ones are overdue from then on.
    decision : str or None
        The decider's reason.
    result : dict or None
        What an acceptance made: ``plan`` and ``revision``, or ``roster``.
    """

    id: str
    territory: str
    line: str | None
    wish: Wish
    plan: str | None
    reason: str = field(repr=False)
    asked_by: str
    recorded_at: datetime
    due_at: datetime
    state: State = "open"
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = field(default=None, repr=False)
    result: dict[str, Any] | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether it should have been decided by now."""
        return self.state == "open" and now >= self.due_at


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said to a request; `number` counts from 1."""

    number: int
    actor: str
    text: str = field(repr=False)
    recorded_at: datetime


def decided(decision: Decision, request: DistrictRequest) -> State:
    """The state a decision leads to.

    Raises
    ------
    Conflict
        The request is decided already.
    """
    if request.state != "open":
        raise Conflict(
            f"the request is {request.state} already",
            field="state",
            cure="make a new request",
            request=request.id,
            state=request.state,
        )
    return _ENDS[decision]


def check_wish(wish: Wish) -> None:
    """Make sure that a wish says what its kind needs, and nothing else.

    Raises
    ------
    InvalidInput
        Naming the field; values are not quoted, for one of them is private.
    """
    given = {name for name in ("cells", "to", "customer", "team", "person") if getattr(wish, name)}
    needed = _NEEDS[wish.kind]
    for name in needed:
        if name not in given:
            raise InvalidInput(
                f"a request of the kind {wish.kind} needs it",
                field=name,
                cure=f"give {' and '.join(needed)}",
            )
    for name in sorted(given - set(needed)):
        raise InvalidInput(
            f"not part of a request of the kind {wish.kind}",
            field=name,
            cure=f"leave it out, give {' and '.join(needed)} only",
        )
    if len(wish.cells) > MOST_CELLS:
        raise InvalidInput(
            f"{len(wish.cells):,} cells in one request",
            field="cells",
            cure=f"ask for at most {MOST_CELLS:,}, or draw a plan",
        )
    for name in ("to", "customer", "team", "person"):
        if len(getattr(wish, name) or "") > _LONGEST:
            raise InvalidInput("longer than any id", field=name, cure=f"give at most {_LONGEST} characters")
