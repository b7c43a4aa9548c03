"""Processes count together in mapped files, and lose nothing when one of them dies."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

from gridsvc.tally import Tally

COUNT = """
import os, sys
from pathlib import Path
from gridsvc.tally import Tally
tally = Tally(Path(sys.argv[1]), "things", ["a", "b"])
for _ in range(int(sys.argv[2])):
    tally.numbers[1] += 1
print("counted", flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


def test_the_sum_is_over_all_processes_and_outlives_them(tmp_path: Path) -> None:
    mine = Tally(tmp_path, "things", ["a", "b"])
    mine.numbers[0] += 2
    others = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, str(tmp_path), "1000"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for other in others:
        assert other.stdout is not None and other.stdout.readline() == b"counted\n"
    assert mine.sums() == [2, 3000]
    for other in others:
        other.communicate()
        assert other.returncode == -9
    assert mine.sums() == [2, 3000]


def test_whoever_comes_next_counts_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    for _ in range(5):
        tally = Tally(tmp_path, "things", ["a"])
        tally.numbers[0] += 1
        del tally
        gc.collect()
    assert len(list(tmp_path.iterdir())) == 1
    assert Tally(tmp_path, "things", ["a"]).sums() == [5]


def test_another_version_counts_apart_and_clears_away_what_nobody_uses(tmp_path: Path) -> None:
    old = Tally(tmp_path, "things", ["a"])
    old.numbers[0] += 1
    other = Tally(tmp_path, "things", ["a", "b"])
    assert other.sums() == [0, 0]
    assert old.sums() == [1]
    del old
    gc.collect()
    Tally(tmp_path, "things", ["a", "b"])
    assert len({path.name.split("-")[1] for path in tmp_path.iterdir()}) == 1


def test_a_folder_which_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    tally = Tally(tmp_path / "file" / "folder", "things", ["a"])
    tally.numbers[0] += 1
    assert tally.sums() == [1]
