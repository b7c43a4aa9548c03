"""Rosters: put whole, changed by entries or by files, judged by the company's rules, and given out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, File, Form, Query, Response, UploadFile

from api.deps import Caller, Db, Key, KeyHeader, PageLimit, Questions
from api.schemas.common import Page, Slug
from api.schemas.owner import RosterIn, RosterOut
from api.schemas.rosters import (
    ChangesIn,
    ChangesOut,
    NeededOut,
    RosterHead,
    RosterImportOut,
    TeamRulesIn,
    TeamRulesOut,
    ViolationOut,
    ViolationsOut,
)
from gridsvc.errors import InvalidInput, TooLarge
from gridsvc.services import roster_changes, roster_files, rosters, team_rules
from gridsvc.services.desk import settle
from gridsvc.services.roster_files import FileKind, Importing
from gridsvc.store.records import Idempotency
from gridsvc.teams.company import TeamRules, team_rules_from_dict
from gridsvc.teams.document import roster_from_dict, roster_to_dict

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["rosters"])

_LISTED = 1000
_MOST_BYTES = 50_000_000
_MEDIA: dict[FileKind, tuple[str, str]] = {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "csv": ("application/zip", "zip"),
}

At = Annotated[datetime | None, Query(description="The moment asked about; now unless given.")]


def _aware(name: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise InvalidInput("a time without offset", field=name, cure="write it as 2026-12-01T00:00:00+08:00")
    return moment


@router.put("/territories/{territory}/roster")
def put_roster(territory: Slug, body: RosterIn, db: Db, desk: Questions, who: Caller, key: Key) -> RosterOut:
    """Append a version of the roster: departments, people, teams and members."""
    roster = roster_from_dict(body.model_dump(exclude={"valid_from", "reason"}))
    since = _aware("valid_from", body.valid_from)
    number = rosters.put(db, who, territory, roster, valid_from=since, reason=body.reason, idempotency=key)
    settle(desk)
    return RosterOut(territory=territory, roster=number, newest=number, **roster_to_dict(roster))


@router.get("/territories/{territory}/roster")
def get_roster(territory: Slug, db: Db, who: Caller, at: At = None) -> RosterOut:
    """The roster in force, whole: with members whose time is over or is to come."""
    number, roster = rosters.get(db, who, territory, _aware("at", at))
    newest = rosters.newest(db, who, territory)
    return RosterOut(territory=territory, roster=number, newest=newest, **roster_to_dict(roster))


@router.get("/territories/{territory}/rosters")
def list_rosters(
    territory: Slug,
    db: Db,
    who: Caller,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: PageLimit = 100,
) -> Page[RosterHead]:
    """Versions of the roster, oldest first."""
    found = rosters.listing(db, who, territory, after, limit)
    items = [
        RosterHead(
            roster=r.r,
            valid_from=r.valid_from,
            recorded_at=r.recorded_at,
            recorded_by=r.recorded_by,
            reason=r.reason,
        )
        for r in found
    ]
    return Page(items=items, next=str(found[-1].r) if len(found) == limit else None)


@router.post("/territories/{territory}/roster/changes")
def change_roster(
    territory: Slug, body: ChangesIn, db: Db, desk: Questions, who: Caller, key: Key
) -> ChangesOut:
    """Add, change or end people, memberships, departments, teams and named accounts: all, or nothing."""
    made = roster_changes.change(
        db,
        who,
        territory,
        body.operations,
        base_roster=body.base_roster,
        valid_from=_aware("valid_from", body.valid_from),
        reason=body.reason,
        idempotency=key,
    )
    settle(desk)
    return ChangesOut(territory=territory, rosters=made, newest=made[-1])


@router.post("/territories/{territory}/roster/import")
def import_roster(
    territory: Slug,
    db: Db,
    desk: Questions,
    who: Caller,
    files: Annotated[
        list[UploadFile],
        File(description="A workbook, a ZIP of CSV files, or CSV files named after their list."),
    ],
    dry_run: Annotated[bool, Form(description="Only say what would come of it.")] = False,
    end_missing: Annotated[bool, Form(description="Take out who is not in the files.")] = False,
    confirm_missing: Annotated[
        int | None, Form(ge=0, lt=2**31, description="How many people are missing, where more than 5 % are.")
    ] = None,
    base_roster: Annotated[
        int | None, Form(ge=0, lt=2**31, description="The newest roster seen; 409 if stale.")
    ] = None,
    valid_from: Annotated[datetime | None, Form(description="The past needs a reason.")] = None,
    reason: Annotated[str | None, Form(max_length=500)] = None,
    key: KeyHeader = None,
) -> RosterImportOut:
    """Lay files over the roster, with a verdict a row: all of it is taken, or nothing."""
    since = _aware("valid_from", valid_from)
    how = Importing(dry_run, end_missing, confirm_missing, since, base_roster, reason)
    contents = _contents(files)
    once = None if key is None or dry_run else _once(key, territory, how, contents)
    before = roster_files.answered(db, who, once)
    if before is not None:
        return RosterImportOut(**before)
    found = roster_files.import_files(db, who, territory, contents, how, idempotency=once)
    if found.roster is not None:
        settle(desk)
    return RosterImportOut(**found.as_dict(territory))


def _once(key: str, territory: str, how: Importing, contents: Mapping[str, bytes]) -> Idempotency:
    """The request by what it says, since the bytes of a form differ from one sending to the next."""
    digest = hashlib.sha256(orjson.dumps([territory, asdict(how), {n: len(c) for n, c in contents.items()}]))
    for content in contents.values():
        digest.update(content)
    return Idempotency(key, digest.hexdigest())


def _contents(files: Sequence[UploadFile]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for upload in files:
        name = upload.filename or "people.csv"
        contents[name] = upload.file.read(_MOST_BYTES + 1)
        if sum(map(len, contents.values())) > _MOST_BYTES:
            raise TooLarge("more than 50 MB", field="files", cure="send fewer rows at once")
    return contents


@router.get("/territories/{territory}/roster/export", response_class=Response)
def export_roster(
    territory: Slug,
    db: Db,
    who: Caller,
    format_: Annotated[FileKind, Query(alias="format", description="xlsx, or csv in a ZIP.")] = "xlsx",
    at: At = None,
) -> Response:
    """The roster as a file whose import changes nothing; its name list needs `customers:read`."""
    number, content = roster_files.export(db, who, territory, format_, at=_aware("at", at))
    media, suffix = _MEDIA[format_]
    name = f"{territory}-roster-{number}.{suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media, headers=headers)


@router.get("/territories/{territory}/roster/violations")
def get_violations(
    territory: Slug,
    db: Db,
    who: Caller,
    at: At = None,
    line: Annotated[str, Query(description="Line whose published grids are looked at.")] = "base",
) -> ViolationsOut:
    """Where the roster breaks the company's rules at a moment, for the grids which are published then."""
    found = team_rules.violations(db, who, territory, at=_aware("at", at), line=line)
    items = [ViolationOut(**violation.as_dict()) for violation in found.violations[:_LISTED]]
    needed = [NeededOut(**asdict(need)) for need in found.needed]
    total = len(found.violations)
    return ViolationsOut(territory=territory, roster=found.roster, total=total, items=items, needed=needed)


@router.get("/company/team-rules")
def get_team_rules(db: Db, who: Caller) -> TeamRulesOut:
    """The company's rules for teams."""
    return _rules(*team_rules.get(db, who))


@router.put("/company/team-rules")
def put_team_rules(body: TeamRulesIn, db: Db, who: Caller) -> TeamRulesOut:
    """Replace the company's rules for teams."""
    rules = team_rules_from_dict(body.model_dump(exclude_none=True))
    return _rules(team_rules.put(db, who, rules), rules)


def _rules(revision: int, rules: TeamRules) -> TeamRulesOut:
    return TeamRulesOut(revision=revision, **rules.as_dict())
