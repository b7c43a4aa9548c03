"""A publication as bytes: whole, checked, and unchanged where it has no overlays."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridsvc.ownership.publication import Overlay, Publication, checksum, overlays_of, pack, unpack
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid, Plan

PLAIN = Publication(
    "t",
    "base",
    "h3",
    8,
    np.array([0x8840A3B501FFFFF, 0x8840A3B503FFFFF], np.uint64),
    np.array([0, -1], np.int32),
    (Grid("01", "Grid 01", "t1"),),
)
RING = shapely.Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
OVERLAYS = (
    Overlay("K1", "Works", "t1", RING, "key enterprise"),
    Overlay("K2", "大学", None, shapely.MultiPolygon([shapely.box(5, 5, 6, 6.1), shapely.box(7, 5, 8, 6)])),
)


def test_overlays_survive_their_bytes_to_the_last_bit() -> None:
    again = unpack(pack(replace(PLAIN, overlays=OVERLAYS)))
    assert again.overlays == OVERLAYS
    assert again.grids == PLAIN.grids
    np.testing.assert_array_equal(again.labels, PLAIN.labels)


def test_overlays_lie_behind_text_ids_too() -> None:
    blocks = replace(
        PLAIN, kind="polygons", resolution=None, ids=np.array(["007", "008"], object), overlays=OVERLAYS
    )
    again = unpack(pack(blocks))
    assert again.overlays == OVERLAYS
    assert again.ids.tolist() == ["007", "008"]


def test_without_overlays_the_bytes_are_those_of_the_first_format() -> None:
    payload = pack(PLAIN)
    assert checksum(payload) == "44e39a1b9b15177156965201154a23f23b0ba4f65258102a17dd99fed6359561"
    assert b"overlays" not in zlib.decompress(payload)
    assert unpack(payload).overlays == ()


def test_with_overlays_the_format_is_another_so_that_an_older_reader_refuses() -> None:
    assert zlib.decompress(pack(PLAIN))[7] == 1
    assert zlib.decompress(pack(replace(PLAIN, overlays=OVERLAYS)))[7] == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(OVERLAYS[0], team=None),
        replace(OVERLAYS[0], reason="other"),
        replace(OVERLAYS[0], name="Mill"),
        replace(OVERLAYS[0], polygon=shapely.box(0, 0, 3, 3)),
    ],
)
def test_a_changed_overlay_changes_the_checksum(changed: Overlay) -> None:
    before = pack(replace(PLAIN, overlays=OVERLAYS))
    assert checksum(pack(replace(PLAIN, overlays=(changed, OVERLAYS[1])))) != checksum(before)


@pytest.mark.parametrize("version", [0, 3])
def test_a_format_not_known_is_refused(version: int) -> None:
    block = bytearray(zlib.decompress(pack(PLAIN)))
    block[7] = version
    with pytest.raises(ValueError, match="known format"):
        unpack(zlib.compress(bytes(block)))


def test_overlays_stand_in_order_of_their_codes_whatever_the_order_of_the_plan() -> None:
    carved = [CarveOut(c, c, None, "big", shapely.box(i, 0, i + 1, 1)) for i, c in enumerate(("b", "a"))]
    found = overlays_of(Plan(PLAIN.labels, PLAIN.grids, tuple(carved)))
    assert [overlay.code for overlay in found] == ["a", "b"]
    assert replace(PLAIN, overlays=found).plan.carve_outs == tuple(carved[::-1])
