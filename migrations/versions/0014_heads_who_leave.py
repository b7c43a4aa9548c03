"""Until when a person is there, and who stands in for a department's head."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("valid_until", UtcDateTime(), nullable=True))
    op.add_column("departments", sa.Column("acting_head", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("departments", "acting_head")
    op.drop_column("people", "valid_until")
