#!/bin/sh
# Install the servers and the browser which the tests use: PostGIS, Chromium, nginx and systemd's
# checks (as root on Debian or Ubuntu).
# "test-servers.sh qgis" adds QGIS, which takes over a minute and is for the proof only.
# Elsewhere the tests that need them skip with a line each; in CI they fail.
set -eu
missing=""
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing="$missing postgresql postgresql-postgis"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="$missing chromium"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
if [ "${1:-}" = qgis ]; then
    [ -x /usr/bin/qgis ] && /usr/bin/python3 -c "import qgis" 2>/dev/null || missing="$missing qgis python3-qgis"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages is meant
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing fonts-noto-cjk >/dev/null
else
    echo "not installed, their tests will skip:$missing"
fi
