"""Origins as operators name them: where pages come from which may ask."""

from __future__ import annotations

import re

from gridsvc.errors import InvalidInput

__all__ = ["origins_of"]

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")


def origins_of(text: str) -> list[str]:
    """The origins which a setting names.

    Raises
    ------
    InvalidInput
        One is none, or stands for several.
    """
    named = [origin.strip() for origin in text.split(",") if origin.strip()]
    for origin in named:
        if not _ORIGIN.fullmatch(origin):
            raise InvalidInput(
                f"{origin!r} is no origin",
                field="GRIDSVC_CORS_ORIGINS",
                cure="write each as https://maps.example.com, with its port if it has one",
            )
    return named
