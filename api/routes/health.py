"""Whether the service is alive, and whether it may be asked."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.deps import Db

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(db: Db) -> dict[str, str | int]:
    """The database answers too."""

    def seq() -> int:
        with db.read() as reader:
            return reader.seq()

    return {"status": "ready", "seq": await run_in_threadpool(seq)}
