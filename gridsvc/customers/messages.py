"""Messages about single customers: read row by row and checked, so that a bad one spoils no other."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from gridsvc.errors import InvalidInput, TooLarge

__all__ = ["LIMIT", "Message", "checked", "read_message", "read_rows", "utc"]

LIMIT = 10_000
"""Messages in one batch."""

_AHEAD = timedelta(days=1)
"""A message from further ahead would hide all that comes before its time: its clock is wrong."""

_FIRST, _LAST = 1900, 2200
_LONGEST = 512
_MOST_VALUES = 64

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Message(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a source says of a customer: the whole of it, from `valid_from` on.

    Attributes
    ----------
    source_updated_at : datetime
        When the source made the change: of two messages the later counts, whenever they come.
    valid_from, valid_to : datetime or None
        Half-open; from now on and without end if not given.
    lon, lat : float or None
        In the coordinate system of the request.
    code : str or None
        A cell, where there are no usable coordinates.
    values : dict
        Numbers and words which measures are made of, by the names of an import's columns.
    """

    id: str = ""
    source_updated_at: Moment
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    lon: float | None = None
    lat: float | None = None
    code: str | None = None
    premise: str | None = None
    values: dict[str, float | str | None] = {}


_row = msgspec.json.Decoder(Message)
_raw = msgspec.json.Decoder(list[msgspec.Raw])


def read_rows(body: bytes, *, lines: bool) -> list[bytes]:
    """The rows of a batch, unread: a bad one shall not spoil the others.

    Parameters
    ----------
    lines : bool
        One object a line (NDJSON) instead of a JSON list.

    Raises
    ------
    InvalidInput
        The body is no list.
    TooLarge
        More than `LIMIT` rows.
    """
    if lines:
        rows = [line for line in body.splitlines() if line.strip()]
    else:
        try:
            rows = [bytes(raw) for raw in _raw.decode(body)]
        except (msgspec.DecodeError, UnicodeDecodeError):
            cure = "send [{...}, ...], or one object a line as application/x-ndjson"
            raise InvalidInput("not a JSON list of customers", field="body", cure=cure) from None
    if len(rows) > LIMIT:
        cure = f"split it into batches of at most {LIMIT:,}"
        raise TooLarge(f"the batch has {len(rows):,} customers", field="body", cure=cure)
    return rows


def read_message(text: bytes, row: int | None, now: datetime, customer: str | None = None) -> Message:
    """One message, read and checked.

    Parameters
    ----------
    row : int or None
        Its number in the batch, from 1.
    customer : str or None
        The id, where the message itself does not say it.

    Raises
    ------
    InvalidInput
        Names the row and the field.
    """
    try:
        message = _row.decode(text)
    except msgspec.ValidationError as error:
        raise InvalidInput(_fault(str(error)), row=row, field=_field(str(error)), cure=_CURE) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("not a JSON object", row=row, field="body", cure=_CURE) from None
    if customer is not None:
        if message.id not in ("", customer):
            cure = "leave it out, or give that of the address"
            raise InvalidInput("another id than the address has", row=row, field="id", cure=cure)
        message.id = customer
    return checked(message, row, now)


_CURE = "send id, source_updated_at, lon and lat, and what else the reference names"


def _fault(text: str) -> str:
    """What the reader says, without the place, which is told apart. It never quotes values."""
    return text.partition(" - at `")[0].replace("`", "").lower()


def _field(text: str) -> str:
    path = text.partition(" - at `$")[2].rstrip("`").lstrip(".")
    if path:
        return path.replace("[...]", "")
    return text.split("`")[1] if "required field" in text or "unknown field" in text else "body"


def checked(message: Message, row: int | None, now: datetime) -> Message:
    """The message, its times in UTC and `valid_from` filled in.

    Raises
    ------
    InvalidInput
        No id, a text no database holds, an end before its start, a time far ahead, a negative value.
    """

    def refuse(what: str, name: str, cure: str) -> InvalidInput:
        return InvalidInput(what, row=row, field=name, cure=cure)

    if not message.id.strip() or len(message.id) > _LONGEST:
        raise refuse("no id, or a very long one", "id", f"give each an id of 1-{_LONGEST} characters")
    for name in ("id", "premise"):
        if not _is_text(getattr(message, name) or ""):
            raise refuse("holds what is no text", name, "give plain text")
    message.source_updated_at = utc(message.source_updated_at, "source_updated_at", row)
    if message.source_updated_at > now + _AHEAD:
        raise refuse("lies more than a day ahead", "source_updated_at", "check the clock of the source")
    message.valid_from = now if message.valid_from is None else utc(message.valid_from, "valid_from", row)
    if message.valid_to is not None:
        message.valid_to = utc(message.valid_to, "valid_to", row)
        if message.valid_to <= message.valid_from:
            cure = "give an end after valid_from, which is now unless given; DELETE ends a customer at once"
            raise refuse("the end is not after the start", "valid_to", cure)
    _check_values(message, refuse)
    return message


def utc(time: datetime, name: str, row: int | None = None) -> datetime:
    """A time with an offset in UTC.

    Raises
    ------
    InvalidInput
        It has no offset, or lies where calendars end.
    """
    if time.tzinfo is None:
        raise InvalidInput(
            "a time without offset", row=row, field=name, cure="write 2026-12-01T00:00:00+08:00"
        )
    if not _FIRST <= time.year <= _LAST:
        raise InvalidInput("not a time of our age", row=row, field=name, cure="check the year")
    return time.astimezone(UTC)


def _check_values(message: Message, refuse: Callable[[str, str, str], InvalidInput]) -> None:
    if len(message.values) > _MOST_VALUES:
        raise refuse(f"more than {_MOST_VALUES} values", "values", "send those which measures are made of")
    for name, value in message.values.items():
        if not _is_text(name) or (isinstance(value, str) and not _is_text(value)):
            raise refuse("holds what is no text", "values", "give plain text")
        if isinstance(value, float) and not (math.isfinite(value) and value >= 0):
            raise refuse("a negative number", f"values.{name}", "give a number of 0 or more")


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
