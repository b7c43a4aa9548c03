"""Every error the product raises on purpose.

::

    GridsvcError
    ├── InvalidInput            the caller's data or arguments are wrong       exit 2
    │   ├── UnreadableFile      not a file we can open, or not what it says
    │   ├── UnknownColumn       a named column is not in the file
    │   ├── InvalidGeometry     self-crossing, empty, without area, out of range
    │   ├── InvalidCoordinate   not a latitude or longitude
    │   ├── UnknownForm         a body in a media type or encoding that is not read
    │   └── TooLarge            over a stated limit
    ├── NotFound                no such thing under that name
    │   ├── OutsideTerritory    a point or cell which no territory covers
    │   ├── UnknownCustomer     a customer id never placed
    │   ├── NotYetInForce       asked for a time before the first publication
    │   └── Gone                it was there, and is not kept any more
    ├── Conflict                true when written, no longer true now
    │   ├── StaleRevision       the caller saw an older state
    │   ├── StaleRead           the caller has seen a later state than there is here
    │   ├── StaleBase           others published changes to the same cells meanwhile
    │   └── GateClosed          a rule forbids publishing
    ├── PreconditionMissing     a change must say which state it was made on
    ├── Unauthenticated         nobody we know asks
    ├── Forbidden               the caller lacks a scope
    ├── TooManyRequests         over the caller's rate
    ├── OutOfService            the database or the disk is away, full or read-only for now
    ├── Infeasible              no plan within the constraints                 exit 3
    └── Cancelled               stopped on request

Statuses of HTTP live in ``api/problems.py`` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "Cancelled",
    "Conflict",
    "Forbidden",
    "GateClosed",
    "Gone",
    "GridsvcError",
    "Infeasible",
    "InvalidCoordinate",
    "InvalidGeometry",
    "InvalidInput",
    "NotFound",
    "NotYetInForce",
    "OutOfService",
    "OutsideTerritory",
    "PreconditionMissing",
    "StaleBase",
    "StaleRead",
    "StaleRevision",
    "TooLarge",
    "TooManyRequests",
    "Unauthenticated",
    "UnknownColumn",
    "UnknownCustomer",
    "UnknownForm",
    "UnreadableFile",
    "from_dict",
]


class GridsvcError(Exception):
    """Base of all errors; prints as one line which names the place, the fault and the cure.

    Parameters
    ----------
    message : str
        What is wrong, without customer data and without internals.
    source : str, optional
        Name of the file or the request part (never a full path).
    row : int, optional
        Row of the source, counted as a person would: 1 is the first data row.
    field : str, optional
        Column, option or JSON member.
    cure : str, optional
        What to do about it.
    details : Any
        Further named values for machines; must be JSON serialisable.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        row: int | None = None,
        field: str | None = None,
        cure: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.row = row
        self.field = field
        self.cure = cure
        self.details = details

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                self.source or "",
                "" if self.row is None else f"row {self.row}",
                self.field or "",
            )
            if part
        )
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.cure}" if self.cure else text

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-ready values; `from_dict` gives an equal error back."""
        named = {"source": self.source, "row": self.row, "field": self.field, "cure": self.cure}
        given = {name: value for name, value in named.items() if value is not None}
        return {"code": self.code, "message": self.message, **given, "details": self.details}


class InvalidInput(GridsvcError, ValueError):
    """The caller's data or arguments are wrong."""

    code = "invalid-input"


class UnreadableFile(InvalidInput):
    """Not a file that can be opened, or not what its name says."""

    code = "unreadable-file"


class UnknownColumn(InvalidInput):
    """A named column is not in the file."""

    code = "unknown-column"


class InvalidGeometry(InvalidInput):
    """A shape is self-crossing, empty, without area or out of range."""

    code = "invalid-geometry"


class InvalidCoordinate(InvalidInput):
    """A number is not a latitude or longitude."""

    code = "invalid-coordinate"


class UnknownForm(InvalidInput):
    """A body comes in a media type or an encoding that is not read here."""

    code = "unknown-form"


class TooLarge(InvalidInput):
    """The work would pass a stated limit."""

    code = "too-large"


class NotFound(GridsvcError, LookupError):
    """Nothing is known under that name."""

    code = "not-found"


class OutsideTerritory(NotFound):
    """No territory covers the point or cell."""

    code = "outside-territory"


class UnknownCustomer(NotFound):
    """The customer id was never placed."""

    code = "unknown-customer"


class NotYetInForce(NotFound):
    """The time asked for lies before the first publication."""

    code = "not-yet-in-force"


class Gone(NotFound):
    """It was there once, and is not kept any more, or not in the state asked about."""

    code = "gone"


class Conflict(GridsvcError):
    """The change was right when written but the state has moved on."""

    code = "conflict"


class StaleRevision(Conflict):
    """The caller saw an older state."""

    code = "stale-revision"


class StaleRead(Conflict):
    """The caller has seen a later state than there is here."""

    code = "stale-read"


class StaleBase(Conflict):
    """Others published changes to the same cells since the plan was made; `details["cells"]` lists them."""

    code = "stale-base"


class GateClosed(Conflict):
    """A rule forbids publishing; `details["gates"]` lists each with its offenders."""

    code = "gate-closed"


class PreconditionMissing(GridsvcError):
    """A change must say which state it was made on."""

    code = "precondition-missing"


class Unauthenticated(GridsvcError):
    """Nobody we know asks: no token or key, or one that is not, not yet or no longer good."""

    code = "unauthenticated"


class Forbidden(GridsvcError):
    """The caller lacks a scope."""

    code = "forbidden"


class TooManyRequests(GridsvcError):
    """Over the caller's rate; `retry_after` in the details is in seconds."""

    code = "too-many-requests"


class OutOfService(GridsvcError):
    """What the service stands on is away for now; the details have `reason` and `retry_after`, in seconds."""

    code = "out-of-service"


class Infeasible(GridsvcError):
    """No plan exists or was found within the constraints."""

    code = "infeasible"


class Cancelled(GridsvcError):
    """The work was stopped on request."""

    code = "cancelled"


def _tree(root: type[GridsvcError]) -> list[type[GridsvcError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _tree(child))]


def from_dict(values: Mapping[str, Any]) -> GridsvcError:
    """Make the error again which `GridsvcError.as_dict` described, as when a job reports from its process."""
    kinds = {kind.code: kind for kind in _tree(GridsvcError)}
    named = {name: values[name] for name in ("source", "row", "field", "cure") if name in values}
    return kinds.get(values["code"], GridsvcError)(values["message"], **named, **values.get("details", {}))
