"""Who is known: the seam between what a caller shows and the principal behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gridsvc.principal import Principal, scopes_of

__all__ = ["BEGINS", "CALLBACK", "Authenticator", "Known", "digest_of", "principal_of"]

BEGINS = "gsk_"
"""How every key begins, so that scanners for lost secrets can find one."""

CALLBACK = "/v1/session/callback"
"""Where under its public address the company's provider sends people back to."""


@dataclass(slots=True, eq=False)
class Known:
    """A caller who has shown something good.

    Attributes
    ----------
    principal : Principal
    until : float
        When it is good no more, in seconds since 1970; infinite if never.
    used : float
        When it was last shown here; 0 if never.
    """

    principal: Principal
    until: float
    used: float = 0.0


def principal_of(
    name: str,
    person: str | None,
    role: str | None,
    scopes: Iterable[str] | None,
    branches: Iterable[str] | None,
) -> Principal:
    """Who uses a key of this name; or who has a session, where a person signed in by it."""
    actor = f"key:{name}" if person is None else f"user:{person}"
    seen = None if branches is None else frozenset(branches)
    return Principal(actor, scopes_of(role, scopes), seen)


def digest_of(key: str) -> str:
    """What is kept of a key: it holds 256 random bits, so nobody can try all that give a digest."""
    return hashlib.sha256(key.encode()).hexdigest()


class Authenticator(Protocol):
    """Turns a bearer token into who shows it."""

    def authenticate(self, token: str) -> Known | None:
        """Who shows this token; None where it is not one of this kind, or not good.

        It may take its time, and is called by threads. What it gives is kept until it ends, or until the
        authenticator has told that something changed.
        """
