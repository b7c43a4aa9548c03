"""A batch's answers as a document: JSON columns, JSON objects or an Arrow stream.

JSON allows blanks between its tokens. So a column is a matrix of bytes, one row a point, gathered from a
table with one row an owner, each padded with blanks; a list of objects likewise, with the cell written in at
a fixed place. No value is touched by Python. Where that would not pay (few points, or one name much longer
than the others) the same tokens are joined one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from gridsvc.ownership.batch import BatchAnswer, Owners
from gridsvc.ownership.points import Form

__all__ = ["MEDIA_TYPES", "Facts", "distinct_cells", "render"]

Bytes = NDArray[np.uint8]
Piece = bytes | memoryview

MEDIA_TYPES: dict[Form, str] = {
    "columns": "application/json",
    "objects": "application/json",
    "points": "application/json",
    "arrow": "application/vnd.apache.arrow.stream",
}

_COMMA, _BLANK, _QUOTE = b', "'
_NULL = b"null"
_HEX_TOKEN = 17  # 15 digits of an H3 cell in quotation marks


class Facts(NamedTuple):
    """The state of the world which all answers of a batch speak of."""

    territory: str
    publication: int
    roster: int | None
    seq: int


def render(answer: BatchAnswer, facts: Facts, form: Form) -> bytes:
    """Write the answers down in the form the points came in; `MEDIA_TYPES` names each form's type.

    ``columns`` is one object with a list a column, ``objects`` a bare list with an object a point, ``points``
    that list as a member beside the facts, and ``arrow`` an IPC stream with the facts as its metadata.
    """
    if form == "arrow":
        from gridsvc.ownership.arrow_columns import render_arrow

        return render_arrow(answer, facts)
    if form == "objects":
        return b"".join((b"[", _objects(answer), b"]"))
    head = orjson.dumps(facts._asdict())[:-1]
    if form == "points":
        return b"".join((head, b',"points":[', _objects(answer), b"]}"))
    return b"".join((head, *_columns(answer), b"}"))


@lru_cache(16)
def _tokens(owners: Owners) -> dict[str, list[bytes]]:
    """The words of each column as JSON; kept, as a publication answers many batches."""
    columns = {"status": owners.status, "grid": owners.grid, "team": owners.team, "rule": owners.rule}
    return {name: [orjson.dumps(word) for word in words] for name, words in columns.items()}


def _columns(answer: BatchAnswer) -> list[Piece]:
    tokens = _tokens(answer.owners)
    owner = answer.owner.astype(np.intp)
    parts: list[Piece] = []
    for name in ("status", "cell", "grid", "team", "rule"):
        listed = _cells(answer) if name == "cell" else _listed(tokens[name], owner)
        parts += [b',"%b":[' % name.encode(), listed, b"]"]
    return parts


def _cells(answer: BatchAnswer) -> Piece:
    if answer.places.kind != "h3":
        names, codes = distinct_cells(answer)
        return _listed([orjson.dumps(name) for name in names], codes)
    listed = np.empty((len(answer), _HEX_TOKEN + 1), np.uint8)
    _write_hexes(listed, answer)
    listed[:, -1] = _COMMA
    return _without_last_comma(listed)


def _write_hexes(target: Bytes, answer: BatchAnswer) -> None:
    """Write each point's H3 cell as a JSON token into the first columns of `target`."""
    target[:, 0] = target[:, _HEX_TOKEN - 1] = _QUOTE
    target[:, 1 : _HEX_TOKEN - 1] = answer.places.hex_bytes(answer.rows)
    target[answer.rows < 0, :_HEX_TOKEN] = np.frombuffer(_NULL.ljust(_HEX_TOKEN), np.uint8)


def distinct_cells(answer: BatchAnswer) -> tuple[list[str | None], NDArray[np.intp]]:
    """Ids of the cells in an answer, each once, and each point's position in them, shape (n,)."""
    rows, known = answer.rows, len(answer.places)
    if len(rows) * 8 < known:
        found, codes = np.unique(rows, return_inverse=True)
    else:  # marking is quicker than sorting; the last mark stands for no cell
        seen = np.zeros(known + 1, bool)
        seen[rows] = True
        found = np.flatnonzero(seen)
        codes = (np.cumsum(seen) - 1)[rows]
        found[found == known] = -1
    return answer.places.names(found).tolist(), codes


def _listed(tokens: Sequence[bytes], codes: NDArray[np.intp]) -> Piece:
    """``token,token,...`` of coded tokens."""
    width = _width(tokens, codes)
    if width is None:
        return b",".join([tokens[code] for code in codes.tolist()])
    return _without_last_comma(_table(tokens, width, b",").take(codes, axis=0))


def _width(tokens: Sequence[bytes], codes: NDArray[np.intp]) -> int | None:
    """Bytes of the longest token that occurs; None where padding all to it would not pay."""
    if len(codes) <= len(tokens):
        return None
    lengths = np.fromiter(map(len, tokens), np.intp, len(tokens))
    counts = np.bincount(codes, minlength=len(tokens))
    width = int(lengths[counts > 0].max())
    return width if width * len(codes) <= 2 * int(counts @ lengths) else None


def _table(tokens: Sequence[bytes], width: int, end: bytes) -> Bytes:
    """Tokens as rows of equal width, shape (n_tokens, width + len(end)); longer ones, not in use, are cut."""
    rows = b"".join([token[:width].ljust(width) + end for token in tokens])
    return np.frombuffer(rows, np.uint8).reshape(len(tokens), width + len(end))


def _without_last_comma(rows: Bytes) -> memoryview:
    if len(rows):
        rows[-1, -1] = _BLANK
    return rows.data


def _objects(answer: BatchAnswer) -> Piece:
    """``{...},{...},...``, an object a point."""
    owner = answer.owner.astype(np.intp)
    heads, tails = _ends(answer, owner)
    before, behind = _width(heads, owner), _width(tails, owner)
    cells = _HexCells(answer) if answer.places.kind == "h3" else _NamedCells(answer)
    if before is None or cells.width is None or behind is None:
        return _chained(heads, cells.tokens(), tails, owner)
    rows = _stencilled(heads, tails, owner, (before, cells.width, behind))
    cells.write(rows[:, before : before + cells.width])
    return _without_last_comma(rows)


class _HexCells:
    """Tokens of H3 cells, which are equally long."""

    width: int | None = _HEX_TOKEN

    def __init__(self, answer: BatchAnswer) -> None:
        self._answer = answer

    def write(self, target: Bytes) -> None:
        """Write each point's token into a row of `target`, shape (n, width)."""
        _write_hexes(target, self._answer)

    def tokens(self) -> list[bytes]:
        """Each point's token."""
        rows = np.empty((len(self._answer), _HEX_TOKEN), np.uint8)
        self.write(rows)
        line = rows.tobytes()
        return [line[at : at + _HEX_TOKEN] for at in range(0, len(line), _HEX_TOKEN)]


class _NamedCells:
    """Tokens of cells with names of any length."""

    def __init__(self, answer: BatchAnswer) -> None:
        names, self._codes = distinct_cells(answer)
        self._tokens = [orjson.dumps(name) for name in names]
        self.width = _width(self._tokens, self._codes)

    def write(self, target: Bytes) -> None:
        """Write each point's token into a row of `target`, shape (n, width)."""
        target[:] = _table(self._tokens, target.shape[1], b"").take(self._codes, axis=0)

    def tokens(self) -> list[bytes]:
        """Each point's token."""
        return [self._tokens[code] for code in self._codes.tolist()]


def _ends(answer: BatchAnswer, owner: NDArray[np.intp]) -> tuple[list[bytes], list[bytes]]:
    """What stands before and behind the cell in the objects of each owner; empty for owners of no point."""
    tokens = _tokens(answer.owners)
    heads = [b""] * len(answer.owners)
    tails = heads.copy()
    for code in np.flatnonzero(np.bincount(owner, minlength=len(heads))).tolist():
        heads[code] = b'{"status":%b,"cell":' % tokens["status"][code]
        rest = (tokens[name][code] for name in ("grid", "team", "rule"))
        tails[code] = b',"grid":%b,"team":%b,"rule":%b}' % tuple(rest)
    return heads, tails


def _stencilled(
    heads: list[bytes], tails: list[bytes], owner: NDArray[np.intp], widths: tuple[int, int, int]
) -> Bytes:
    """Objects as rows of equal width: head, place for the cell, tail."""
    before, middle, behind = widths
    stencils = [
        # Blanks may follow the colon and the closing brace.
        head.ljust(before + middle) + tail.ljust(behind) + b","
        for head, tail in zip(heads, tails, strict=True)
    ]
    table = np.frombuffer(b"".join(stencils), np.uint8).reshape(len(stencils), -1)
    return table.take(owner, axis=0)


def _chained(heads: list[bytes], cells: list[bytes], tails: list[bytes], owner: NDArray[np.intp]) -> bytes:
    codes = owner.tolist()
    pieces = [b","] * (4 * len(codes))
    pieces[0::4] = [heads[code] for code in codes]
    pieces[1::4] = cells
    pieces[2::4] = [tails[code] for code in codes]
    return b"".join(pieces[:-1])
