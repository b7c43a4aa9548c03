"""Text which any database can hold: no NUL, no halves of characters. All else is refused at the door."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import Request

from gridsvc.errors import InvalidInput
from gridsvc.text import is_text

__all__ = ["fault_in", "plain_text", "said_once"]


async def plain_text(request: Request) -> None:
    """A dependency of all routes.

    Raises
    ------
    InvalidInput
        The path or the query holds what is no text.
    """
    for name, value in (*request.path_params.items(), *request.query_params.multi_items()):
        if not is_text(str(value)):
            raise InvalidInput("holds what is no text", field=name, cure="give plain text")


async def said_once(request: Request) -> None:
    """A dependency of lookups, where two values would mean two answers.

    Raises
    ------
    InvalidInput
        A parameter comes twice.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1:
            raise InvalidInput(f"comes {count} times", field=name, cure="give it once")


def fault_in(document: Any) -> str | None:
    """Where a JSON document holds what is no text; None where it nowhere does."""
    waiting = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            if not is_text(value):
                return name
        elif isinstance(value, dict):
            waiting += ((str(key), key) for key in value)
            waiting += ((str(key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting += ((name, inner) for inner in value)
    return None
