"""Column types which mean the same on PostGIS and on the embedded database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from geoalchemy2 import Geometry as PostgisGeometry
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["SERIAL", "Geometry", "Json", "UtcDateTime", "to_wkb"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WGS84 = 4326

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A key the database counts up by itself: only INTEGER does so on SQLite."""

Json = JSON(none_as_null=True)
"""JSON kept as it was written; ``jsonb`` would reorder the members of a stored answer."""


def to_wkb(geometry: Any, dialect: Dialect) -> Any:
    """One geometry or an array of them as the dialect's driver takes it: hex EWKB, or WKB bytes."""
    if dialect.name == "postgresql":
        return shapely.to_wkb(shapely.set_srid(geometry, _WGS84), hex=True, include_srid=True)
    return shapely.to_wkb(geometry)


class Geometry(TypeDecorator[Any]):
    """A shapely geometry in WGS-84: PostGIS ``geometry``, or WKB bytes on SQLite.

    Parameters
    ----------
    kind : str
        ``GEOMETRY`` or ``MULTIPOLYGON``; a polygon handed to the latter is stored as a multipolygon.
    """

    impl = PostgisGeometry
    cache_ok = True

    def __init__(self, kind: str = "GEOMETRY") -> None:
        super().__init__(geometry_type=kind, srid=_WGS84, spatial_index=False)
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored type of the dialect."""
        # GeoAlchemy2's listeners ask without a dialect; they mean PostGIS.
        if getattr(dialect, "name", "postgresql") == "postgresql":
            return PostgisGeometry(self.kind, _WGS84, spatial_index=False)
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Turn a shapely geometry into what the driver takes."""
        if value is None:
            return None
        if self.kind == "MULTIPOLYGON" and value.geom_type == "Polygon":
            value = shapely.MultiPolygon([value])
        return to_wkb(value, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Turn what the driver gives into a shapely geometry (without SRID on either database)."""
        if value is None:
            return None
        wkb = bytes(value.data) if dialect.name == "postgresql" else value
        return shapely.set_srid(shapely.from_wkb(wkb), 0)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: ``timestamptz``, or microseconds since 1970 on SQLite; always read back as aware UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored type of the dialect."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a time without a zone, whose meaning would depend on the machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time must say its zone")
        if dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the instant in UTC."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        return _EPOCH + timedelta(microseconds=value)
