"""A company's rules for its teams, as data; each keeps a plan from being published, warns, or is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Role

__all__ = ["RequiredRole", "Rule", "Severity", "TeamRules", "Where", "team_rules_from_dict"]

Rule = Literal[
    "lead_department", "department_head", "required_roles", "time_shares", "kpi_shares", "primary", "backup"
]
Severity = Literal["block", "warn", "off"]
Orderer = Literal["area_manager", "department_head"]

_DEFAULT: Mapping[Rule, Severity] = {
    "lead_department": "warn",
    "department_head": "warn",
    "required_roles": "warn",
    "time_shares": "block",
    "kpi_shares": "warn",
    "primary": "block",
    "backup": "warn",
}


@dataclass(frozen=True, slots=True)
class Where:
    """Which grids a rule is for: those with at least so much of a measure, or so many customers of a kind.

    Attributes
    ----------
    measure : str or None
        A measure of the plan, in its own unit.
    column, value : str or None
        Else a column of the customers' file and the value which is counted.
    least : float
    """

    measure: str | None = None
    column: str | None = None
    value: str | None = None
    least: float = 1.0

    @property
    def fact(self) -> str:
        """Name of the number which is looked at."""
        return self.measure or f"{self.column}={self.value}"


@dataclass(frozen=True, slots=True)
class RequiredRole:
    """A role which each team of a grid must have; only in some grids with `where`."""

    role: Role
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class TeamRules:
    """The rules.

    Attributes
    ----------
    lead_departments : tuple of str
        Ids or names of the departments from which leads come, with all below them.
    required_roles : tuple of RequiredRole
    routine_from, otherwise : {"area_manager", "department_head"}
        Who gives routine work to a member of another department, and who anything else.
    severities : mapping of rule to severity
    """

    lead_departments: tuple[str, ...] = ("市场营销部", "Marketing", "marketing")
    required_roles: tuple[RequiredRole, ...] = (RequiredRole("enterprise", Where("enterprise")),)
    routine_from: Orderer = "area_manager"
    otherwise: Orderer = "department_head"
    severities: Mapping[Rule, Severity] = field(default_factory=lambda: dict(_DEFAULT))

    def as_dict(self) -> dict[str, Any]:
        """As `team_rules_from_dict` reads it."""
        return {
            "lead_departments": list(self.lead_departments),
            "required_roles": [_role_dict(wanted) for wanted in self.required_roles],
            "routine_from": self.routine_from,
            "otherwise": self.otherwise,
            "severities": dict(self.severities),
        }


def _role_dict(wanted: RequiredRole) -> dict[str, Any]:
    where = wanted.where
    if where is None:
        return {"role": wanted.role, "where": None}
    told = {"measure": where.measure, "column": where.column, "value": where.value, "least": where.least}
    return {"role": wanted.role, "where": told}


def team_rules_from_dict(document: Mapping[str, Any]) -> TeamRules:
    """Read the rules; what is left out is as by default.

    Raises
    ------
    InvalidInput
        With the field and the cure.
    """
    default = TeamRules()
    known = {"lead_departments", "required_roles", "routine_from", "otherwise", "severities"}
    for name in document:
        _require(name in known, name[:40], "no such rule", f"use {', '.join(sorted(known))}")
    departments = document.get("lead_departments", default.lead_departments)
    texts = isinstance(departments, Sequence) and not isinstance(departments, str)
    _require(
        texts and all(isinstance(d, str) and d for d in departments),
        "lead_departments",
        "not a list of departments",
        "give their ids or names",
    )
    roles = document.get("required_roles")
    _require(roles is None or isinstance(roles, list), "required_roles", "not a list", "give a list of roles")
    return TeamRules(
        tuple(departments),
        default.required_roles if roles is None else tuple(_role(n, e) for n, e in enumerate(roles)),
        cast(Orderer, _one_of(document, "routine_from", default.routine_from, get_args(Orderer))),
        cast(Orderer, _one_of(document, "otherwise", default.otherwise, get_args(Orderer))),
        _severities(document.get("severities") or {}),
    )


def _severities(given: Any) -> dict[Rule, Severity]:
    _require(isinstance(given, Mapping), "severities", "not severities by rule", 'give {"backup": "warn"}')
    for name in given:
        _require(
            name in _DEFAULT, f"severities.{str(name)[:40]}", "no such rule", f"use {', '.join(_DEFAULT)}"
        )
    return {
        rule: cast(Severity, _one_of(given, rule, default, get_args(Severity), "severities."))
        for rule, default in _DEFAULT.items()
    }


def _role(number: int, entry: Any) -> RequiredRole:
    field = f"required_roles.{number}"
    _require(isinstance(entry, Mapping), field, "not a role", 'give {"role": "enterprise", "where": null}')
    role = _one_of(entry, "role", "", get_args(Role), f"{field}.")
    given = entry.get("where")
    if given is None:
        return RequiredRole(cast(Role, role))
    _require(isinstance(given, Mapping), f"{field}.where", "not a condition", "give a measure and least")
    measure, column, value = (given.get(name) for name in ("measure", "column", "value"))
    least = given.get("least", 1.0)
    texts = all(text is None or isinstance(text, str) for text in (measure, column, value))
    one_way = (measure is None) == (column is not None and value is not None)
    _require(
        texts and one_way and (measure is None or column is None),
        f"{field}.where",
        "neither a measure nor a column with a value",
        "give one of the two",
    )
    number_given = isinstance(least, int | float) and not isinstance(least, bool) and least > 0
    _require(number_given, f"{field}.where.least", "not above 0", "give a number above 0")
    return RequiredRole(cast(Role, role), Where(measure, column, value, float(least)))


def _one_of(
    document: Mapping[str, Any], name: str, default: str, known: tuple[str, ...], inside: str = ""
) -> str:
    value = document.get(name, default)
    _require(value in known, inside + name, f"{str(value)[:40]!r} is not known", f"use {', '.join(known)}")
    return str(value)


def _require(holds: object, field: str, message: str, cure: str) -> None:
    if not holds:
        raise InvalidInput(message, field=field, cure=cure)
