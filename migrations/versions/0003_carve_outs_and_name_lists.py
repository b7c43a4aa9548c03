"""Carve-outs of a plan as polygons, and the customers whom a roster gives to teams by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import Geometry, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_carve_outs",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("since", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("polygon", Geometry("GEOMETRY"), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("plan_carve_outs_plan_id_fkey")),
        sa.PrimaryKeyConstraint("plan_id", "since", "position", name=op.f("plan_carve_outs_pkey")),
        sa.UniqueConstraint("plan_id", "since", "code", name=op.f("plan_carve_outs_plan_id_since_code_key")),
    )
    op.create_table(
        "named_accounts",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("r", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory", "r"], ["rosters.territory", "rosters.r"], name=op.f("named_accounts_territory_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "r", "position", name=op.f("named_accounts_pkey")),
        sa.UniqueConstraint(
            "territory", "r", "customer", name=op.f("named_accounts_territory_r_customer_key")
        ),
    )


def downgrade() -> None:
    # The second schema has no place for either: it refuses publications with carve-outs rather than answer
    # without them.
    op.drop_table("named_accounts")
    op.drop_table("plan_carve_outs")
