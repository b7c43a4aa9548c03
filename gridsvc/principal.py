"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from gridsvc.errors import Forbidden

__all__ = ["COMPANY", "LOCAL", "NOBODY", "ROLES", "SCOPES", "SYSTEM", "Principal", "scopes_of"]

SCOPES = frozenset(
    {
        "audit:read",
        "company:write",
        "customers:erase",
        "customers:read",
        "customers:write",
        "keys:read",
        "keys:write",
        "metrics:read",
        "owner:read",
        "owner:sync",
        "packs:read",
        "plans:publish",
        "plans:read",
        "plans:review",
        "plans:write",
        "requests:decide",
        "requests:read",
        "requests:write",
        "roster:read",
        "roster:read_pii",
        "roster:write",
        "territories:read",
        "territories:write",
        "webhooks:read",
        "webhooks:write",
    }
)

COMPANY = frozenset(
    {
        "audit:read",
        "company:write",
        "customers:erase",
        "keys:read",
        "keys:write",
        "metrics:read",
        "webhooks:read",
        "webhooks:write",
    }
)
"""What tells of the whole company or changes it: a caller with branches cannot use it."""

_VIEWER = frozenset({"owner:read", "plans:read", "requests:read", "roster:read", "territories:read"})
_SEES_PEOPLE = _VIEWER | {"customers:read", "packs:read", "roster:read_pii"}

ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "viewer": _VIEWER,
        "planner": _SEES_PEOPLE
        | {"customers:write", "plans:write", "requests:write", "roster:write", "territories:write"},
        "approver": _SEES_PEOPLE | {"plans:publish", "plans:review", "requests:decide", "requests:write"},
        "administrator": SCOPES,
        "service": frozenset(
            {"customers:write", "owner:read", "owner:sync", "plans:read", "territories:read"}
        ),
    }
)
"""Role -> what who has it may do. A planner cannot approve, and an approver cannot draw."""


def scopes_of(role: str | None, scopes: Iterable[str] | None) -> frozenset[str]:
    """What who has a role may do, or who was given scopes; what a later version knows gives nothing."""
    return frozenset(scopes or ()) & SCOPES if role is None else ROLES.get(role, frozenset())


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a use case.

    Attributes
    ----------
    actor : str
        Name written into the audit.
    scopes : frozenset of str
        What the caller may do; see `SCOPES`.
    branches : frozenset of str or None
        What the caller sees: territories, ``TERRITORY``, and parts of them, ``TERRITORY/CODE``: the grid of
        an upper level with this code and all below it. None means all.
    """

    actor: str
    scopes: frozenset[str]
    branches: frozenset[str] | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Principal:
        """The caller whom `as_dict` tells of."""
        branches = told.get("branches")
        return cls(
            told["actor"], frozenset(told["scopes"]), None if branches is None else frozenset(branches)
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: whoever works for the caller elsewhere sees no more than they do."""
        branches = None if self.branches is None else sorted(self.branches)
        return {"actor": self.actor, "scopes": sorted(self.scopes), "branches": branches}

    def require(self, scope: str) -> None:
        """Raise `Forbidden` unless the caller holds `scope`, and sees all where that takes it."""
        if scope not in self.scopes:
            raise Forbidden(f"this needs the scope {scope}", cure="ask an administrator for it", scope=scope)
        if scope in COMPANY:
            self.require_all()

    def require_all(self) -> None:
        """Raise `Forbidden` unless the caller sees all territories."""
        if self.branches is not None:
            raise Forbidden(
                "this is for the whole company, and you see some branches of it",
                cure="ask somebody who sees all territories",
            )

    @property
    def territories(self) -> frozenset[str] | None:
        """Territories which the caller sees the whole of; None means all."""
        if self.branches is None:
            return None
        return frozenset(branch for branch in self.branches if "/" not in branch)

    @property
    def parts(self) -> Mapping[str, frozenset[str]]:
        """Territory -> codes of the grids whose sub-trees are seen, where it is not the whole of it."""
        found: dict[str, set[str]] = {}
        for branch in self.branches or ():
            territory, _, code = branch.partition("/")
            if code and territory not in (self.branches or ()):
                found.setdefault(territory, set()).add(code)
        return {territory: frozenset(codes) for territory, codes in found.items()}

    def of_whole_territories(self) -> Principal:
        """The caller without parts of territories, for what tells of the whole of them.

        Raises
        ------
        Forbidden
            They see parts only.
        """
        if self.parts and not self.territories:
            raise Forbidden(
                "this tells of a whole territory, and you see a part of it",
                cure="ask somebody who sees all of the territory, or ask for owners, grids and customers",
            )
        return replace(self, branches=self.territories) if self.parts else self


LOCAL = Principal("local", SCOPES)
"""The operator of this machine: the command line, and a server open on loopback."""

SYSTEM = Principal("service", SCOPES)
"""The service itself, where nobody asks: what keeps files up to date, watches, delivers and counts."""

NOBODY = Principal("nobody", frozenset(), frozenset())
"""Whoever uses a public route without saying who they are."""
