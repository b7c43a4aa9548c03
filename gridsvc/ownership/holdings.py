"""Which grid holds which cell: what a lookup needs of a publication, as a file that is mapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.ownership.container import Container, write_container
from gridsvc.ownership.publication import Overlay, Publication
from gridsvc.plans.plan import Grid

__all__ = ["Holdings"]

_KIND = "publication"


@dataclass(frozen=True, eq=False)
class Holdings:
    """The cells of a tiling dealt out to the grids of a publication.

    Attributes
    ----------
    territory, line : str
    labels : integer array, shape (n_cells,)
        Position in `grids` of each cell's grid; -1 where a cell has none. May be a read-only map.
    grids : tuple of Grid
    overlays : tuple of Overlay
        Carve-outs which go before the cells under them.
    """

    territory: str
    line: str
    labels: NDArray[Any]
    grids: tuple[Grid, ...]
    overlays: tuple[Overlay, ...] = ()

    @property
    def first_overlay(self) -> int:
        """Code of the first overlay: those of grids stand before it."""
        return len(self.grids)

    @property
    def fallback(self) -> int:
        """Code of places which no grid has."""
        return self.first_overlay + len(self.overlays)

    @property
    def outside(self) -> int:
        """Code of places outside the territory; behind it stands that of what is no place."""
        return self.fallback + 1

    @classmethod
    def of(cls, publication: Publication) -> Holdings:
        """What a publication says, its labels in as few bytes as they need."""
        narrow = np.int16 if len(publication.grids) <= np.iinfo(np.int16).max else np.int32
        labels = publication.labels.astype(narrow)
        return cls(publication.territory, publication.line, labels, publication.grids, publication.overlays)

    @classmethod
    def open(cls, path: Path, *, verify: bool = False) -> Holdings:
        """Map the file which `write` wrote.

        Raises
        ------
        FileNotFoundError, DamagedFileError
        """
        found = Container.open(path, _KIND, verify=verify)
        return cls.of_arrays(found.meta, found.arrays)

    @classmethod
    def of_arrays(cls, meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Holdings:
        """Make it again of what `meta` and `arrays` gave; nothing is copied."""
        overlays = tuple(
            Overlay(code, name, team, shapely.from_wkb(shape)) for code, name, team, shape in meta["overlays"]
        )
        grids = tuple(Grid(*grid) for grid in meta["grids"])
        return cls(meta["territory"], meta["line"], arrays["labels"], grids, overlays)

    def meta(self) -> dict[str, Any]:
        """All but the labels, as JSON values."""
        return {
            "territory": self.territory,
            "line": self.line,
            "grids": [[g.code, g.name, g.team, g.carve_out, g.parent] for g in self.grids],
            "overlays": [
                [o.code, o.name, o.team, shapely.to_wkb(o.polygon, hex=True)] for o in self.overlays
            ],
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The labels."""
        return {"labels": self.labels}

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        write_container(path, _KIND, self.meta(), self.arrays())
