"""What a company wants in its handover packs: which column of the customers holds their tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.principal import Principal
from gridsvc.services.documents import Document
from gridsvc.store.database import Database, Reader

__all__ = ["PackRules", "get", "pack_rules_from_dict", "put", "rules_of"]

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class PackRules:
    """The rules.

    Attributes
    ----------
    tier_column : str or None
        Column of the customers' file; None: there are no tiers.
    tiers : tuple of str
        The tiers in the order in which they are shown; others follow by name.
    """

    tier_column: str | None = None
    tiers: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"tier_column": self.tier_column, "tiers": list(self.tiers)}


def pack_rules_from_dict(document: Mapping[str, Any]) -> PackRules:
    """Read the rules as `PackRules.as_dict` writes them; what is left out is as by default.

    Raises
    ------
    InvalidInput
        A tier stands twice, or there are tiers without a column.
    """
    column, tiers = (document.get("tier_column") or "").strip() or None, document.get("tiers") or []
    for row, tier in enumerate(tiers, 1):
        if tier in tiers[: row - 1]:
            raise _fault(f"tier {tier[:40]!r} stands twice", "tiers", row, "name each tier once")
        if len(tier) > _LONGEST:
            raise _fault("longer than 200 characters", "tiers", row, "give the value as it is in the column")
    if tiers and column is None:
        raise _fault("there are tiers, and no column", "tier_column", None, "name the customers' column")
    return PackRules(column, tuple(tiers))


def _fault(what: str, field: str, row: int | None, cure: str) -> InvalidInput:
    return InvalidInput(what, field=field, row=row, cure=cure)


_RULES = Document("pack-rules", "packs:read", PackRules, pack_rules_from_dict)


def rules_of(reader: Reader) -> PackRules:
    """The rules in force."""
    return _RULES.of(reader)


def get(db: Database, who: Principal) -> tuple[int, PackRules]:
    """The revision of the rules, 0 for those by default, and the rules."""
    return _RULES.get(db, who)


def put(db: Database, who: Principal, new: PackRules) -> int:
    """Replace the rules, and give their revision."""
    return _RULES.put(db, who, new)
