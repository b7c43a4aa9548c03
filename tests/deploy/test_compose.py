"""`compose.yaml`, the proxy and the units: they have what they must, and name nothing that does not exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from gridsvc.cli.main import cli
from gridsvc.config import Settings
from tests.databases import missing

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = sorted(DEPLOY.glob("*.service"))
SETTINGS = {f"GRIDSVC_{name.upper()}" for name in Settings.model_fields}

each_service = pytest.mark.parametrize("name", SERVICES)
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


def _known(command: list[str]) -> None:
    """Refuse a command or an option which gridsvc does not have."""
    found: click.Command | None = cli
    for word in command:
        if isinstance(found, click.Group):
            found = found.get_command(click.Context(found), word)
            assert found is not None, command
        elif word.startswith("-"):
            assert any(word in option.opts for option in found.params), word


# --- compose


def test_the_topology_is_postgis_two_nodes_a_worker_and_a_proxy() -> None:
    assert set(SERVICES) == {"database", "upgrade", "node1", "node2", "worker", "proxy"}
    assert {k: v for k, v in SERVICES["node1"].items() if k != "volumes"} == {
        k: v for k, v in SERVICES["node2"].items() if k != "volumes"
    }


@each_service
def test_a_service_is_pinned_and_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/-]+:\d[\w.-]*", service["image"]), "name a version"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "network_mode", "user", "devices"} & set(service)
    assert not any("docker.sock" in volume for volume in service.get("volumes", []))
    assert set(service.get("cap_add", [])) == (
        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"} if name == "database" else set()
    )


@each_service
def test_its_health_is_asked_or_it_is_said_that_it_is_not(name: str) -> None:
    assert SERVICES[name]["healthcheck"].get("test") or name in {"upgrade", "worker"}


def test_the_image_is_of_this_version() -> None:
    import gridsvc

    images = {service["image"] for service in SERVICES.values() if "build" in service}
    assert images == {f"gridsvc:{gridsvc.__version__}"}


def test_only_the_proxy_is_published_and_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"proxy": ["127.0.0.1:8000:8080"]}
    assert SERVICES["database"]["networks"] == ["back"]
    assert SERVICES["proxy"]["networks"] == ["front"]
    assert COMPOSE["networks"]["back"]["internal"] is True


@each_service
def test_its_settings_exist_and_hold_no_secret(name: str) -> None:
    environment = SERVICES[name].get("environment") or {}
    ours = {key for key in environment if key.startswith("GRIDSVC_")}
    assert ours <= SETTINGS
    secret = re.compile("PASSWORD|SECRET|TOKEN|KEY|URL")
    for key, value in environment.items():
        assert not secret.search(key) or (key.endswith("_FILE") and value.startswith("/run/secrets/")), key
    if "build" in SERVICES[name]:
        assert "GRIDSVC_DATABASE_URL_FILE" in ours


@each_service
def test_it_mounts_and_depends_on_what_is_declared(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), source


def test_its_commands_exist() -> None:
    for service in SERVICES.values():
        if "build" in service:
            assert service["command"][0] == "gridsvc"
            _known(service["command"][1:])


def test_no_secret_is_in_the_repository_or_the_image() -> None:
    assert "secrets/" in (ROOT / ".gitignore").read_text().split()
    assert "secrets" in (ROOT / ".dockerignore").read_text().split()


# --- image


def test_the_image_runs_as_a_user_without_rights_and_writes_to_one_folder() -> None:
    last = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", last, re.M)
    assert re.search(r"^HEALTHCHECK ", last, re.M)
    (volume,) = re.findall(r"^VOLUME (\S+)$", last, re.M)
    for name in ("HOME", "GRIDSVC_DATA_DIR", "NUMBA_CACHE_DIR"):
        (value,) = re.findall(rf"\b{name}=(\S+)", last)
        assert value.startswith(volume), name
    assert "pip" not in last and "nodejs" not in last


# --- proxy


def _nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        missing("nginx")
    return str(found)


def test_the_proxy_asks_both_nodes_and_keeps_paths_out_of_its_log(tmp_path: Path) -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert set(re.findall(r"server (\w+):8000", text)) == {"node1", "node2"} <= set(SERVICES)
    (log,) = re.findall(r"log_format \w+ '(.*)';", text)
    assert not set(re.findall(r"\$\w+", log)) & {"$request", "$request_uri", "$uri", "$args", "$http_referer"}
    here = tmp_path / "nginx.conf"
    here.write_text(re.sub(r"node[12]:8000", "127.0.0.1:1", text))
    done = subprocess.run(
        [_nginx(), "-t", "-p", tmp_path, "-c", here], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# --- systemd


@each_unit
def test_a_unit_runs_what_exists_with_settings_which_exist(unit: Path) -> None:
    text = unit.read_text()
    for line in re.findall(r"^Exec\w+=/opt/gridsvc/bin/gridsvc (.*)$", text, re.M):
        _known(line.split())
    assert set(re.findall(r"^Environment=(GRIDSVC_\w+)=", text, re.M)) <= SETTINGS
    assert "Environment=GRIDSVC_DATABASE_URL=" not in text


@each_unit
def test_a_unit_has_no_more_rights_than_it_needs(unit: Path, tmp_path: Path) -> None:
    """By systemd's own count: 0 is none, 10 is all; 2 leaves it the network and its folder."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        missing("systemd")
    for path in DEPLOY.glob("*.[st]*"):
        # The program itself is not here; the rest of the unit is looked at.
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/gridsvc/bin/gridsvc", "/bin/true"))
    copy = tmp_path / unit.name
    checked = subprocess.run(
        [str(analyze), "verify", copy], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    told = [line for line in checked.stderr.splitlines() if unit.name in line]
    assert not told, told
    judged = subprocess.run(
        [str(analyze), "security", "--offline=true", "--threshold=20", copy],
        check=False,
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stdout[-300:]
