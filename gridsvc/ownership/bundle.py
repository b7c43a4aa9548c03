"""All a lookup needs in one file, without customers and people: for use with no service at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridsvc.ownership.batch import BatchAnswer
from gridsvc.ownership.container import Container, DamagedFileError, write_container
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.teams.model import Roster, Team
from gridsvc.tiling.places import Places

__all__ = ["Bundle"]

_KIND = "snapshot"
_PLACES, _HOLDINGS = "places.", "holdings."


@dataclass(frozen=True)
class Bundle:
    """One publication with the names of its teams.

    Attributes
    ----------
    snapshot : Snapshot
        Answers single questions; it knows teams, but nobody in them.
    """

    snapshot: Snapshot

    @classmethod
    def of(cls, snapshot: Snapshot) -> Bundle:
        """What may be handed out of a snapshot: no people, no name list."""
        roster = snapshot.roster
        teams = tuple(Team(team.id, team.name) for team in roster.teams)
        bare = Roster((), (), teams, (), fallback=roster.fallback)
        moment = snapshot.moment
        since = Moment(moment.publication, moment.roster, 0, moment.valid_from)
        return cls(Snapshot(snapshot.holdings, snapshot.places, snapshot.tiling, bare, since))

    @classmethod
    def open(cls, path: Path, *, verify: bool = False) -> Bundle:
        """Map the file which `write` wrote.

        Raises
        ------
        FileNotFoundError, DamagedFileError
        """
        found = Container.open(path, _KIND, verify=verify)
        meta = found.meta
        try:
            places = Places.of_arrays(meta["places"], _part(found.arrays, _PLACES))
            held = Holdings.of_arrays(meta["holdings"], _part(found.arrays, _HOLDINGS))
        except (KeyError, ValueError) as error:
            raise DamagedFileError(f"{path.name} has other arrays than this version's") from error
        teams = tuple(Team(team, name) for team, name in meta["teams"])
        roster = Roster((), (), teams, (), fallback=meta["fallback"])
        moment = Moment(meta["publication"], meta["roster"], 0, datetime.fromisoformat(meta["valid_from"]))
        return cls(Snapshot(held, places, meta["tiling"], roster, moment))

    @property
    def teams(self) -> list[tuple[str, str]]:
        """Ids and names."""
        return [(team.id, team.name) for team in self.snapshot.roster.teams]

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        snapshot, moment = self.snapshot, self.snapshot.moment
        held, places = snapshot.holdings, snapshot.places
        meta = {
            "territory": held.territory,
            "line": held.line,
            "publication": moment.publication,
            "roster": moment.roster,
            "valid_from": moment.valid_from.isoformat(),
            "tiling": snapshot.tiling,
            "teams": self.teams,
            "fallback": snapshot.roster.fallback,
            "places": places.meta(),
            "holdings": held.meta(),
        }
        arrays = {f"{_PLACES}{name}": array for name, array in places.arrays().items()}
        arrays |= {f"{_HOLDINGS}{name}": array for name, array in held.arrays().items()}
        write_container(path, _KIND, meta, arrays)

    def lookup(
        self, lat: ArrayLike, lon: ArrayLike, *, crs: str = "wgs84", compiled: bool = False
    ) -> BatchAnswer:
        """Owners of points.

        Parameters
        ----------
        lat, lon : array_like of float, shape (n,), degrees, or metres of a projected `crs`
        compiled : bool
            Use compiled kernels (needs numba; the first call may wait for the compiler).

        Returns
        -------
        BatchAnswer
            ``rows`` and ``owner`` are arrays of numbers at once; ``status``, ``cell``, ``grid``, ``team`` and
            ``rule`` are made when they are asked for.
        """
        if compiled:
            self.snapshot.places.warm()
        x, y = (np.asarray(axis, np.float64) for axis in (lon, lat))
        return self.snapshot.batch(x, y, crs=crs)


def _part(arrays: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
