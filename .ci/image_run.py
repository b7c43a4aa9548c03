"""Do the main job from the unpacked files of an image: as its user, on a read-only root, without any right.

``unshare --mount --pid --fork python3 .ci/image_run.py ROOT IMAGE.json``, as root. Only its volume and /tmp
can be written, as with ``docker run --read-only --tmpfs /tmp --cap-drop ALL``
and no-new-privileges.
"""

from __future__ import annotations

import ctypes
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

STEPS = """
set -eu
id -u; test "$(id -u)" = {uid}
if touch /opt/x 2>/dev/null; then echo "the root can be written"; exit 1; fi
test ! -e /opt/gridsvc/bin/pip
gridsvc demo | tail -n 1
gridsvc lookup 28.601943 112.902049 | head -n 1
gridsvc doctor
echo "serving: {command}"
{command} >/tmp/log 2>&1 &
server=$!
for _ in $(seq 150); do {health} 2>/dev/null && break; sleep 0.2; done
{health} && echo "health check: well"
kill -TERM $server
wait $server && code=0 || code=$?
echo "stopped by SIGTERM: exit code $code"
test $code = 0 -o $code = 143
"""
MOUNTS = """
set -eu
mount --make-rprivate /
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
mount -t tmpfs -o uid={uid},gid={uid},mode=750 tmpfs {root}{volume}
mount --rbind /dev {root}/dev
ip link set lo up 2>/dev/null || true
mount -o remount,bind,ro {root}
"""
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS


def main(root: str, image: str) -> None:
    """Mount, give up all rights, and become the steps."""
    config = json.loads(Path(image).read_text())["Docker"]["config"]
    uid, (volume,) = int(config["User"].split(":")[0]), config["Volumes"]
    health = config["Healthcheck"]["Test"]  # "CMD", then the command
    steps = STEPS.format(uid=uid, command=shlex.join(config["Cmd"]), health=shlex.join(health[1:]))
    subprocess.run(["/bin/sh", "-c", MOUNTS.format(root=root, uid=uid, volume=volume)], check=True)
    os.chroot(root)
    os.chdir(config["WorkingDir"])
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execve("/bin/sh", ["sh", "-c", steps], dict(line.split("=", 1) for line in config["Env"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
