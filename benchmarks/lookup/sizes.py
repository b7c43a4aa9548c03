"""How large the inputs of the lookup's benchmarks are, and what is asked of the results."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["FULL", "QUICK", "Sizes"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of inputs and lengths of runs.

    Attributes
    ----------
    resolution, grids : int
        Of London; 9 gives 17,274 cells.
    many_cells : int
        Steps around a cell of the large publication; 577 gives 1,000,519 cells.
    many_customers : int
        Customers in the file whose size is told.
    points : int
        Different points asked one at a time.
    batch : int
        Points in one batch.
    seconds : float
        Each measurement of the service lasts so long.
    settle : float
        Seconds of use before anything counts, while compiled kernels are still being loaded.
    rounds : int
        How often all take their turn.
    starts, publishes : int
        Cold starts of each kind; publications waited for.
    loaded_seconds : float
        How long single questions are asked beside full batches.
    """

    resolution: int = 9
    grids: int = 60
    many_cells: int = 577
    many_customers: int = 10_000_000
    points: int = 20_000
    batch: int = 100_000
    seconds: float = 4
    settle: float = 6
    rounds: int = 5
    starts: int = 5
    publishes: int = 200
    loaded_seconds: float = 30

    def with_rounds(self, rounds: int) -> Sizes:
        """The same with another number of rounds."""
        return replace(self, rounds=rounds)


FULL = Sizes()
QUICK = Sizes(
    resolution=7,
    grids=12,
    many_cells=90,
    many_customers=100_000,
    points=500,
    batch=5_000,
    seconds=1,
    settle=3,
    rounds=1,
    starts=1,
    publishes=5,
    loaded_seconds=3,
)
