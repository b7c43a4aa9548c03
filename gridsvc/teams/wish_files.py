"""Wishes and posts from CSV files."""

from __future__ import annotations

from pathlib import Path

from gridsvc.errors import InvalidInput
from gridsvc.teams.read import _flag, _number, _rows
from gridsvc.teams.staffing import Post
from gridsvc.teams.wishes import Need, Pin

__all__ = ["read_demand", "read_needs", "read_owners", "read_pins"]


def read_owners(path: Path) -> dict[str, str]:
    """Today's owners: ``grid,team``, as `gridsvc assign` writes it.

    Raises
    ------
    UnreadableFile, UnknownColumn
        It is no such file.
    InvalidInput
        A grid has two owners.
    """
    owners: dict[str, str] = {}
    for number, row in enumerate(_rows(path, ("grid", "team")), 1):
        if owners.setdefault(row["grid"], row["team"]) != row["team"]:
            raise InvalidInput(
                f"grid {row['grid']!r} has an owner already",
                source=path.name, row=number, field="grid", cure="give each grid one row",
            )  # fmt: skip
    return owners


def read_pins(path: Path) -> tuple[Pin, ...]:
    """Pins and bans: ``grid,team`` and if wanted ``ban`` (true, or empty)."""
    rows = enumerate(_rows(path, ("grid", "team")), 1)
    return tuple(Pin(row["grid"], row["team"], _flag(path.name, n, row, "ban")) for n, row in rows)


def read_needs(path: Path) -> tuple[Need, ...]:
    """Skills and languages grids need: ``grid,needs``, needs apart by semicolons."""
    return tuple(Need(_parts(row["needs"]), row["grid"]) for row in _rows(path, ("grid", "needs")))


def read_demand(path: Path) -> tuple[Post, ...]:
    """Posts: ``role,posts`` or ``role,measure,per_post``; ``team``, ``departments``, ``skills`` if wanted."""
    posts = []
    for number, row in enumerate(_rows(path, ("role",)), 1):
        given = {name: _number(path.name, number, row, name) for name in ("posts", "per_post")}
        posts.append(
            Post(
                row["role"],
                row.get("team") or None,
                given["posts"],
                row.get("measure") or None,
                given["per_post"],
                _parts(row.get("departments", "")),
                _parts(row.get("skills", "")),
            )
        )
    return tuple(posts)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
