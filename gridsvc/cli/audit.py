"""`gridsvc audit`: check the audit against its chain, write it out, and seal what waits."""

from __future__ import annotations

from pathlib import Path

import click

from gridsvc.cli.common import WHO, as_json, database_option, emit, opened, out_path, say
from gridsvc.errors import Conflict
from gridsvc.services import audit as audit_
from gridsvc.services.audit import Checked, Fault, Form

__all__ = ["audit"]

_SAID = {
    "altered": "row {audit_id} is not as it was sealed (number {seq})",
    "missing": "row {audit_id} is missing",
    "extra": "row {audit_id} was written past the service",
    "broken": "the chain was changed at number {seq} (row {audit_id})",
    "head": "the digest asked for is nowhere in the chain",
}


@click.group()
def audit() -> None:
    """Check, write out or seal what the service noted of each change."""


@audit.command()
@click.option("--head", metavar="DIGEST", help="A head which was kept elsewhere: it must be in the chain.")
@database_option
@as_json
def verify(head: str | None, database: str | None, *, json_: bool) -> None:
    """Compare every row with its seal, and every seal with the chain."""
    with opened(database) as db:
        found = audit_.verify(db, WHO, head)
    lines = [*_lines(found), *(_said(fault) for fault in found.faults)]
    emit(found.as_dict(), lines, json_=json_)
    if found.faulty:
        raise Conflict(
            f"the audit is not whole: {_said(found.faults[0])}",
            field="database",
            cure="compare it with a backup or an export; it was changed by other hands",
        )


def _said(fault: Fault) -> str:
    return _SAID[fault.kind].format(audit_id=fault.audit_id, seq=fault.seq)


def _lines(found: Checked) -> list[str]:
    lines = [f"{found.sealed:,} rows sealed, {found.waiting:,} not yet", f"head {found.head.digest}"]
    if found.found_at is not None:
        lines.append(f"the head asked for is number {found.found_at}")
    if found.erased:
        lines.append(f"from {found.erased:,} rows somebody was erased, as the audit says")
    return lines + ([f"{found.faulty:,} faults"] if found.faulty else ["whole"])


@audit.command()
@click.option("-o", "--output", type=out_path, required=True, help="The file; a manifest is put beside it.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@database_option
@as_json
def export(output: Path, form: Form, database: str | None, *, json_: bool) -> None:
    """Write all sealed rows with their seals to a file."""
    with opened(database) as db:
        manifest = audit_.write(db, WHO, output, form)
    told = f"{manifest['rows']:,} rows in {output.name}, {manifest['waiting']:,} are not sealed yet"
    emit(manifest, [told, f"head {manifest['head']['digest']}"], json_=json_)


@audit.command()
@database_option
def seal(database: str | None) -> None:
    """Seal what waits; a running service does so by itself."""
    with opened(database) as db:
        made = 0
        while some := audit_.seal_waiting(db):
            made += some
    say(f"{made:,} rows sealed")
