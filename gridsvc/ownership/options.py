"""What a batch's body may say beside its points."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gridsvc.errors import InvalidInput

__all__ = ["OPTIONS", "Options", "checked_options", "options_of"]


class Options(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Members beside the points, as JSON has them; a null counts as not given where it is allowed."""

    territory: str | msgspec.UnsetType | None = msgspec.UNSET
    line: str | msgspec.UnsetType = msgspec.UNSET
    crs: str | msgspec.UnsetType = msgspec.UNSET
    as_of: str | msgspec.UnsetType | None = msgspec.UNSET
    as_known: str | msgspec.UnsetType | None = msgspec.UNSET
    min_seq: int | msgspec.UnsetType | None = msgspec.UNSET
    strict: bool | msgspec.UnsetType = msgspec.UNSET
    lang: str | msgspec.UnsetType | None = msgspec.UNSET

    def given(self) -> dict[str, Any]:
        """Members which the body had, nulls included."""
        named = ((name, getattr(self, name)) for name in OPTIONS)
        return {name: value for name, value in named if value is not msgspec.UNSET}


OPTIONS: tuple[str, ...] = Options.__struct_fields__

_KINDS = {"min_seq": "a whole number", "strict": "true or false"}
_TIMES = ("as_of", "as_known")


def checked_options(members: dict[str, Any]) -> dict[str, Any]:
    """Options from decoded JSON, of the same types as the quick way demands.

    Raises
    ------
    InvalidInput
        One is of another kind; unknown ones are for the caller to find.
    """
    for name, value in members.items():
        try:
            msgspec.convert({name: value}, Options)
        except msgspec.ValidationError:
            kind = _KINDS.get(name, "text")
            raise InvalidInput(f"{name} is not {kind}", field=name, cure=f"give {kind}") from None
    return options_of(members)


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """Options of the right types -> their values: times as `datetime`, nulls left out."""
    options = {name: value for name, value in given.items() if value is not None}
    for name, value in options.items():
        if isinstance(value, str) and not value.isprintable():
            raise InvalidInput(f"{name} holds what is no text", field=name, cure="give plain text")
    for name in _TIMES:
        if name in options:
            options[name] = _time(name, options[name])
    if not 0 <= options.get("min_seq", 0) < 2**63:
        raise InvalidInput(
            "not a count of commits", field="min_seq", cure="give the seq of an answer you have"
        )
    if options.get("lang", "en") not in {"en", "zh"}:
        raise InvalidInput("no such language", field="lang", cure="give en or zh")
    return options


def _time(name: str, text: str) -> datetime:
    cure = "write 2026-12-01T00:00:00+08:00"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("not a time", field=name, cure=cure) from None
    if found.tzinfo is None:
        raise InvalidInput("a time without offset", field=name, cure=cure)
    return found
