"""A watch tells where a search stands, ends it in time, and lets go of a solver that works on."""

from __future__ import annotations

import threading
from time import perf_counter

import pytest

from gridsvc.errors import Cancelled
from gridsvc.teams.watch import Watch


def test_without_a_limit_it_never_ends_and_steps_are_told_as_shares_of_the_whole():
    told = []
    watch = Watch.starting(lambda share, message: told.append((share, message)), None)
    assert not watch.part(0.5, 1.0).part(0.0, 0.5).over(0.5, "halfway") and not watch.truncated
    assert told == [(0.625, "halfway")]


def test_when_the_time_is_over_all_parts_know():
    watch = Watch.starting(lambda share, message: None, 1e-9)
    assert not watch.truncated  # nobody has been told yet
    assert watch.part(0.0, 0.5).over(0.0, "") and watch.truncated and watch.part(0.5, 1.0).truncated


def test_a_solver_hears_how_many_seconds_it_has():
    assert Watch().solved(lambda seconds: seconds, 0.0, "") is None
    assert 0 < (Watch.starting(lambda *_: None, 60.0).solved(lambda seconds: seconds, 0.0, "") or 0) <= 60
    late = Watch.starting(lambda *_: None, 1e-9)
    assert (late.solved(lambda seconds: seconds, 0.0, "") or 0) > 0  # none at all would be no limit
    assert late.truncated


def test_what_a_solver_raises_reaches_the_caller():
    def solve(seconds):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Watch().solved(solve, 0.0, "")


def test_a_cancelled_search_does_not_wait_for_its_solver():
    def stop(share, message):
        raise Cancelled("the job was cancelled")

    going = threading.Event()
    began = perf_counter()
    try:
        with pytest.raises(Cancelled):
            Watch(stop).solved(lambda seconds: going.wait(60), 0.0, "")
        assert perf_counter() - began < 30
    finally:
        going.set()
