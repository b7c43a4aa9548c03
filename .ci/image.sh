#!/bin/sh
# Build the image from the Dockerfile and do the main job in it, without a Docker engine (as root on Debian).
# The base is a Debian 13 made by debootstrap, so that nothing but Debian's, Python's and Node's packages is fetched.
# What is kept between runs lies in $GRIDSVC_IMAGE_DIR (default: var/image); "image.sh run" does not build again.
set -eu
cd "$(dirname "$0")/.."
work=$(realpath -m "${GRIDSVC_IMAGE_DIR:-var/image}")
image=localhost/gridsvc
tool() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

[ "$(id -u)" = 0 ] || { echo "image.sh needs root"; exit 2; }
missing=""
for program in buildah debootstrap; do
    command -v $program >/dev/null 2>&1 || missing="$missing $program"
done
# shellcheck disable=SC2086 # a list of packages is meant
[ -z "$missing" ] || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; }

build() {
    if ! tool inspect --type image "$image-base" >/dev/null 2>&1; then
        rm -rf "$work/base" && mkdir -p "$work"
        debootstrap --variant=minbase trixie "$work/base" >"$work/base.log"
        held=$(tool from scratch)
        tool add --quiet "$held" "$work/base" / >/dev/null
        tool commit --quiet --rm "$held" "$image-base" >/dev/null
        rm -rf "$work/base"
    fi
    certificates=/usr/local/share/ca-certificates
    mkdir -p "$certificates"
    tool build --quiet --isolation chroot --format docker --build-arg "BASE=$image-base" \
        --volume "$certificates:$certificates:ro" --tag "$image" .
}

[ "${1:-}" = run ] || build
held=$(tool from --pull-never "$image")
trap 'tool rm "$held" >/dev/null' EXIT
root=$(tool mount "$held")
tool inspect --type image "$image" >"$work/image.json"
unshare --mount --pid --fork python3 .ci/image_run.py "$root" "$work/image.json"
