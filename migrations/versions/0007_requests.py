"""Reviews of plans and what districts ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import Json, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_IMMUTABLE = ("company_documents", "plan_reviews")


def upgrade() -> None:
    op.create_table(
        "company_documents",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "revision", name=op.f("company_documents_pkey")),
    )
    op.create_table(
        "plan_reviews",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("plan_reviews_plan_id_fkey")),
        sa.PrimaryKeyConstraint("plan_id", "revision", name=op.f("plan_reviews_pkey")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("wish", Json, nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("requests_territory_fkey")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("requests_plan_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("requests_pkey")),
    )
    op.create_index(op.f("requests_territory_state_ix"), "requests", ["territory", "state"])
    op.create_table(
        "request_comments",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("request_comments_request_id_fkey")
        ),
        sa.PrimaryKeyConstraint("request_id", "number", name=op.f("request_comments_pkey")),
    )
    for table in _IMMUTABLE:
        _protect(table)


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
    # The schema before knows drafts and publications only, and lets nobody touch a plan of another status.
    op.execute("UPDATE plans SET status = 'draft' WHERE status IN ('submitted', 'approved')")
    for table in ("request_comments", "requests", "plan_reviews", "company_documents"):
        op.drop_table(table)
