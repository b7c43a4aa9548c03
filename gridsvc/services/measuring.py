"""What an import measured, with what was told of its customers by a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from gridsvc.customers.measures import parse_measure
from gridsvc.customers.remeasure import remeasure
from gridsvc.errors import InvalidInput
from gridsvc.store.changes import Standing
from gridsvc.store.database import Reader
from gridsvc.store.records import ImportRecord, MeasureRecord

__all__ = ["Told", "measured", "told_of"]


@dataclass(frozen=True, slots=True)
class Told:
    """Customers of whom messages tell, against an import.

    Attributes
    ----------
    before : dict of id to int
        Cell of each in the import, -1 unplaced; only those it has.
    now : list of Standing
        Where messages put them.
    """

    before: dict[str, int]
    now: list[Standing]


def told_of(reader: Reader, record: ImportRecord, at: datetime) -> Told:
    """What messages behind an import tell of customers at a time."""
    now = reader.changes.told_all(record.territory, record.behind, at)
    moved = [replace(s, cell=s.cell if s.there and s.tiling == record.tiling else -1) for s in now]
    return Told(reader.customers.cells_of(record.id, [state.id for state in now]), moved)


def measured(reader: Reader, record: ImportRecord, at: datetime) -> dict[str, MeasureRecord]:
    """Measures of an import with what was told by a time; only cells which changed are counted anew.

    Raises
    ------
    InvalidInput
        The import kept no column which a measure is made of: it was taken in by an older version.
    """
    found = reader.tilings.imported_measures(record.tiling, record.id)
    told = told_of(reader, record, at)
    touched = {cell for cell in told.before.values() if cell >= 0} | {s.cell for s in told.now if s.cell >= 0}
    if not touched:
        return found
    rows = reader.customers.valued(record.id, sorted(touched))
    anew = {state.id for state in told.now}
    kept = [(cell, values) for name, cell, values in rows if name not in anew]
    _check_columns(found, [values for _, values in kept])
    kept += [(state.cell, state.values) for state in told.now if state.cell >= 0]
    cells, columns = np.array([cell for cell, _ in kept], np.int64), [values for _, values in kept]
    where = np.array(sorted(touched))
    missing = record.params.get("missing", "refuse")
    made = {}
    for name, measure in found.items():
        values, largest = remeasure(parse_measure(measure.spec), cells, columns, len(measure.values), missing)
        now, most = measure.values.copy(), None if measure.largest is None else measure.largest.copy()
        now[where] = values[where]
        if most is not None:
            most[where] = largest[where]
        made[name] = replace(measure, values=now, largest=most, as_of=at)
    return made


def _check_columns(found: dict[str, MeasureRecord], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    for measure in found.values():
        column = parse_measure(measure.spec).column
        if column is not None and not any(column in values for values in rows):
            raise InvalidInput(
                "the import did not keep the column of this measure",
                field=measure.name,
                cure="import the customers once more",
            )
