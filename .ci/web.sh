#!/bin/sh
# Build the map page, or test it ("web.sh test"). In CI a missing Node fails; elsewhere one line says what is left out.
set -eu
cd "$(dirname "$0")/../api/web"

if ! command -v npm >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null
fi
major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${major:-0}" -lt 20 ]; then
    echo "map page left out: it needs Node 20 or newer; the API and its answers are not affected"
    test -z "${CI:-}"
    exit
fi

# npm leaves this file as its last act, so it is newer than the lock file only after a whole install.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error
fi
if [ "${1:-build}" = test ]; then
    npm test --silent
elif [ ! -e dist/index.html ] || [ -n "$(find src docs index.html package-lock.json vite.config.ts -newer dist/index.html 2>/dev/null | head -n 1)" ]; then
    npm run --silent build
fi
