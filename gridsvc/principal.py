"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.errors import Forbidden

__all__ = ["LOCAL", "SCOPES", "Principal"]

SCOPES = frozenset(
    {
        "audit:read",
        "company:write",
        "customers:erase",
        "customers:read",
        "customers:write",
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
