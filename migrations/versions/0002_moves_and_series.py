"""Moves of a plan, its branches and waivers; what a publication is based on and takes the place of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from gridsvc.store import codec
from gridsvc.store.types import Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _plans() -> list[sa.Column[Any]]:
    return [
        sa.Column("labels_revision", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=True),
        sa.Column("checkpoint_revision", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("branched_from", sa.Text(), nullable=True),
        sa.Column("branched_at", sa.Integer(), nullable=True),
        sa.Column("origin", Json, nullable=True),
        sa.Column("waivers", Json, nullable=True),
    ]


def _publications() -> list[sa.Column[Any]]:
    return [
        sa.Column("base_publication", sa.Integer(), nullable=True),
        sa.Column("supersedes", sa.Integer(), nullable=True),
        sa.Column("republishes", sa.Integer(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("transition_until", UtcDateTime(), nullable=True),
    ]


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _protect() -> None:
    if _postgresql():
        op.execute(
            "CREATE TRIGGER plan_moves_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_moves "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridsvc_refuse()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER plan_moves_no_{verb} BEFORE {verb.upper()} ON plan_moves "
            "BEGIN SELECT RAISE(ABORT, 'rows of plan_moves are never changed'); END"
        )


def upgrade() -> None:
    for column in _plans():
        op.add_column("plans", column)
    op.execute("UPDATE plans SET labels_revision = revision")
    op.add_column(
        "plan_grids", sa.Column("optional", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for column in _publications():
        op.add_column("publications", column)
    op.create_table(
        "plan_moves",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reverts", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("n_cells", sa.Integer(), nullable=False),
        sa.Column("grids", Json, nullable=False),
        sa.Column("source", Json, nullable=True),
        sa.Column("cells", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("plan_moves_plan_id_fkey")),
        sa.PrimaryKeyConstraint("plan_id", "revision", name=op.f("plan_moves_pkey")),
    )
    _protect()


def _write_moves_into_labels() -> None:
    """Keep what planners drew: the first schema knows a plan's cells as they are, and no moves."""
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT DISTINCT plan_id FROM plan_moves")).scalars().all()
    for plan in rows:
        labels, base = bind.execute(
            sa.text("SELECT labels, labels_revision FROM plans WHERE id = :p"), {"p": plan}
        ).one()
        if labels is None:
            continue
        now = codec.unpack(labels)["labels"].copy()
        moves = bind.execute(
            sa.text("SELECT cells FROM plan_moves WHERE plan_id = :p AND revision > :r ORDER BY revision"),
            {"p": plan, "r": base},
        )
        for (block,) in moves.all():
            change = codec.unpack(block)
            now[change["rows"]] = change["after"]
        bind.execute(
            sa.text("UPDATE plans SET labels = :l WHERE id = :p"),
            {"l": codec.pack({"labels": now}), "p": plan},
        )


def downgrade() -> None:
    _write_moves_into_labels()
    op.drop_table("plan_moves")
    for column in reversed(_publications()):
        op.drop_column("publications", column.name)
    op.drop_column("plan_grids", "optional")
    for column in reversed(_plans()):
        op.drop_column("plans", column.name)
