"""Handovers and what belongs to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import Json, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("grid", sa.Text(), nullable=True),
        sa.Column("effective_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("roster", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Text(), nullable=True),
        sa.Column("told", Json, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("handovers_territory_fkey")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("handovers_plan_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("handovers_pkey")),
    )
    op.create_index(op.f("handovers_territory_id_ix"), "handovers", ["territory", "id"])
    _protect("handovers")


def _protect(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridsvc_refuse()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
        )


def downgrade() -> None:
    op.drop_table("handovers")
