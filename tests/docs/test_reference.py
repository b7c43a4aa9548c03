"""What the product has, the reference has: adding an error, setting, command or route in silence fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from api.access import ACCESS
from api.app import create_app
from api.problems import STATUS
from api.schemas.wanted import LockWanted, MeasureWanted, NewPlan, ScoreWanted, SeedWanted, TargetWanted
from gridsvc import errors
from gridsvc.cli.main import cli
from gridsvc.config import Settings

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


@cache
def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(name: str) -> dict[str, list[str]]:
    """Rows of the page's tables by the first code word in them."""
    found = {}
    for line in page(name).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0].split("`")[1]] = cells
    return found


# --- errors


def error_kinds(root: type[errors.GridsvcError] = errors.GridsvcError) -> Iterator[type[errors.GridsvcError]]:
    yield root
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from error_kinds(kind)


@pytest.mark.parametrize(
    "kind", sorted(error_kinds(), key=lambda kind: kind.code), ids=lambda kind: kind.code
)
def test_each_error_is_described_with_its_status_and_exit_code(kind: type[errors.GridsvcError]) -> None:
    _, status, exit_code, when, cure = rows("errors.md")[kind.code]
    assert status == str(STATUS[kind.code])
    assert exit_code == ("3" if issubclass(kind, errors.Infeasible) else "2")
    assert when and cure


def test_no_error_is_described_which_does_not_exist() -> None:
    assert set(rows("errors.md")) == {kind.code for kind in error_kinds()}


# --- settings


def example_settings() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_each_setting_is_described_and_exemplified_with_its_default() -> None:
    described, example = rows("settings.md"), example_settings()
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    fields = {
        f"GRIDSVC_{name.upper()}": "" if default is None else str(default)
        for name, default in defaults.items()
    }
    assert set(described) == set(example) == set(fields)
    for name, default in fields.items():
        assert described[name][1].strip("`") == (default or "empty"), name
        assert example[name] == default, name


# --- commands


def commands(command: click.Command = cli, path: str = "gridsvc") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, name
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


def section(path: str) -> str:
    """What the reference says of a command, with the shared options where it refers to them."""
    parts = re.split(r"(?m)^## ", page("commands.md"))
    own = next(
        (part for part in parts if re.match(rf".*`{re.escape(path)}[ `]", part.split("\n", 1)[0])), None
    )
    assert own is not None, f"{path} has no section in docs/reference/commands.md"
    shared = next(part for part in parts if part.startswith("Options of a customers' file"))
    return own + (shared if "#options-of-a-customers-file" in own else "")


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[path for path, _ in commands()])
def test_each_command_is_described_with_every_option_and_argument(path: str, command: click.Command) -> None:
    text = section(path)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for name in (*parameter.opts, *parameter.secondary_opts):
                assert re.search(rf"`{name}[ `]", text), f"{path} {name}"
        else:
            assert (parameter.name or "").upper() in text.split("\n", 1)[0], f"{path} {parameter.name}"


def test_no_option_is_described_which_does_not_exist() -> None:
    there = {name for _, command in commands() for parameter in command.params for name in parameter.opts}
    said = set(re.findall(r"^\| .*?`(--[a-z0-9-]+)", page("commands.md"), re.MULTILINE))
    assert said <= there | {"--help", "--version"}


def test_each_choice_of_an_option_is_named() -> None:
    for path, command in commands():
        for parameter in command.params:
            for choice in getattr(parameter.type, "choices", ()):
                assert f"`{choice}`" in section(path) or f" {choice}`" in section(path), f"{path} {choice}"


# --- routes


def routes() -> set[str]:
    paths = create_app().openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def test_each_route_is_described_and_no_other() -> None:
    pages = {"GET /", "GET /docs", "GET /openapi.json"}
    assert set(rows("routes.md")) == routes() | pages


def test_each_route_is_described_with_its_scope() -> None:
    said = {route: cells[1].strip("`") for route, cells in rows("routes.md").items()}
    assert said == {route: ACCESS[route] for route in said}


# --- members of a new plan


def test_each_member_of_a_new_plan_is_described_and_no_other() -> None:
    plan, measure = page("plan-request.md").split("Members of a measure:")
    for text, form in ((plan, NewPlan), (measure, MeasureWanted)):
        said = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
        assert set(said) == set(form.model_fields), form.__name__
    for form in (ScoreWanted, SeedWanted, LockWanted, TargetWanted):
        for name in form.model_fields:
            assert f"`{name}`" in plan, f"{form.__name__} {name}"


# --- links


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        # pictures are made by the running product and may be renewed apart from the text
        if not target.startswith("http") and not target.endswith(".png"):
            assert (path.parent / target).exists(), target
