"""The licences of all that is shipped: ``python .ci/licences.py`` writes docs/reference/licences.md.

Of Python: what requirements.lock names, by the metadata of the installed packages. Of the page: what
package-lock.json names and the build puts into it. Exits with 1 where a licence does not go with ours.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"

ALLOWED = {
    *(
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Zlib",
    ),
    "Apache-2.0 WITH LLVM-exception",
    "MPL-2.0",  # binds changes of its own files, and we change none
}
"""Licences under which something may be shipped with a program under Apache-2.0."""

SEPARATE = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}
"""Used as a library of its own, which whoever runs it may replace: that is what the LGPL asks for."""

OLD_WORDS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Classifiers, which older packages have in the place of an expression."""

HEAD = """# Licences of what is shipped

gridsvc is under [Apache-2.0](../../LICENSE). Its image and its page hold these packages besides. Written
by `make sbom` from the lock files and the packages' own metadata; a test refuses licences which are not
listed in `.ci/licences.py`. psycopg (LGPL-3.0) stays a library of its own, which you may replace.
MPL-2.0 binds changes of its own files, and we change none. Binary packages hold further libraries (GEOS,
PROJ, GDAL, OpenBLAS, libpq) and carry the texts of their licences.
"""


def python_packages() -> Iterator[tuple[str, str]]:
    """Names and licences of what runs, as far as this platform has it."""
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if not re.match(r"[a-z0-9]", line):
            continue
        wanted = Requirement(line.rstrip(" \\"))
        if wanted.marker is None or wanted.marker.evaluate():
            yield wanted.name, _told(wanted.name)


def _told(name: str) -> str:
    """The licence of an installed package as an SPDX expression; empty if it does not say."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ""
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    given = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or [] if "License ::" in line]
    if given:
        return " OR ".join(sorted({OLD_WORDS.get(word, word) for word in given}))
    return str(about.get("License") or "")


def web_packages() -> Iterator[tuple[str, str]]:
    """Names and licences of what is built into the page."""
    packages = json.loads((ROOT / "api" / "web" / "package-lock.json").read_text())["packages"]
    for place, about in packages.items():
        if place and not about.get("dev"):
            yield place.rpartition("node_modules/")[2], str(about.get("license", ""))


def fits(name: str, expression: str) -> bool:
    """Whether what is under `expression` may be shipped: all parts of an AND, one of an OR."""
    if SEPARATE.get(name) == expression:
        return True
    parts = [part.strip("() ") for part in expression.split(" AND ")]
    return all(any(choice.strip("() ") in ALLOWED for choice in part.split(" OR ")) for part in parts)


def page() -> str:
    """The page as it should be."""
    lines = [HEAD]
    for title, packages in (("Python", python_packages()), ("The page", web_packages())):
        lines += [f"## {title}\n", "| package | licence |", "|---|---|"]
        lines += [f"| {name} | {licence} |" for name, licence in sorted(set(packages))]
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Write the page, and name what may not be shipped."""
    PAGE.write_text(page(), encoding="utf-8")
    wrong = [(n, told) for n, told in (*python_packages(), *web_packages()) if not fits(n, told)]
    for name, told in wrong:
        print(f"{name}: {told or 'no licence is told'} does not go with Apache-2.0; see .ci/licences.py")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
