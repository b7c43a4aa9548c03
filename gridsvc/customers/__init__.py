"""Files -> checked rows with a verdict each -> measures per cell."""

from gridsvc.customers.areas import AreaIndex
from gridsvc.customers.columns import Columns
from gridsvc.customers.measures import Measure, MeasureSpec, aggregate, parse_measure
from gridsvc.customers.place import Locate, PlaceOptions, place
from gridsvc.customers.placement import Fault, Placement, check
from gridsvc.customers.read import Table, read_customers
from gridsvc.customers.todo import write_todo
from gridsvc.customers.verdicts import Verdict
from gridsvc.customers.where import Where, parse_where, select

__all__ = [
    "AreaIndex",
    "Columns",
    "Fault",
    "Locate",
    "Measure",
    "MeasureSpec",
    "PlaceOptions",
    "Placement",
    "Table",
    "Verdict",
    "Where",
    "aggregate",
    "check",
    "parse_measure",
    "parse_where",
    "place",
    "read_customers",
    "select",
    "write_todo",
]
