"""Customers as they come and go between imports: what was told, and what follows of it at each time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import Json, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _place() -> list[sa.Column[Any]]:
    return [
        sa.Column("tiling_id", sa.Text(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("premise", sa.Text(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("attributes", Json, nullable=True),
    ]


def upgrade() -> None:
    op.create_table(
        "customer_changes",
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_updated_at", UtcDateTime(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        *_place(),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory"], ["territories.id"], name=op.f("customer_changes_territory_fkey")
        ),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("customer_changes_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("no", name=op.f("customer_changes_pkey")),
    )
    op.create_index(
        op.f("customer_changes_territory_id_no_ix"), "customer_changes", ["territory", "id", "no"]
    )
    op.create_table(
        "customer_states",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("starts", UtcDateTime(), nullable=False),
        sa.Column("ends", UtcDateTime(), nullable=True),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("there", sa.Boolean(), nullable=False),
        *_place(),
        sa.PrimaryKeyConstraint("territory", "id", "starts", name=op.f("customer_states_pkey")),
        sqlite_with_rowid=False,
    )
    for columns in (("territory", "no"), ("territory", "starts"), ("territory", "tiling_id", "cell", "id")):
        op.create_index(op.f(f"customer_states_{'_'.join(columns)}_ix"), "customer_states", list(columns))


def downgrade() -> None:
    # The third schema knows imports only: what came between them is lost with these tables.
    op.drop_table("customer_states")
    op.drop_table("customer_changes")
