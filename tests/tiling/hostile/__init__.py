"""Files made to hurt, or spoilt as files are in practice; each with what must come of it.

``rows`` says how many rows the right answer has; ``fault`` is a pattern of the refusal, which names the row
and field where there is one. None of these lies in the repository: they are made where they are needed.
"""

from tests.tiling.hostile import archives, containers, geojson, more, tables
from tests.tiling.hostile.case import CASES, Case

__all__ = ["CASES", "Case", "archives", "containers", "geojson", "more", "tables"]
