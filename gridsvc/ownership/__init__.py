"""Publication -> snapshot -> who owns a point, a cell, a customer.

A snapshot which was fetched from a service answers by itself::

    from gridsvc import ownership

    found = ownership.open("north.snapshot").lookup(lat, lon)
    found.grid, found.cell
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridsvc.ownership.bundle import Bundle

__all__ = ["open"]


def open(path: str | PathLike[str]) -> Bundle:  # noqa: A001 - what one does with a file
    """Open a snapshot file as `GET /v1/publications/{n}/snapshot` gives it.

    Raises
    ------
    InvalidInput
        It is no snapshot, or not whole, or one of another version.
    """
    from gridsvc.errors import UnreadableFile
    from gridsvc.ownership.bundle import Bundle
    from gridsvc.ownership.container import DamagedFileError

    file = Path(path)
    try:
        return Bundle.open(file, verify=True)
    except FileNotFoundError:
        raise UnreadableFile("there is no such file", source=file.name, cure="check the name") from None
    except DamagedFileError as error:
        raise UnreadableFile(str(error), source=file.name, cure="fetch it again") from None
