"""Whether the service is alive, and whether it may be asked."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.deps import current_app
from gridsvc.services import readiness

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, str | int]:
    """The database answers too, there is room on the disk, the clock is right; else 503 with the `reason`."""
    app = current_app(request)
    seq = readiness.look(app.database, {app.settings.data_dir, app.settings.mapped})
    return {"status": "ready", "seq": seq}
