"""Files laid over a roster: a verdict a row, who is missing, and a way back which changes nothing."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.exchange.roster_files import csv_zip, read_sheets, workbook
from gridsvc.teams.merge import Merged, merge
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team

NOW, LATER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 30, 16, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
ROSTER = Roster(
    (Department("m", "市场营销部"), Department("n", "North", "m", "ann")),
    (
        Person("ann", "Ann", "m", ("vip", "solar"), 117.25, -30.5, 0.5, ("zh",), 0.25),
        Person("bo", "=1+1", "n"),
        Person("007", "+86", "n"),
    ),
    (Team("a", "@A", 1.0, 2.0, {"customers": 900.0}), Team("b", "'quoted", level="area")),
    (
        Member("a", "ann", "lead", 0.5, 0.75),
        Member("b", "bo", "lead", valid_until=LATER),
        Member("b", "007", "vip", 0.3, 0.3, backup=True, valid_until=LATER),
        Member("b", "007", "lead", valid_from=LATER),
    ),
    "b",
    (Named("secret-1", "a", "-bank", LATER),),
)


def laid(end_missing: bool = False, **files: str) -> Merged:
    tables = {f"{name}.csv": text.encode() for name, text in files.items()}
    return merge(ROSTER, read_sheets(tables), NOW, ZONE, end_missing=end_missing)


@pytest.mark.parametrize(("write", "name"), [(csv_zip, "r.zip"), (workbook, "r.xlsx")])
def test_a_file_which_was_written_changes_nothing_when_it_is_read(write, name) -> None:  # type: ignore[no-untyped-def]
    merged = merge(ROSTER, read_sheets({name: write(ROSTER)}), NOW, ZONE, end_missing=True)
    assert {verdict.verdict for verdict in merged.verdicts} == {"same"}
    assert merged.roster == ROSTER and not any(merged.missing.values())
    assert len(merged.verdicts) == 12


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0"), min_size=1
).filter(lambda text: text.strip() == text)


@settings(max_examples=25, deadline=None)
@given(names)
def test_any_name_comes_back_from_both(name: str) -> None:
    given_ = replace(ROSTER, people=(replace(ROSTER.people[0], name=name), *ROSTER.people[1:]))
    for file, content in (("r.zip", csv_zip(given_)), ("r.xlsx", workbook(given_))):
        assert merge(given_, read_sheets({file: content}), NOW, ZONE).roster == given_


def test_a_number_which_a_spreadsheet_keeps_as_a_float_is_the_same_id() -> None:
    long = Roster((Department("m", "Marketing"),), (Person("13800138001", "Ann", "m"),), (), ())
    source, target = zipfile.ZipFile(io.BytesIO(workbook(long))), io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name in source.namelist():
            told = re.sub(
                rb'<c r="A2"[^>]*>.*?</c>', b'<c r="A2"><v>1.3800138001E10</v></c>', source.read(name)
            )
            file.writestr(name, told if "sheet2" in name else source.read(name))
    (row,) = read_sheets({"r.xlsx": target.getvalue()})["people"].rows
    assert row.values["id"] == "13800138001"


def test_no_cell_can_act_as_a_formula() -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(workbook(ROSTER)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "=1+1" in {cell.value for cell in cells}
    with zipfile.ZipFile(io.BytesIO(csv_zip(ROSTER))) as file:
        people = file.read("people.csv").decode("utf-8-sig")
    assert "'=1+1" in people and ",-30.5," in people


def test_rows_are_added_changed_or_the_same_and_who_is_missing_is_told() -> None:
    merged = laid(people="工号,姓名,部门\nann,Ann,m\nbo,Bo,n\nnew,New,n\n")
    assert [(v.row, v.verdict) for v in merged.verdicts] == [(2, "same"), (3, "changed"), (4, "added")]
    assert merged.missing == {"people": ["007"]}
    assert merged.roster is not None
    assert merged.roster.person_by_id["007"] == ROSTER.person_by_id["007"]
    assert merged.roster.person_by_id["ann"].skills == ("vip", "solar")  # no column, no change


def test_who_is_missing_ends_when_it_is_asked_for() -> None:
    text = "团队,工号,角色,时间占比,考核占比,生效日期\na,ann,网格长,50%,75%,\nb,bo,负责人,1,100%,\n"
    merged = laid(True, members=text)
    assert merged.missing == {"members": ["b/007", "b/007"]}
    assert merged.roster is not None and [m.person for m in merged.roster.members] == ["ann", "bo"]


def test_a_day_begins_in_the_territory() -> None:
    merged = laid(members="team,person,role,失效日期\nb,bo,lead,2026/12/01\n")
    assert merged.verdicts[0].verdict == "same"  # which is 16 o'clock of the day before in UTC


@pytest.mark.parametrize(
    ("files", "row", "field", "said"),
    [
        ({"people": "id,name,department\n\nann,,m\n"}, 3, "name", "missing"),
        ({"people": "id,name,department\nx,X,zz\n"}, 2, "department", "'zz' is not in the list"),
        ({"people": "id,kpi_share\nann,lots\n"}, 2, "kpi_share", "'lots' is not a number"),
        ({"departments": "id,上级部门\nm,n\n"}, 2, "parent", "'m' stands above itself"),
        ({"members": "team,person,role\na,bo,\n"}, 2, "role", "a person without role"),
        ({"members": "team,person,role\na,bo,boss\n"}, 2, "role", "no role 'boss'"),
        ({"members": "team,person,time_share\na,ann,101%\n"}, 2, "time_share", "1.01 is not a share"),
        ({"members": "team,person,role,时间占比\na,bo,vip,1%\n"}, 2, "time_share", "comes to 101 %"),
        (
            {"members": "team,person,role,valid_from,valid_until\nb,007,vip,2026-06-01,2026-07-01\n"},
            2,
            "valid_from",
            "already",
        ),
        ({"members": "team,person,role\na,ann,lead\na,ann,lead\n"}, 3, "team", "stands in row 2 already"),
        ({"members": "team,person,valid_until\nb,bo,soon\n"}, 2, "valid_until", "'soon' is no date"),
        ({"named": "客户,团队,原因\nsecret-2,zz,bank\n"}, 2, "team", "'zz' is not in the list"),
        ({"teams": "id,fallback\na,1\nb,1\n"}, 3, "fallback", "a second fallback"),
    ],
)
def test_a_bad_row_is_refused_with_field_and_cure_and_nothing_comes_of_the_rest(
    files: dict[str, str], row: int, field: str, said: str
) -> None:
    merged = laid(**files)
    (refused,) = merged.refused
    assert (refused.row, refused.field) == (row, field)
    assert said in str(refused.reason) and refused.cure and merged.roster is None
    assert "secret" not in str(merged)


def test_each_bad_row_is_told_at_once_and_what_was_there_stays_as_it_was() -> None:
    people = "id,name,department\nx,X,zz\nbo,Bo,yy\ny,Y,m\nz,,m\n"
    members = "team,person,role,time_share\na,nobody,vip,0.1\na,y,vip,0.1\na,y,boss,0.1\n"
    merged = laid(people=people, members=members)
    told = {(v.source, v.row): str(v.reason) for v in merged.refused}
    assert set(told) == {("people.csv", n) for n in (2, 3, 5)} | {("members.csv", n) for n in (2, 4)}
    assert "'zz' is not in the list" in told["people.csv", 2] and "'yy'" in told["people.csv", 3]
    assert merged.roster is None
    assert [v.verdict for v in merged.verdicts if v.row not in {2, 3, 4, 5}] == []
    assert ("people.csv", 4, "added") in {(v.source, v.row, v.verdict) for v in merged.verdicts}


@pytest.mark.parametrize(
    ("files", "error", "said"),
    [
        ({"people.csv": b"id,shoe\n1,2\n"}, UnknownColumn, "people.csv, shoe: no such column; use id"),
        ({"people.csv": b"name\nx\n"}, UnknownColumn, "people.csv, id: no such column"),
        ({"cats.csv": b"id\n1\n"}, InvalidInput, "cats.csv: no list of a roster; name it one of"),
        ({"people.csv": b"id,id\n1,2\n"}, InvalidInput, "comes twice"),
        ({"people.xlsx": b"PK"}, UnreadableFile, "people.xlsx: not a ZIP"),
        ({"people.csv": b"\xff\xfe\x00\x81\xff"}, UnreadableFile, "neither UTF-8"),
        ({}, UnreadableFile, "no table in it"),
    ],
)
def test_a_file_which_is_no_roster_is_refused(files: dict[str, bytes], error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        read_sheets(files)
