#!/bin/sh
# Say what is shipped: var/sbom/python.cdx.json and web.cdx.json (CycloneDX), and docs/reference/licences.md.
# The Python list is made from an environment which holds what requirements.lock names, and nothing else.
set -eu
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
work=var/sbom
rm -rf "$work" && mkdir -p "$work"
"$python" -m venv --without-pip "$work/run"
"$python" -m venv --without-pip "$work/tool"
install() { "$python" -m pip --python "$1/bin/python" install --quiet --disable-pip-version-check --require-hashes -r "$2"; }
install "$work/run" requirements.lock
install "$work/tool" requirements-sbom.lock
"$work/tool/bin/cyclonedx-py" environment "$work/run/bin/python" --pyproject pyproject.toml --mc-type application \
    --output-reproducible --validate -o "$work/python.cdx.json"
rm -rf "$work/run" "$work/tool"
if command -v npm >/dev/null 2>&1; then
    (cd api/web && npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only --omit dev) >"$work/web.cdx.json"
else
    echo "web.cdx.json left out: it needs npm"
fi
"$python" .ci/licences.py
"$python" - "$work"/*.json <<'END'
import json, sys
for path in sys.argv[1:]:
    print(f"{path}: {len(json.load(open(path))['components'])} components")
END
