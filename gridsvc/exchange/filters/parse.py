"""CQL2 as text or JSON -> the tree of its JSON form."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

from gridsvc.errors import InvalidInput

__all__ = ["FilterLang", "Node", "parse"]

FilterLang = Literal["cql2-text", "cql2-json"]
Node = Any
"""A mapping with ``op`` and ``args``, ``property``, a geometry or a time; a list; or a plain value."""

_LONGEST = 4000
_DEEPEST = 40
_REPEATED = re.compile(r"(?:-\s*){20}|(?:\^[^\^]{0,9}){20}|(?:\bnot\b\s*){20}", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def parse(text: str, lang: FilterLang = "cql2-text") -> Node:
    """Read a filter.

    Raises
    ------
    InvalidInput
        It is no CQL2, and the message says where; or it is longer or deeper than is read.
    """
    _require_small(text)
    import cql2

    try:
        found = cql2.parse_json(text) if lang == "cql2-json" else cql2.parse_text(text)
        return _limited(found.to_json(), 0)
    except cql2.ParseError as error:
        raise _wrong(str(error)) from None


def _require_small(text: str) -> None:
    """The parser goes down as deep as the text does, and has only so much room."""
    plain = _QUOTED.sub("", text)
    depth = deepest = 0
    for character in plain:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if len(text) > _LONGEST or deepest > _DEEPEST or _REPEATED.search(plain):
        raise InvalidInput(
            f"longer than {_LONGEST} characters or deeper than {_DEEPEST} brackets",
            field="filter",
            cure="ask in several requests",
        )


def _wrong(told: str) -> InvalidInput:
    place = re.search(r"--> 1:(\d+)", told)
    at = f" at character {place[1]}" if place else ""
    return InvalidInput(f"no CQL2{at}", field="filter", cure="write it like team = 'T01' AND customers > 100")


def _limited(node: Node, depth: int) -> Node:
    """The tree, which must be no deeper than evaluation goes; numbers must be finite."""
    if depth > 4 * _DEEPEST:
        raise InvalidInput("too deep", field="filter", cure="ask in several requests")
    if isinstance(node, dict):
        return {name: _limited(inner, depth + 1) for name, inner in node.items()}
    if isinstance(node, list):
        return [_limited(inner, depth + 1) for inner in node]
    if isinstance(node, float) and orjson.dumps(node) == b"null":
        raise InvalidInput("holds a number which is none", field="filter", cure="give decimal numbers")
    return node
