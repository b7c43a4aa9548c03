"""`make proof`: the tests again, at the sizes the issues ask for, and a page that says what came out.

Each part is kept as it ends, so that a proof which was interrupted goes on where it stopped; a part is done
again when the commit has changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.journey.served import free_port

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "proof"
PAGE = ROOT / "docs" / "proof.md"

Lines = list[str]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _pytest(*arguments: str, **environment: str) -> Lines:
    """Run tests and tell each one's outcome, seconds and recorded figures."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *arguments]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "CI": "1", **environment}, check=False)
        cases = ET.parse(report).getroot().iter("testcase")
        lines = [line for case in cases for line in _told(case)]
    if done.returncode:
        raise SystemExit(f"a test failed: {' '.join(arguments)}")
    return lines


def _told(case: ET.Element) -> Lines:
    name = case.get("name", "").removeprefix("test_").replace("_", " ")
    figures = [f"  - {p.get('name')}: {p.get('value')}" for p in case.iter("property")]
    return [f"- {name}: passed in {float(case.get('time', '0')):.0f} s", *figures]


def main_job() -> Lines:
    """London over HTTP by nothing but the published API, on both databases, 10,000 lookups each way."""
    return _pytest("tests/journey/test_http.py", "-p", "no:randomly", GRIDSVC_PROOF_LOOKUPS="10000")


def big_sample() -> Lines:
    """The simulated city at full size, through the main job."""
    files = ("tests/services/test_sample_job.py", "tests/services/test_adoption.py")
    return _pytest(*files, "-m", "proof", "-p", "no:randomly")


def moves() -> Lines:
    """Eight planners on one draft, plans against a plain dictionary, and how long a move takes."""
    return _pytest(
        "tests/services/test_moves.py",
        "tests/services/test_plan_machine.py",
        "tests/journey/test_edits.py",
        "-m",
        "proof",
        "-p",
        "no:randomly",
    )


def publications() -> Lines:
    """200 publications under constant readers, on both databases."""
    return _pytest("tests/services/test_published_for_ever.py", "-m", "proof", "-p", "no:randomly")


def rosters() -> Lines:
    """A year of joins, leaves and republications on both databases, by the tables; shares at every date."""
    return _pytest("tests/services/test_roster_year.py", "-p", "no:randomly", GRIDSVC_PROOF_ROSTERS="10")


def lookup() -> Lines:
    """A million random and adversarial points by every way to ask, against plain h3-py; speed and size."""
    told = _pytest("tests/ownership", "tests/tiling", "-m", "proof", "-p", "no:randomly")
    return [
        *told,
        "",
        "What was asked of its speed and size (`python -m benchmarks.lookup`):",
        "",
        *_speeds(),
    ]


def _speeds() -> Lines:
    """Figures of a shared machine: told, met or not, rather than held to."""
    from benchmarks.lookup.__main__ import PARTS, run
    from benchmarks.lookup.gates import judge
    from benchmarks.lookup.sizes import FULL

    results = run(list(PARTS), FULL.with_rounds(3), KEPT / "lookup")
    return [
        f"- {line.what}: {line.figure:.3g} ({'at most' if line.sign == '<=' else 'at least'} {line.bar:g}"
        f"{'' if line.met else '; **not met**'})"
        for line in judge(results)
    ]


def bad_input() -> Lines:
    """Each wrong input of the main job, on the command line and over HTTP."""
    told = _pytest("tests/cli/test_bad_input.py", "tests/api/test_requests.py", "-p", "no:randomly")
    return [f"- {len(told)} cases passed"]


def layers_in() -> Lines:
    """130 hostile files over HTTP and by the library; GCJ-02 and BD-09 at 20,000 points, two ways."""
    files = (
        "tests/api/test_layers.py",
        "tests/api/test_geojson_bodies.py",
        "tests/tiling/test_hostile.py",
        "tests/crs/test_systems.py",
    )
    sizes = {"GRIDSVC_PROOF_HOSTILE": "1", "GRIDSVC_PROOF_POINTS": "20000"}
    return _in_short(_pytest(*files, "-p", "no:randomly", **sizes))


def _in_short(told: Lines) -> Lines:
    """How many cases passed, and the highest of each figure."""
    figures: dict[str, float] = {}
    for line in (line for line in told if line.startswith("  - ")):
        name, value = line.removeprefix("  - ").split(": ")
        figures[name] = max(figures.get(name, 0.0), float(value))
    passed = f"- {sum(line.startswith('- ') for line in told)} cases passed"
    return [passed, *(f"  - highest {name}: {value}" for name, value in figures.items())]


def bad_lookups() -> Lines:
    """Wrong questions to a real server, and the hot path beside the routes."""
    files = ("tests/api/test_bad_lookups.py", "tests/api/test_lookup.py", "tests/services/test_watcher.py")
    told = _pytest(*files, "-p", "no:randomly")
    return [f"- {sum(line.startswith('- ') for line in told)} cases passed"]


def described() -> Lines:
    """500 requests of each operation, made up from the description, by an administrator; both databases."""
    told = _pytest("tests/api/test_schemathesis.py", "-m", "proof", "-p", "no:randomly")
    return [f"- {sum(line.startswith('- ') for line in told)} operations: no 5xx, each answer as described"]


def crash() -> Lines:
    """50 kill -9 of the server during edits, publications and lookups, and of workers, on both databases."""
    return _pytest("tests/journey/test_crash.py", "-p", "no:randomly", GRIDSVC_PROOF_KILLS="50")


def repeats() -> Lines:
    """1,000 requests sent three times, half of them at once, with 10 kill -9, on both databases."""
    sizes = {"GRIDSVC_PROOF_REPEATS": "1000", "GRIDSVC_PROOF_REPEAT_KILLS": "10"}
    return _pytest("tests/journey/test_repeats.py", "-p", "no:randomly", **sizes)


def living_customers() -> Lines:
    """100,000 customers told of in batches of 1,000, four readers, 10 kill -9, on both databases."""
    return _pytest("tests/journey/test_arrivals.py", "-p", "no:randomly", GRIDSVC_PROOF_UPSERTS="100000")


def assignment() -> Lines:
    """60 grids of London to 12 teams, 1,500 to 300, loose and tight, beside what people do by hand."""
    return _pytest("tests/teams/test_assign_at_size.py", "-m", "proof or not proof", "-p", "no:randomly")


def handovers() -> Lines:
    """500 series of random handovers by their rules, 100 in each database with moved grids and customers."""
    by_rule = _pytest("tests/teams/test_handover.py", "-p", "no:randomly", GRIDSVC_PROOF_HANDOVERS="500")
    stored = _pytest("tests/services/test_handovers.py", "-p", "no:randomly", GRIDSVC_PROOF_HANDOVERS="100")
    return [*by_rule, *stored]


def ogc() -> Lines:
    """GDAL, OWSLib and QGIS read what is served while the service publishes, and what a branch may see."""
    return _pytest("tests/ogc/test_clients.py", "tests/ogc/test_branch_clients.py", "-p", "no:randomly")


def exports() -> Lines:
    """Layers through eight formats and back, cut at borders, in QGIS; 150,000 cells beside geopandas."""
    rooms = {"exchange": ("round_trips", "clip", "antimeridian", "texts"), "api": ("exports",)}
    rooms["services"] = ("exports", "exports_abroad", "exports_postcodes", "exports_in_qgis")
    files = [f"tests/{room}/test_{name}.py" for room, names in rooms.items() for name in names]
    sizes = {"GRIDSVC_PROOF_POSTCODES": "50000", "GRIDSVC_PROOF_CLIPS": "500"}
    told = _pytest(*files, "-m", "proof or not proof", "-p", "no:randomly", **sizes)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.exporting", "--out", folder]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    if "**" in done.stdout:
        raise SystemExit(f"exports are slower, larger or others than asked:\n{done.stdout}")
    return [f"- {sum(line.startswith('- ') for line in told)} cases passed", "", *done.stdout.splitlines()]


def fresh_clone() -> Lines:
    """`make run` and `make test` in a clean clone with nothing else done."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "gridsvc"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        shared = ROOT.parent / "shared"
        (Path(folder) / "shared").symlink_to(shared, target_is_directory=True)
        run = _until_served(clone)
        began = time.monotonic()
        subprocess.run(["make", "test"], cwd=clone, env=_clean(), check=True, stdout=subprocess.DEVNULL)
        test = time.monotonic() - began
    return [f"- make run, until the page answered: {run:.0f} s", f"- make test: {test:.0f} s"]


def _clean() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GRIDSVC_", "MAKE", "VIRTUAL"))
    }


def _until_served(clone: Path) -> float:
    import urllib.request

    port, began = free_port(), time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}"], cwd=clone, env=_clean(), start_new_session=True
    )
    try:
        while process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.2)
        raise SystemExit("make run ended before it served")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 15)
        process.wait()


def scorecards() -> Lines:
    """1,500 grids, 150,000 cells, 500,000 customers on one scorecard; its rules on 1,000 made-up cases."""
    files = ("tests/teams/test_scorecard.py", "tests/teams/test_loads.py", "tests/teams/test_suppression.py")
    by_rule = _pytest(*files, "-p", "no:randomly", GRIDSVC_PROOF_SCORECARDS="1000")
    return [*by_rule, *_pytest("tests/services/test_scorecard_speed.py", "-m", "proof", "-p", "no:randomly")]


def deploy() -> Lines:
    """Backups of the main job through each pair of databases; one of two nodes dies behind the proxy."""
    stored = _pytest("tests/store/test_backup.py", "-m", "proof", "-p", "no:randomly")
    return [*stored, *_pytest("tests/store/test_upgrade.py", "tests/deploy", "-p", "no:randomly")]


def operations() -> Lines:
    """A caller at ten times its rate; ten minutes with 200 publications; what the system is held to."""
    sizes = {"GRIDSVC_PROOF_FAIR": "60", "GRIDSVC_PROOF_SOAK": "600"}
    journeys = ("tests/journey/test_fair.py", "tests/journey/test_soak.py")
    return [
        *_pytest(*journeys, "-p", "no:randomly", **sizes),
        *_pytest("tests/operations", "-p", "no:randomly"),
    ]


def audit() -> Lines:
    """A million rows of the audit, sealed and checked in bounded memory, on both databases."""
    return _pytest("tests/store/test_trail.py", "-m", "proof", "-p", "no:randomly")


def optima() -> Lines:
    """Two states solved, and set beside the published optima."""
    return _pytest("tests/benchmarks/test_balance.py", "-m", "proof", "-p", "no:randomly")


def outages() -> Lines:
    """Full and read-only disks, the database gone for 30 seconds, steps of the clock; formulas in names."""
    files = ("tests/journey/test_away.py", "tests/services/test_outages.py", "tests/exchange/test_texts.py")
    return _pytest(*files, "-p", "no:randomly", GRIDSVC_PROOF_AWAY="30")


def whole() -> Lines:
    """200 kill -9 of the whole service, 100 on each database: two workers, jobs, publications, webhooks."""
    return _pytest("tests/journey/test_whole.py", "-p", "no:randomly", GRIDSVC_PROOF_WHOLE="100")


def walks() -> Lines:
    """The page from solving to a publication, keys from the first start, and the notebook as it stands."""
    browser = ("tests/browser/test_rooms.py", "tests/browser/test_solving.py")
    files = (*browser, "tests/journey/test_keys.py", "tests/notebooks")
    return _pytest(*files, "-p", "no:randomly")


def image() -> Lines:
    """The image built from the Dockerfile, and the main job in it: not root, on a read-only root."""
    done = subprocess.run(["sh", ".ci/image.sh"], cwd=ROOT, check=True, capture_output=True, text=True)
    told = done.stdout.splitlines()
    return [f"- {line}" for line in told[told.index("10001") :]]


PARTS: dict[str, Callable[[], Lines]] = {
    "main-job": main_job,
    "big-sample": big_sample,
    "moves": moves,
    "publications": publications,
    "rosters": rosters,
    "lookup": lookup,
    "bad-input": bad_input,
    "layers-in": layers_in,
    "bad-lookups": bad_lookups,
    "described": described,
    "crash": crash,
    "repeats": repeats,
    "living-customers": living_customers,
    "assignment": assignment,
    "handovers": handovers,
    "scorecards": scorecards,
    "ogc": ogc,
    "exports": exports,
    "deploy": deploy,
    "operations": operations,
    "audit": audit,
    "optima": optima,
    "outages": outages,
    "whole": whole,
    "walks": walks,
    "image": image,
    "fresh-clone": fresh_clone,
}


def _do(name: str, commit: str) -> dict[str, Any]:
    path = KEPT / f"{name}.json"
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept["commit"] == commit:
            print(f"{name}: done before at this commit")
            return kept
    began = time.monotonic()
    lines = PARTS[name]()
    result = {
        "name": name,
        "title": (PARTS[name].__doc__ or "").strip(),
        "commit": commit,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - began),
        "lines": lines,
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False))
    return result


def _write_page(result: dict[str, Any]) -> None:
    """Put one part's result into the page; what the page says of other parts stays."""
    head, *sections = re.split(r"^(?=## )", PAGE.read_text(), flags=re.MULTILINE)
    told = {section.split(maxsplit=2)[1]: section.strip() for section in sections}
    lines = [f"## {result['name']}", "", result["title"], ""]
    lines += [f"Commit {result['commit']}, {result['date']}, {result['seconds']} s.", "", *result["lines"]]
    told[result["name"]] = "\n".join(lines)
    order = sorted(told, key=lambda name: list(PARTS).index(name) if name in PARTS else len(PARTS))
    PAGE.write_text("\n\n".join([head.strip(), *(told[name] for name in order)]) + "\n")


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise SystemExit(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if not shutil.which("git"):
        raise SystemExit("a proof names its commit, so it needs git")
    commit = _git("rev-parse", "--short=12", "HEAD")
    if _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/proof.md"):
        commit += " with changes"
    for name in names or list(PARTS):
        result = _do(name, commit)
        print(f"{name}: {result['seconds']} s")
        _write_page(result)


if __name__ == "__main__":
    main(sys.argv[1:])
