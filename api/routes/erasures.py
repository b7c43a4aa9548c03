"""Forgetting customers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import Caller, Questions, current_app
from api.schemas.common import Slug
from api.schemas.erasures import ErasureOut, NewErasure
from gridsvc.services import erasure
from gridsvc.services.erasure import Folders

__all__ = ["router"]

router = APIRouter(prefix="/v1/territories/{territory}/erasures", tags=["customers"])


@router.post("", response_model=ErasureOut)
def erase_customer(
    territory: Slug,
    body: NewErasure,
    request: Request,
    response: Response,
    desk: Questions,
    who: Caller,
) -> Any:
    """Take a customer out of everything the service holds; a second time finds nothing, and harms nothing."""
    settings = current_app(request).settings
    folders = Folders(settings.uploads, settings.exports, settings.layers, settings.mapped)
    response.headers["Cache-Control"] = "no-store"
    return erasure.erase(desk, who, territory, body.customer, body.reason, folders)
