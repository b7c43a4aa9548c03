"""Until when it was told which teams the clock gave another lead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lead_turns",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("told_until", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("lead_turns_territory_fkey")),
        sa.PrimaryKeyConstraint("territory", name=op.f("lead_turns_pkey")),
    )


def downgrade() -> None:
    op.drop_table("lead_turns")
