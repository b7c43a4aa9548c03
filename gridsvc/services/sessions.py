"""Sessions of people who signed in at the company's provider: kept as keys are, and over by themselves."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from gridsvc.identity import BEGINS, digest_of
from gridsvc.principal import SYSTEM, Principal
from gridsvc.store.database import Database

__all__ = ["begin", "end", "sweep"]

_SHOWN = len(BEGINS) + 6

_SYSTEM = Principal("job-runner", frozenset())
_KEPT = timedelta(days=1)
"""Sessions which are over are kept a little, for whoever wonders why nobody is known any more."""


def begin(db: Database, who: Principal, hours: int) -> str:
    """Begin a session of `who`; gives what their browser is to show, which is written down nowhere.

    Parameters
    ----------
    who : Principal
        As the provider has told; `actor` begins with ``user:``.
    hours : int
        After which the session is over.
    """
    shown = BEGINS + secrets.token_urlsafe(32)
    person = who.actor.removeprefix("user:")
    with db.write(who, "session.begin") as uow:
        made = uow.keys.create(
            f"session.{secrets.token_hex(16)}",
            digest_of(shown),
            shown[:_SHOWN],
            person=person,
            scopes=sorted(who.scopes),
            branches=None if who.branches is None else sorted(who.branches),
            expires_at=datetime.now(UTC) + timedelta(hours=hours),
        )
        uow.audit(f"session/{made}", None, {"scopes": sorted(who.scopes), "hours": hours})
    return shown


def end(db: Database, shown: str) -> None:
    """End the session behind what a browser shows; keys, and what is none, are left as they are."""
    with db.read(SYSTEM) as reader:
        found = reader.keys.session(digest_of(shown))
    if found is None or found.revoked_at is not None:
        return
    with db.write(Principal(f"user:{found.person}", frozenset()), "session.end") as uow:
        uow.keys.revoke(found.id)
        uow.audit(f"session/{found.id}", None, None)


def sweep(db: Database, now: datetime | None = None) -> None:
    """Remove sessions which have been over for a day; the audit still tells of them."""
    before = (now or datetime.now(UTC)) - _KEPT
    with db.read(SYSTEM) as reader:
        if not reader.keys.has_over(before):
            return
    with db.write(_SYSTEM, "session.sweep") as uow:
        removed = uow.keys.remove_over(before)
        uow.audit("sessions", None, {"removed": removed})
