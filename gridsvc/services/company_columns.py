"""Columns of the customers which the company's rules look at; an import keeps them, too."""

from __future__ import annotations

from gridsvc.services import pack_rules, team_rules
from gridsvc.store.database import Reader

__all__ = ["company_columns"]


def company_columns(reader: Reader) -> tuple[str, ...]:
    """That of the tier, and those by which a role is required; each once."""
    asked = [role.where for role in team_rules.rules_of(reader).required_roles if role.where is not None]
    names = [pack_rules.rules_of(reader).tier_column, *(where.column for where in asked)]
    return tuple(dict.fromkeys(name for name in names if name is not None))
