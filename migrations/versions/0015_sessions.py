"""Sessions of people beside keys of programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("person", sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM keys WHERE person IS NOT NULL"))
    with op.batch_alter_table("keys") as batch:
        batch.drop_column("person")
