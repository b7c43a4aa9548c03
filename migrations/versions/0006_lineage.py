"""Grid codes and what became of grids; rules of a territory in versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = ("lineage", "territory_rules")


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


def upgrade() -> None:
    op.create_table(
        "lineage",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("follows", sa.Integer(), nullable=True),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=True),
        sa.Column("successors", Json, nullable=False),
        sa.Column("origins", Json, nullable=False),
        sa.Column("tiling_id", sa.Text(), nullable=True),
        sa.Column("ground", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory", "line", "n"],
            ["publications.territory", "publications.line", "publications.n"],
            name=op.f("lineage_territory_fkey"),
        ),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("lineage_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("territory", "line", "code", "n", name=op.f("lineage_pkey")),
    )
    op.create_index(op.f("lineage_territory_line_n_ix"), "lineage", ["territory", "line", "n"])
    op.create_table(
        "territory_rules",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory"], ["territories.id"], name=op.f("territory_rules_territory_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "kind", "version", name=op.f("territory_rules_pkey")),
    )
    for table in _TABLES:
        _protect(table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
