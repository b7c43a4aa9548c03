"""Documents of the company, such as its calendar: one in force at a time, each change a revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from gridsvc.principal import Principal
from gridsvc.store.database import Database, Reader

__all__ = ["Document"]


class _Value(Protocol):
    def as_dict(self) -> dict[str, Any]: ...


T = TypeVar("T", bound=_Value)


@dataclass(frozen=True)
class Document(Generic[T]):
    """A kind of document.

    Attributes
    ----------
    name : {"calendar", "pack-rules", "review-rules", "scorecard", "team-rules"}
        As it is stored, audited and told of.
    scope : str
        Who may read it.
    default : callable
        What counts while nobody has put one.
    read : callable
        Makes the value of its stored form.
    """

    name: Literal["calendar", "pack-rules", "review-rules", "scorecard", "team-rules"]
    scope: str
    default: Callable[[], T]
    read: Callable[[Mapping[str, Any]], T]

    def of(self, reader: Reader) -> T:
        """The document in force."""
        return self._revised(reader)[1]

    def get(self, db: Database, who: Principal) -> tuple[int, T]:
        """The revision, 0 for the default, and the document in force."""
        who.require(self.scope)
        with db.read(who) as reader:
            return self._revised(reader)

    def put(self, db: Database, who: Principal, new: T) -> int:
        """Replace the document, and give its revision."""
        who.require("company:write")
        with db.write(who, f"{self.name}.put") as uow:
            before = self.of(uow).as_dict()
            revision = uow.reviews.put_document(self.name, new.as_dict())
            uow.audit(f"{self.name}/{revision}", before, new.as_dict())
            uow.emit(f"{self.name}.changed", {"revision": revision, "actor": who.actor})
        return revision

    def _revised(self, reader: Reader) -> tuple[int, T]:
        found = reader.reviews.document(self.name)
        return (0, self.default()) if found is None else (found[0], self.read(found[1]))
