"""A base map under the cells on the page, if the operator names one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from gridsvc.errors import InvalidInput

__all__ = ["BaseMap", "Shift", "parse"]

Shift = Literal["wgs84", "gcj02"]

_FIELD = "GRIDSVC_BASE_MAP"
_CURE = "give https://host/{z}/{x}/{y}.png, several with spaces between them, or one address of a style"
_PLACES = ("{z}", "{x}", "{y}")
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class BaseMap:
    """Tiles or a style which browsers fetch for themselves.

    Attributes
    ----------
    tiles : tuple of str
        Templates of picture tiles, drawn one over the other; empty where there is a style.
    style : str or None
        Address of a MapLibre style.
    crs : "wgs84" or "gcj02"
        What the tiles are drawn in; those in GCJ-02 are put where they belong.
    hosts : tuple of str
        Origins they come from, other than this service: what the page may ask besides it.
    """

    tiles: tuple[str, ...]
    style: str | None
    crs: Shift
    credit: str
    hosts: tuple[str, ...]


def parse(text: str, crs: Shift = "wgs84", credit: str = "") -> BaseMap | None:
    """Read the settings; None where no base map is named.

    Raises
    ------
    InvalidInput
        An address cannot be one, tiles and a style are mixed, or a style is to be shifted.
    """
    addresses = text.split()
    if not addresses:
        return None
    hosts = tuple(dict.fromkeys(host for host in map(_host_of, addresses) if host))
    tiles = tuple(address for address in addresses if all(place in address for place in _PLACES))
    if len(tiles) == len(addresses):
        return BaseMap(tiles, None, crs, credit, hosts)
    if len(addresses) > 1:
        raise InvalidInput(
            "an address without {z}, {x} and {y} is a style, and stands alone", field=_FIELD, cure=_CURE
        )
    if crs != "wgs84":
        raise InvalidInput(
            "only picture tiles can be put from GCJ-02 to where they belong",
            field="GRIDSVC_BASE_MAP_CRS",
            cure="give picture tiles, or a style drawn in WGS-84",
        )
    return BaseMap((), addresses[0], crs, credit, hosts)


def _host_of(address: str) -> str | None:
    """The origin of an address; None of a path on this service."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidInput("no address of tiles or of a style", field=_FIELD, cure=_CURE) from None
    if address.startswith("/") and not parts.netloc:
        return None
    name = f"[{host}]" if ":" in host else host
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(name) or "@" in parts.netloc:
        raise InvalidInput("no address of tiles or of a style", field=_FIELD, cure=_CURE)
    return f"{parts.scheme}://{name}" + ("" if port is None else f":{port}")
