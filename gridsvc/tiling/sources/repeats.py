"""Members which stand twice in a JSON object: parsers take the last one, which may not be meant."""

from __future__ import annotations

import json
import re
from typing import Any

from gridsvc.errors import UnreadableFile

__all__ = ["RepeatError", "members_in", "once", "refuse_repeats"]

_MEMBER = re.compile(rb'"\s*:')


class RepeatError(ValueError):
    """A member stands twice in one object; its argument is the name."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its members, for ``json.loads(object_pairs_hook=once)``.

    Raises
    ------
    RepeatError
        A member stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatError(next(name for i, name in enumerate(names) if name in names[:i]))
    return found


def members_in(value: Any) -> int:
    """How many members the objects in a parsed value have."""
    if isinstance(value, dict):
        return len(value) + sum(members_in(v) for v in value.values() if isinstance(v, dict | list))
    if isinstance(value, list):
        return sum(members_in(v) for v in value if isinstance(v, dict | list))
    return 0


def refuse_repeats(text: bytes, members: int, source: str, row: int | None = None) -> None:
    """Refuse a JSON text in which a member stands twice.

    Parameters
    ----------
    members : int
        How many the parsed text has. A text with no more colons behind quotation marks repeats none, and is
        not parsed again.

    Raises
    ------
    UnreadableFile
        Naming the row and the member.
    """
    if len(_MEMBER.findall(text)) <= members:
        return
    try:
        json.loads(text, object_pairs_hook=once)
    except RepeatError as error:
        raise UnreadableFile(
            "this member stands twice in one object",
            source=source,
            row=row,
            field=error.args[0][:60],
            cure="give each member once: which of the two is meant cannot be told",
        ) from None
    except (ValueError, RecursionError):
        return  # not JSON as this parser has it; whoever parses it for its sake says so
