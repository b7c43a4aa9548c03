"""The pack of a grid: who sees customers, what the name list and carve-outs do to it, the team by dates."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from openpyxl import load_workbook

from gridsvc.errors import Forbidden, InvalidInput, TooLarge, UnknownColumn
from gridsvc.exchange.packs import extras
from gridsvc.exchange.packs.page import page
from gridsvc.exchange.packs.sheets import workbook
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import handovers, imports, pack_rules, packs, rosters
from gridsvc.services.desk import Desk
from gridsvc.services.handovers import Heir, Leaver
from gridsvc.services.imports import ImportOptions
from gridsvc.services.pack_rules import PackRules
from gridsvc.services.packs import File
from gridsvc.store import Database
from gridsvc.teams.model import Named
from tests.services.board import ANNA, SIDE
from tests.services.series import draft, ground, publish, soon

CELL = SIDE / 111_320
ZONE = ZoneInfo("Asia/Shanghai")
BLIND = Principal("eve", SCOPES - {"customers:read"})
EVIL = "=1+1<script>alert(1)</script>"


@pytest.fixture
def board(database: Database, tmp_path: Path) -> Database:
    """Customers k0 to k5, one a cell; k0 is named by b, k5 by a; tiers by the column size."""
    pack_rules.put(database, ANNA, PackRules("size", ("large", "small")))
    tiling = ground(database)
    rows = [f"k{i},{(i + 0.5) * CELL},{0.5 * CELL},{'large' if i % 2 else 'small'}" for i in range(6)]
    path = tmp_path / "customers.csv"
    path.write_text("id,lon,lat,size\n" + "\n".join(rows) + "\n", encoding="utf-8")
    imports.put_file(database, ANNA, tiling, path, ImportOptions(measures=()))
    publish(database, draft(database, tiling, "aaabbb"))
    roster = rosters.get(database, ANNA, "board")[1]
    names = (Named("k0", "b", EVIL), Named("k5", "a", "bank"), Named("k9", "c", "elsewhere"))
    rosters.put(database, ANNA, "board", replace(roster, named=names))
    return database


def pack(database: Database, code: str = "a", who: Principal = ANNA, **more: object) -> packs.Pack:
    return packs.pack(Desk(database), who, "board", code, **more)[0]  # type: ignore[arg-type]


def test_it_tells_ground_customers_and_named_accounts(board: Database) -> None:
    found = pack(board)
    assert (found.cells, round(found.area_km2 or 0, 4)) == (3, 0.03)
    assert [(n.code, n.team, n.lead, round(n.border_km, 2)) for n in found.neighbours] == [
        ("b", "Team B", "Person b", 0.1)
    ]
    assert (dict(found.tiers), found.elsewhere) == ({"large": 1, "small": 1}, 1)  # k0 is another team's
    assert [(c.id, c.tier, c.named) for c in found.customers or ()] == [
        ("k0", "small", "Team B"),
        ("k1", "large", None),
        ("k2", "small", None),
    ]
    assert [(a.customer, a.own, a.here) for a in found.accounts or ()] == [
        ("k5", True, False),
        ("k0", False, True),
    ]


def test_who_may_not_see_customers_gets_neither_them_nor_their_numbers(board: Database) -> None:
    found = pack(board, who=BLIND)
    assert (found.customers, found.accounts) == (None, None)
    assert (found.tiers, found.elsewhere, found.number) == (None, None, None)
    shown = page(found, "en", ZONE) + str(found.document())
    assert not any(f"k{i}" in shown for i in range(6))
    with pytest.raises(Forbidden):
        pack(board, who=BLIND, files=[File("contacts", Path("x.csv"), "x.csv")])
    with pytest.raises(Forbidden):
        pack(board, who=Principal("eve", SCOPES - {"packs:read"}))


def test_the_team_is_shown_before_in_between_and_after(board: Database) -> None:
    heir = Heir("p-d", start=soon(20), acting="p-b")
    made = handovers.leave(board, ANNA, "board", Leaver("p-a", (heir,), "retires", soon(10)))
    stages = pack(board, handover=made.id).stages
    assert [[(p.id, p.acting) for p in stage.people] for stage in stages] == [
        [("p-a", False)],
        [("p-b", True)],
        [("p-d", False)],
    ]
    assert stages[0].start is None
    assert len(pack(board).stages) == 1


def test_texts_act_neither_as_formulas_nor_as_marks(board: Database) -> None:
    found = pack(board)
    assert "<script" not in page(found, "zh", ZONE)
    assert "=1+1&lt;script&gt;" in page(found, "zh", ZONE)
    for lang in ("en", "zh"):
        book = load_workbook(io.BytesIO(workbook(found, lang, ZONE)))  # type: ignore[arg-type]
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert EVIL in {cell.value for cell in cells}
        assert not any(cell.data_type == "f" for cell in cells)


def test_rows_of_files_are_sorted_with_a_verdict_each(board: Database, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(
        "客户编号,网格,事项\nk1,,meter\nk5,,bill\nk0,,theirs\nk7,,who\n,a,pole\n,z,where\n,,\n", "utf-8"
    )
    extra = pack(board, files=[File("open_items", path, "items.csv")]).extras[0]
    assert [one.verdict for one in extra.verdicts[:6]] == [
        *("taken", "taken", "other_grid", "unknown_customer", "taken", "unknown_grid")
    ]
    assert [row[2] for row in extra.rows] == ["meter", "bill", "pole"]
    assert "k7" not in str(extra.document()["left"])


def test_wrong_files_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(text: str) -> object:
        path = tmp_path / "x.csv"
        path.write_text(text, "utf-8")
        return extras.read_extra("contacts", path, "x.csv", "a", {"a"}, set(), lambda _: set())

    with pytest.raises(UnknownColumn, match="neither of customers nor of grids"):
        read("name\nAnn\n")
    with pytest.raises(InvalidInput, match="mean the same"):
        read("customer,客户\n1,2\n")
    monkeypatch.setattr(extras, "_MOST", 1)
    with pytest.raises(TooLarge, match="2 rows"):
        read("grid\na\na\n")


def test_a_tier_column_which_is_not_there_leaves_all_without_tier(board: Database) -> None:
    pack_rules.put(board, ANNA, PackRules("colour"))
    assert dict(pack(board).tiers) == {None: 2}
    assert np.isclose(pack(board).neighbours[0].border_km, 0.1)
