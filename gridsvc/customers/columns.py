"""Which column of a customers' file means what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridsvc.errors import UnknownColumn

__all__ = ["Columns", "require_column"]

# Usual names in order of preference, compared without case, blanks, `_` and `-`.
_USUAL = {
    "id": (
        *("id", "customerid", "custid", "customerno", "accountid", "accountno", "account", "meterid", "uid"),
        *("用户编号", "客户编号", "用户号", "客户号", "户号", "编号"),
    ),
    "lon": ("lon", "lng", "long", "longitude", "经度", "x", "easting"),
    "lat": ("lat", "latitude", "纬度", "y", "northing"),
    "code": (
        *("cell", "cellid", "h3", "h3index", "h3cell", "areacode", "code"),
        *("单元", "单元编码", "区域编码", "行政区划代码", "区划代码", "编码"),
    ),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns which matter.

    Attributes
    ----------
    id, lon, lat, code : str or None
        None looks for a usual name (``id``, ``customer_id``, ``用户编号``; ``lon``, ``lng``, ``longitude``,
        ``x``, ``经度``; ``lat``, ``latitude``, ``y``, ``纬度``; ``cell``, ``h3``, ``area_code``, ``code``
        and the like). After `resolve`, None means that there is no such column.
    place_key : str or None
        Rows with the same text in it are one premise. Never guessed: it changes where rows go.
    """

    id: str | None = None
    lon: str | None = None
    lat: str | None = None
    code: str | None = None
    place_key: str | None = None

    def resolve(self, names: Sequence[str], source: str) -> Columns:
        """Every named column checked, every other one looked for among `names`.

        Raises
        ------
        UnknownColumn
            A named column is not there; the message lists those which are.
        """
        for name in (self.id, self.lon, self.lat, self.code, self.place_key):
            if name is not None:
                require_column(name, names, source)
        found = {
            role: getattr(self, role) or _usual(role, [n for n in names if n != self.place_key])
            for role in _USUAL
        }
        return Columns(**found, place_key=self.place_key)


def require_column(name: str, names: Sequence[str], source: str) -> None:
    """Raise `UnknownColumn`, listing the columns there are, unless `name` is among `names`."""
    if name not in names:
        there = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
        raise UnknownColumn(
            "no such column", source=source, field=name, cure=f"the columns are: {there}", columns=list(names)
        )


def _usual(role: str, names: Sequence[str]) -> str | None:
    plain = {
        name.casefold().replace("_", "").replace("-", "").replace(" ", ""): name for name in reversed(names)
    }
    return next((plain[usual] for usual in _USUAL[role] if usual in plain), None)
