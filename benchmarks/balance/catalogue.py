"""Which cases are run: instance, number of grids, tolerance, and who takes part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.balance.bar import BAR, Line

__all__ = ["FULL", "NEEDS", "QUICK", "Case"]

# The peers, by their names in the public benchmark, and the module or program each needs.
NEEDS: Mapping[str, str] = {
    "pymetis contig": "pymetis",
    "gpmetis 2-constraint": "gpmetis",
    "gpmetis 2-constr contig": "gpmetis",
    "mtkahypar quality": "mtkahypar",
    "kahip strong": "kahip",
    "kahip eco": "kahip",
    "kaminpar strong": "kaminpar",
    "hess LP (HiGHS)": "scipy",
    "gerrychain tree": "gerrychain",
    "gerrychain bursts": "gerrychain",
    "spopt WardSpatial": "spopt",
    "spopt Skater": "spopt",
    "spopt RegionKMeans": "spopt",
    "spopt AZP": "spopt",
    "spopt MaxP": "spopt",
    "kmeans (no balance)": "scipy",
}
_ALL = tuple(NEEDS)
# With another tolerance most peers give the plan they gave before.
_FEW = ("pymetis contig", "gpmetis 2-constr contig", "mtkahypar quality", "hess LP (HiGHS)")
_FRONT = (0.0, 25.0, 75.0, 100.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One instance to be cut into so many grids.

    Attributes
    ----------
    instance : str
        Name in `benchmarks.balance.instances.INSTANCES`.
    kind : {"public", "unseen", "own"}
    k : int
    tolerance : float
        0.05 is 5 %.
    peers : tuple of str
    was : str, optional
        Instance whose plan is in force: as little of it as possible should move.
    front : tuple of float
        Further values of compactness to show, where balance and compactness pull apart.
    pictured : bool
    """

    instance: str
    kind: str
    k: int
    tolerance: float = 0.05
    peers: tuple[str, ...] = _ALL
    was: str | None = None
    front: tuple[float, ...] = ()
    pictured: bool = False

    @property
    def name(self) -> str:
        """As it stands in the tables."""
        return f"{self.instance} / {self.k}, {100 * self.tolerance:g} %"

    @property
    def line(self) -> Line | None:
        """Its line of the bar, if there is one."""
        return BAR.get((self.instance, self.k, self.tolerance))


# Small before large: a peer over the limit is not tried on more cells.
FULL: tuple[Case, ...] = (
    Case("planar500", "public", 10),
    Case("planar500", "public", 20),
    Case("planar500-new", "unseen", 10, peers=_FEW),
    Case("planar500-new", "unseen", 20),
    Case("islands600", "own", 15, peers=_FEW),
    Case("london983", "public", 33, pictured=True),
    Case("london983", "public", 60, front=_FRONT, pictured=True),
    Case("planar1000", "public", 20),
    Case("planar1000", "public", 50),
    Case("planar1000-new", "unseen", 50, peers=_FEW),
    Case("city2k", "public", 20, pictured=True),
    Case("city2k", "public", 4, 0.02),
    Case("shenzhen2k", "unseen", 20),
    Case("shenzhen2k", "unseen", 4, 0.02, peers=_FEW),
    Case("drift2k", "own", 20, front=_FRONT),
    Case("london_h3", "public", 60, pictured=True),
    Case("london_h3", "public", 150, front=_FRONT, pictured=True),
    Case("city20k", "public", 200, pictured=True),
    Case("city20k", "public", 200, 0.03, peers=_FEW),
    Case("city20k", "public", 40),
    Case("city20k-year", "own", 200, peers=_FEW, was="city20k"),
    Case("beijing20k", "unseen", 200),
    Case("beijing20k", "unseen", 40, peers=_FEW),
    Case("lagos60k", "unseen", 600, peers=_FEW),
    Case("city150k", "public", 1500, pictured=True),
    Case("city150k", "public", 1500, 0.03, peers=_FEW),
    Case("city150k", "public", 300),
    Case("city150k", "public", 300, 0.02, peers=_FEW),
    Case("city500k", "public", 5000, peers=_FEW),
)
QUICK: tuple[Case, ...] = (Case("tiny200", "own", 8), Case("tiny-city", "own", 12))
