"""Who is known: the seam between what a caller shows and the principal behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gridsvc.principal import Principal

__all__ = ["CALLBACK", "Authenticator", "Known"]

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


class Authenticator(Protocol):
    """Turns a bearer token into who shows it."""

    def authenticate(self, token: str) -> Known | None:
        """Who shows this token; None where it is not one of this kind, or not good.

        It may take its time, and is called by threads. What it gives is kept until it ends, or until the
        authenticator has told that something changed.
        """
