"""What `compose.yaml` starts, as processes: PostGIS, two nodes, a worker, and nginx with the shipped file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import strip
from tests.databases import PostgisServer, copy_postgis, missing
from tests.journey.served import free_port, served

CONF = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "nginx.conf"
WORKER = [sys.executable, "-c", "from gridsvc.cli import main; main()", "worker"]
WHERE = {"lat": 0.05, "lon": 0.35}


@pytest.fixture
def settings(postgis_server: PostgisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Settings as in the compose file; gives the database's URL, which stands in a file."""
    for url in copy_postgis(postgis_server, "migrated"):
        (tmp_path / "database_url").write_text(f"{url}\n")
        monkeypatch.setenv("GRIDSVC_DATABASE_URL_FILE", str(tmp_path / "database_url"))
        monkeypatch.setenv("GRIDSVC_SHARED_DIR", str(tmp_path / "shared"))
        monkeypatch.setenv("GRIDSVC_JOB_SLOTS", "0")
        yield url


def _until(true: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _proxy(folder: Path, nodes: list[str]) -> Iterator[str]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        missing("nginx")
    port, text = free_port(), re.sub(r"(?<= )/tmp/", f"{folder}/", CONF.read_text())
    for number, node in enumerate(nodes, 1):
        text = text.replace(f"node{number}:8000", node.removeprefix("http://"))
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/dev/stdout", f"{folder}/log")
    (folder / "nginx.conf").write_text(("user root;\n" if os.geteuid() == 0 else "") + text)
    command = [str(nginx), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: _answers(f"http://127.0.0.1:{port}"), "nginx did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _worker(folder: Path) -> Iterator[None]:
    folder.mkdir()
    environment = {**os.environ, "GRIDSVC_DATA_DIR": str(folder), "GRIDSVC_JOB_SLOTS": "1"}
    process = subprocess.Popen(WORKER, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(20) in {0, 143}


def _says(url: str, publication: int) -> Callable[[], bool]:
    """Whether that address answers who owns a point by that publication."""

    def says() -> bool:
        answer = httpx.get(f"{url}/v1/owner", params=WHERE)
        return answer.status_code == 200 and answer.json()["publication"] == publication

    return says


@pytest.mark.postgis
def test_one_node_dies_and_the_other_answers_what_was_published_on_either(
    settings: str, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("node1", "node2")]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        (first, process), (second, _) = (stack.enter_context(served(settings, folder)) for folder in folders)
        stack.enter_context(_worker(tmp_path / "worker"))
        front = stack.enter_context(_proxy(tmp_path, [first, second]))
        client: Any = stack.enter_context(httpx.Client(base_url=front, timeout=120))

        # Uploads reach one node, jobs are the worker's, and what is published both know.
        strip.make_territory(client)
        tiling = strip.make_tiling(client)
        assert strip.publish(client, tiling)["n"] == 1
        for node in (first, second):
            _until(_says(node, 1), "a node does not know what was published on the other")

        process.kill()
        process.wait(20)
        for _ in range(20):
            assert _says(front, 1)(), "the other node did not answer"
        assert strip.publish(client, tiling)["n"] == 2
        _until(_says(second, 2), "the node does not know its own publication")

        # Started again, it answers what was published while it was away.
        again, _ = stack.enter_context(served(settings, folders[0]))
        _until(_says(again, 2), "the node came back with the former publication")
    log = (tmp_path / "log").read_text()
    assert log and "lat=" not in log and "strip" not in log
