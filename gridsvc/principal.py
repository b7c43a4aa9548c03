"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gridsvc.errors import Forbidden

__all__ = ["LOCAL", "NOBODY", "ROLES", "SCOPES", "Principal"]

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
        Territory branches the caller sees; None means all.
    """

    actor: str
    scopes: frozenset[str]
    branches: frozenset[str] | None = None

    def require(self, scope: str) -> None:
        """Raise `Forbidden` unless the caller holds `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"this needs the scope {scope}", cure="ask an administrator for it", scope=scope)


LOCAL = Principal("local", SCOPES)
"""The operator of this machine: the command line, and a server open on loopback."""

NOBODY = Principal("nobody", frozenset(), frozenset())
"""Whoever uses a public route without saying who they are."""
