"""Rosters as documents and as files; each fault is named with its list, row, field and cure."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.errors import InvalidCoordinate, InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.teams.model import Named
from gridsvc.teams.read import read_roster, read_teams, roster_from_dict, roster_to_dict

DOCUMENT = {
    "departments": [
        {"id": "D1", "name": "Sales", "head": "P1"},
        {"id": "D2", "name": "North", "parent": "D1"},
    ],
    "people": [
        {
            "id": "P1",
            "name": "Person 1",
            "department": "D1",
            "skills": ["vip"],
            "lon": 117.1,
            "lat": 30.2,
            "languages": ["zh", "en"],
            "kpi_share": 0.3,
        },
        {"id": "P2", "name": "Person 2", "department": "D2"},
    ],
    "teams": [{"id": "T1", "name": "Team 1", "capacity": {"customers": 900}}, {"id": "T2", "name": "Team 2"}],
    "members": [
        {"team": "T1", "person": "P1", "role": "lead", "kpi_share": 0.7},
        {"team": "T1", "person": "P2", "role": "vip", "time_share": 0.5, "kpi_share": 0.4, "backup": True},
        {
            "team": "T2",
            "person": "P2",
            "role": "member",
            "time_share": 0.5,
            "kpi_share": 0.6,
            "acting": True,
            "valid_until": "2036-12-01T08:00:00+08:00",
        },
    ],
    "fallback": "T2",
    "named": [
        {"customer": "secret-1", "team": "T2", "reason": "bank", "until": "2026-12-01T08:00:00+08:00"},
        {"customer": "secret-2", "team": "T1", "reason": "hospital"},
    ],
}


def test_a_roster_survives_the_way_through_json():
    roster = roster_from_dict(DOCUMENT)
    again = roster_from_dict(json.loads(json.dumps(roster_to_dict(roster))))
    assert roster_to_dict(again) == roster_to_dict(roster)
    assert (again.fallback, again.lead("T2").person, again.person_by_id["P1"].skills) == (
        "T2",
        "P2",
        ("vip",),
    )
    assert again.team_by_id["T1"].capacity == {"customers": 900.0}
    assert again.named == (
        Named("secret-1", "T2", "bank", datetime(2026, 12, 1, tzinfo=UTC)),
        Named("secret-2", "T1", "hospital"),
    )


FAULTS = [
    ("departments", 2, "id", "D1", "'D1' stands in row 1 already"),
    ("departments", 2, "parent", "D9", "'D9' is not in the list of departments"),
    ("departments", 1, "parent", "D2", "'D1' stands above itself"),
    ("departments", 1, "head", "P9", "'P9' is not in the list of people"),
    ("people", 1, "department", "D9", "'D9' is not in the list of departments"),
    ("people", 2, "name", "  ", "missing"),
    ("people", 2, "id", 7, "this is not a text"),
    ("people", 2, "name", "a\0b", "a character which no database holds"),
    ("people", 2, "skills", ["\ud800"], "not a list of texts"),
    ("people", 2, "id", "P1", "'P1' stands in row 1 already"),
    ("people", 1, "capacity", -1, "-1 is negative"),
    ("people", 1, "skills", "vip", "not a list of texts"),
    ("teams", 2, "id", "T1", "'T1' stands in row 1 already"),
    ("teams", 1, "capacity", [5], "not numbers by measure"),
    ("members", 2, "person", "P9", "'P9' is not in the list of people"),
    ("members", 2, "team", "T9", "'T9' is not in the list of teams"),
    ("members", 2, "person", "P1", "'P1' is in team 'T1' already"),
    ("members", 2, "role", None, "a person without role"),
    ("members", 2, "valid_from", "2026-12-01", "without offset"),
    ("members", 3, "valid_from", "2036-12-01T00:00:00Z", "not after valid_from"),
    ("members", 2, "time_share", 0.51, "the time of 'P2' comes to 101 % (T1 51 %, T2 50 %)"),
    ("members", 3, "kpi_share", 0.7, "the assessment of 'P2' comes to 110 % (T1 40 %, T2 70 %)"),
    ("members", 1, "kpi_share", 1.0, "the assessment of 'P1' comes to 130 % (T1 100 % and 30 % of the"),
    ("people", 1, "kpi_share", 1.01, "1.01 is not a share"),
    ("people", 1, "languages", "zh", "not a list of texts"),
    ("members", 2, "role", "boss", "no role 'boss'; use one of lead, enterprise"),
    ("members", 2, "time_share", 1.5, "1.5 is not a share"),
    ("members", 2, "kpi_share", "half", "'half' is not a number"),
    ("members", 2, "kpi_share", float("nan"), "nan is not a number"),
    ("members", 2, "acting", "yes", "neither true nor false"),
    ("named", 2, "team", "T9", "'T9' is not in the list of teams"),
    ("named", 2, "customer", "secret-1", "the customer of row 1 again"),
    ("named", 2, "customer", 5551234, "not a text"),
    ("named", 2, "customer", None, "missing"),
    ("named", 2, "reason", " ", "missing"),
    ("named", 2, "until", "tomorrow", "this is no time"),
    ("named", 2, "until", "2026-12-01", "without offset"),
    ("named", 2, "until", "0001-01-01T00:00:00+08:00", "beyond the calendar"),
    ("named", 2, "until", 20261201, "not a text"),
]


@pytest.mark.parametrize(("source", "row", "field", "value", "said"), FAULTS)
def test_a_fault_names_list_row_field_and_cure(source, row, field, value, said):
    document = copy.deepcopy(DOCUMENT)
    document[source][row - 1][field] = value
    with pytest.raises(InvalidInput) as caught:
        roster_from_dict(document)
    place = {"not after valid_from": (3, "valid_until"), "the time of 'P2'": (3, field)}
    row, field = next((at for begins, at in place.items() if said.startswith(begins)), (row, field))
    assert str(caught.value).startswith(f"{source}, row {row}, {field}: ")
    assert said in str(caught.value)
    assert caught.value.cure
    assert "secret" not in str(caught.value.as_dict()) and "5551234" not in str(caught.value.as_dict())


def test_a_named_account_counts_until_its_end_and_never_shows_its_customer():
    end = datetime(2026, 12, 1, tzinfo=UTC)
    entry = Named("secret-1", "T2", "bank", end)
    assert [entry.counts(end - timedelta(microseconds=1)), entry.counts(end)] == [True, False]
    assert Named("secret-1", "T2", "bank").counts(end)
    assert "secret" not in repr(roster_from_dict(DOCUMENT))


def test_a_roster_without_a_name_list_names_nobody():
    document = {name: value for name, value in DOCUMENT.items() if name != "named"}
    assert roster_from_dict(document).named == ()
    assert roster_to_dict(roster_from_dict(document))["named"] == []


@pytest.mark.parametrize(
    ("field", "value", "said"), [("lat", 91, "-90 and 90"), ("lon", -181, "-180"), ("lat", None, "missing")]
)
def test_a_base_out_of_range_is_refused(field, value, said):
    document = copy.deepcopy(DOCUMENT)
    document["people"][0][field] = value
    with pytest.raises(InvalidCoordinate, match=rf"people, row 1, {field}: .*{said}"):
        roster_from_dict(document)


def test_a_team_without_lead_is_refused():
    document = copy.deepcopy(DOCUMENT)
    document["members"][2]["acting"] = False
    with pytest.raises(
        InvalidInput, match="teams, row 2, lead: team 'T2' has no lead; add a member with the role lead"
    ):
        roster_from_dict(document)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fallback": "T9"}, "fallback: no team 'T9'"),
        ({"fallback": 3}, "fallback: not the id"),
        ({"people": "P1"}, "people: not a list"),
        ({"teams": ["T1"]}, "teams, row 1: not an entry"),
        ({"teams": [{"id": "T1", "name": "a", "capacity": {"kwh": "x"}}]}, r"teams, row 1, capacity\.kwh"),
    ],
)
def test_a_document_of_the_wrong_form_is_refused(change, said):
    with pytest.raises(InvalidInput, match=said):
        roster_from_dict(DOCUMENT | change)


FILES = {
    "departments.csv": "id,name,parent,head\nD1,Sales,,P1\nD2,North,D1,\n",
    "people.csv": """\
id,name,department,skills,lon,lat,capacity
P1,Person 1,D1,vip; solar,117.1,30.2,
P2,Person 2,D2,,,,0.5
""",
    "teams.csv": """\
id,name,lon,lat,level,fallback,capacity_customers
T1,Team 1,117,30,,,900
T2,Team 2,,,area,true,
""",
    "members.csv": """\
team,person,role,time_share,kpi_share,acting,backup
T1,P1,lead,,,,
T2,P2,member,0.5,0.4,yes,false
""",
}


def written(folder, **changed):
    for name, text in FILES.items():
        (folder / name).write_text(changed.get(name.removesuffix(".csv"), text), encoding="utf-8")
    return folder


def test_four_files_make_a_roster(tmp_path):
    roster = read_roster(written(tmp_path))
    assert roster.fallback == "T2"
    assert roster.person_by_id["P1"].skills == ("vip", "solar")
    assert (roster.person_by_id["P1"].capacity, roster.person_by_id["P2"].capacity) == (1.0, 0.5)
    assert roster.team_by_id["T1"].capacity == {"customers": 900.0} and roster.team_by_id["T2"].capacity == {}
    assert (roster.team_by_id["T1"].level, roster.team_by_id["T2"].level) == ("grid", "area")
    member = roster.members_by_team["T2"][0]
    assert (member.time_share, member.kpi_share, member.acting, member.backup) == (0.5, 0.4, True, False)


def test_a_fifth_file_is_the_name_list(tmp_path):
    assert read_roster(written(tmp_path)).named == ()
    text = "customer,team,reason,until\n007,T2,bank,2026-12-01T08:00:00+08:00\n008,T1,hospital,\n"
    (tmp_path / "named.csv").write_text(text, encoding="utf-8")
    assert read_roster(tmp_path).named == (
        Named("007", "T2", "bank", datetime(2026, 12, 1, tzinfo=UTC)),
        Named("008", "T1", "hospital"),
    )
    (tmp_path / "named.csv").write_text("customer,team,reason\nsecret,T9,bank\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"named\.csv, row 1, team: 'T9' is not") as caught:
        read_roster(tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "error", "said"),
    [
        (
            "people",
            "id,name\nP1,x\n",
            UnknownColumn,
            r"people.csv, department: no such column \(found: id, name\)",
        ),
        (
            "people",
            "id,name,department\nP1,x,D9\n",
            InvalidInput,
            "people.csv, row 1, department: 'D9' is not",
        ),
        ("people", "id,name,department\nP1,x\n", InvalidInput, "people.csv, row 1: not 3 values"),
        (
            "teams",
            "id,name,capacity_kwh\nT1,a,lots\n",
            InvalidInput,
            "teams.csv, row 1, capacity_kwh: 'lots'",
        ),
        (
            "teams",
            "id,name,capacity_kwh\nT1,a,-2\n",
            InvalidInput,
            "teams.csv, row 1, capacity_kwh: -2 is negative",
        ),
        ("teams", "id,name,fallback\nT1,a,maybe\n", InvalidInput, "teams.csv, row 1, fallback: 'maybe'"),
        ("teams", "id,name,fallback\nT1,a,1\nT2,b,1\n", InvalidInput, "teams.csv, row 2, fallback: a second"),
        (
            "members",
            "team,person,role\nT1,P1,lead\n",
            InvalidInput,
            "teams.csv, row 2, lead: team 'T2' has no lead",
        ),
        ("members", 'team,person,role\nT1,"P1,lead\n', UnreadableFile, "members.csv: not a CSV"),
    ],
)
def test_a_fault_in_a_file_names_file_row_and_column(tmp_path, name, text, error, said):
    with pytest.raises(error, match=said):
        read_roster(written(tmp_path, **{name: text}))


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    (written(tmp_path) / "teams.csv").unlink()
    with pytest.raises(UnreadableFile, match=r"teams\.csv: cannot be opened") as caught:
        read_roster(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_list_of_teams_with_their_leads(tmp_path):
    path = tmp_path / "T.csv"
    path.write_bytes(
        "id,name,lon,lat,capacity_customers,lead_id,lead_name\nT1,城东,117,30,900,P1,员工1\nT2,城西,,,,P1,员工1\n".encode(
            "gb18030"
        )
    )
    roster = read_teams(path)
    assert [person.id for person in roster.people] == ["P1"]
    assert (roster.team_by_id["T2"].name, roster.lead("T2").person) == ("城西", "P1")


def test_the_name_of_a_lead_without_id_is_the_id(tmp_path):
    path = tmp_path / "T.csv"
    path.write_text("id,name,lead_name,fallback\nT1,a,Person 1,\nT0,b,Person 2,true\n", encoding="utf-8-sig")
    roster = read_teams(path)
    assert (roster.lead("T1").person, roster.fallback) == ("Person 1", "T0")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("T1,a,P1,\n", "T.csv, row 1, lead_name: team 'T1' has no lead"),
        ("T1,a,P1,x\nT2,b,P1,y\n", "T.csv, row 2, lead_id: 'P1' is the id of two people"),
        ("T1,a,P1,x\nT1,b,P2,y\n", "T.csv, row 2, id: 'T1' stands in row 1"),
    ],
)
def test_faults_in_a_list_of_teams(tmp_path, rows, said):
    path = tmp_path / "T.csv"
    path.write_text("id,name,lead_id,lead_name\n" + rows, encoding="utf-8")
    with pytest.raises(InvalidInput, match=said):
        read_teams(path)


def test_bytes_which_are_no_text_are_refused(tmp_path):
    path = tmp_path / "T.csv"
    path.write_bytes(b"\xff\xfe\x00\x81\xff")
    with pytest.raises(UnreadableFile, match=r"T\.csv: neither UTF-8"):
        read_teams(path)
