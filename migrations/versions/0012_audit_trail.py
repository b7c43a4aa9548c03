"""The audit's chain, keys of those who are named in it, and what an erasure may change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WITH_TEXTS = ("audit", "outbox", "rosters", "plan_moves", "plan_reviews", "handovers")
"""Tables never changed so far, with texts which may name somebody."""


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def upgrade() -> None:
    op.create_table(
        "audit_waiting",
        sa.Column("audit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("audit_waiting_pkey")),
    )
    op.create_table(
        "audit_chain",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("audit_chain_pkey")),
        sa.UniqueConstraint("audit_id", name=op.f("audit_chain_audit_id_key")),
    )
    op.create_table(
        "audit_keys",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "territory", "subject", name=op.f("audit_keys_pkey")),
    )
    op.create_table(
        "erasing",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("erasing_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("erasing_pkey")),
    )
    op.execute("INSERT INTO audit_waiting (audit_id) SELECT id FROM audit")
    if _postgresql():
        _open_postgresql()
    else:
        _open_sqlite()


def _open_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION gridsvc_refuse_unless_erasing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' AND EXISTS (SELECT 1 FROM erasing) THEN RETURN NULL; END IF; "
        "RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in _WITH_TEXTS:
        op.execute(f"DROP TRIGGER {table}_immutable ON {table}")
    for table in (*_WITH_TEXTS, "audit_chain"):
        op.execute(
            f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridsvc_refuse_unless_erasing()"
        )


def _open_sqlite() -> None:
    for table in _WITH_TEXTS:
        op.execute(f"DROP TRIGGER {table}_no_update")
    for table in (*_WITH_TEXTS, "audit_chain"):
        _refuse_sqlite(table, "update", " WHEN NOT EXISTS (SELECT 1 FROM erasing)")
    _refuse_sqlite("audit_chain", "delete")


def _refuse_sqlite(table: str, verb: str, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}{when} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
    )


def downgrade() -> None:
    for table in _WITH_TEXTS:
        if _postgresql():
            op.execute(f"DROP TRIGGER {table}_immutable ON {table}")
            op.execute(
                f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION gridsvc_refuse()"
            )
        else:
            op.execute(f"DROP TRIGGER {table}_no_update")
            _refuse_sqlite(table, "update")
    for table in ("erasing", "audit_keys", "audit_chain", "audit_waiting"):
        op.drop_table(table)
    if _postgresql():
        op.execute("DROP FUNCTION gridsvc_refuse_unless_erasing")
