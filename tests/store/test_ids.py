from __future__ import annotations

import re

from gridsvc.store.ids import new_id


def test_an_id_is_its_prefix_and_26_characters() -> None:
    assert re.fullmatch(r"til_[0-9a-hjkmnp-tv-z]{26}", new_id("til"))


def test_ids_sort_in_the_order_they_were_made_and_differ() -> None:
    ids = [new_id("x") for _ in range(5000)]
    assert ids == sorted(set(ids))
