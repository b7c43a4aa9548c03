"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import SERIAL, Geometry, Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_IMMUTABLE = (
    "publications",
    "published_grids",
    "rosters",
    "departments",
    "teams",
    "members",
    "audit",
    "outbox",
)
_SHAPES = (("territories", "boundary"), ("cells", "geometry"), ("published_grids", "geometry"))


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _protect_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION gridsvc_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in _IMMUTABLE:
        op.execute(
            f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridsvc_refuse()"
        )


def _protect_sqlite() -> None:
    for table in _IMMUTABLE:
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
            )


def upgrade() -> None:
    if _postgresql():
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.create_table(
        "audit",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("audit_subject_ix"), "audit", ["subject"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", Json, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "route", "key", name=op.f("idempotency_pkey")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=True),
        sa.Column("params", Json, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("problem", Json, nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("heartbeat", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("jobs_pkey")),
    )
    op.create_index(op.f("jobs_status_id_ix"), "jobs", ["status", "id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "seq",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("seq_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("seq_pkey")),
    )
    op.create_table(
        "territories",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("customers_word", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("boundary", Geometry("MULTIPOLYGON"), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["territories.id"], name=op.f("territories_parent_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("territories_pkey")),
    )
    op.create_table(
        "rosters",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("r", sa.Integer(), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("rosters_territory_fkey")),
        sa.PrimaryKeyConstraint("territory", "r", name=op.f("rosters_pkey")),
    )
    op.create_table(
        "tilings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Integer(), nullable=True),
        sa.Column("n_cells", sa.Integer(), nullable=False),
        sa.Column("origin_lon", sa.Double(), nullable=False),
        sa.Column("origin_lat", sa.Double(), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("coverage", Json, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("arrays", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("tilings_territory_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("tilings_pkey")),
    )
    op.create_index(op.f("tilings_territory_ix"), "tilings", ["territory"], unique=False)
    op.create_table(
        "cells",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("tiling_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("geometry", Geometry("GEOMETRY"), nullable=False),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("cells_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("cells_pkey")),
        sa.UniqueConstraint("tiling_id", "cell", name=op.f("cells_tiling_id_cell_key")),
        sa.UniqueConstraint("tiling_id", "row", name=op.f("cells_tiling_id_row_key")),
    )
    op.create_table(
        "departments",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("r", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("head", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory", "r"], ["rosters.territory", "rosters.r"], name=op.f("departments_territory_r_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "r", "position", name=op.f("departments_pkey")),
        sa.UniqueConstraint("territory", "r", "id", name=op.f("departments_territory_r_id_key")),
    )
    op.create_table(
        "imports",
        sa.Column("no", SERIAL, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("tiling_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("summary", Json, nullable=True),
        sa.Column("valid_from", UtcDateTime(), nullable=True),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("imports_territory_fkey")),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("imports_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("no", name=op.f("imports_pkey")),
        sa.UniqueConstraint("id", name=op.f("imports_id_key")),
    )
    op.create_index(
        "imports_one_live",
        "imports",
        ["territory", "tiling_id"],
        unique=True,
        sqlite_where=sa.text("status = 'live'"),
        postgresql_where=sa.text("status = 'live'"),
    )
    op.create_table(
        "members",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("r", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("time_share", sa.Double(), nullable=False),
        sa.Column("kpi_share", sa.Double(), nullable=False),
        sa.Column("acting", sa.Boolean(), nullable=False),
        sa.Column("backup", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory", "r"], ["rosters.territory", "rosters.r"], name=op.f("members_territory_r_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "r", "position", name=op.f("members_pkey")),
        sa.UniqueConstraint(
            "territory", "r", "team", "person", "role", name=op.f("members_territory_r_team_person_role_key")
        ),
    )
    op.create_table(
        "people",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("r", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("skills", Json, nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("capacity", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory", "r"], ["rosters.territory", "rosters.r"], name=op.f("people_territory_r_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "r", "position", name=op.f("people_pkey")),
        sa.UniqueConstraint("territory", "r", "id", name=op.f("people_territory_r_id_key")),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("tiling_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("report", Json, nullable=True),
        sa.Column("base_publication", sa.Integer(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=True),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("plans_territory_fkey")),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("plans_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("plans_pkey")),
    )
    op.create_index(op.f("plans_territory_ix"), "plans", ["territory"], unique=False)
    op.create_table(
        "teams",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("r", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("capacity", Json, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory", "r"], ["rosters.territory", "rosters.r"], name=op.f("teams_territory_r_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "r", "position", name=op.f("teams_pkey")),
        sa.UniqueConstraint("territory", "r", "id", name=op.f("teams_territory_r_id_key")),
    )
    op.create_table(
        "customers",
        sa.Column("import_no", sa.BigInteger(), nullable=False),
        sa.Column("row_no", sa.BigInteger(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("premise", sa.Text(), nullable=True),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("todo", sa.Boolean(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("attributes", Json, nullable=True),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["import_no"], ["imports.no"], name=op.f("customers_import_no_fkey")),
        sa.PrimaryKeyConstraint("import_no", "row_no", name=op.f("customers_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("customers_import_no_cell_id_ix"), "customers", ["import_no", "cell", "id"], unique=False
    )
    op.create_index(
        "customers_one_each",
        "customers",
        ["import_no", "id"],
        unique=True,
        sqlite_where=sa.text("kept = 1"),
        postgresql_where=sa.text("kept"),
    )
    op.create_index(
        "customers_todo",
        "customers",
        ["import_no", "row_no"],
        unique=False,
        sqlite_where=sa.text("todo = 1"),
        postgresql_where=sa.text("todo"),
    )
    op.create_table(
        "measures",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("tiling_id", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("missing_share", sa.Double(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("measures_import_id_fkey")),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("measures_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("measures_pkey")),
    )
    op.create_index(op.f("measures_tiling_id_name_ix"), "measures", ["tiling_id", "name"], unique=False)
    op.create_table(
        "plan_grids",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("carve_out", sa.Boolean(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("plan_grids_plan_id_fkey")),
        sa.PrimaryKeyConstraint("plan_id", "position", name=op.f("plan_grids_pkey")),
        sa.UniqueConstraint("plan_id", "code", name=op.f("plan_grids_plan_id_code_key")),
    )
    op.create_table(
        "publications",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("tiling_id", sa.Text(), nullable=False),
        sa.Column("customers_import", sa.Text(), nullable=True),
        sa.Column("effective_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("meta", Json, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customers_import"], ["imports.id"], name=op.f("publications_customers_import_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("publications_plan_id_fkey")),
        sa.ForeignKeyConstraint(["territory"], ["territories.id"], name=op.f("publications_territory_fkey")),
        sa.ForeignKeyConstraint(["tiling_id"], ["tilings.id"], name=op.f("publications_tiling_id_fkey")),
        sa.PrimaryKeyConstraint("territory", "line", "n", name=op.f("publications_pkey")),
    )
    op.create_table(
        "published_grids",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("geometry", Geometry("MULTIPOLYGON"), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory", "line", "n"],
            ["publications.territory", "publications.line", "publications.n"],
            name=op.f("published_grids_territory_line_n_fkey"),
        ),
        sa.PrimaryKeyConstraint("territory", "line", "n", "code", name=op.f("published_grids_pkey")),
    )
    op.execute("INSERT INTO seq (id, value) VALUES (1, 0)")
    if _postgresql():
        for table, column in _SHAPES:
            op.create_index(f"{table}_{column}_gist", table, [column], postgresql_using="gist")
        _protect_postgresql()
    else:
        op.execute("CREATE VIRTUAL TABLE cells_rtree USING rtree (id, min_lon, max_lon, min_lat, max_lat)")
        _protect_sqlite()


def downgrade() -> None:
    if not _postgresql():
        op.execute("DROP TABLE cells_rtree")
    op.drop_table("published_grids")
    op.drop_table("publications")
    op.drop_table("plan_grids")
    op.drop_table("measures")
    op.drop_table("customers")
    op.drop_table("teams")
    op.drop_table("plans")
    op.drop_table("people")
    op.drop_table("members")
    op.drop_table("imports")
    op.drop_table("departments")
    op.drop_table("cells")
    op.drop_table("tilings")
    op.drop_table("rosters")
    op.drop_table("territories")
    op.drop_table("seq")
    op.drop_table("outbox")
    op.drop_table("jobs")
    op.drop_table("idempotency")
    op.drop_table("audit")
    if _postgresql():
        op.execute("DROP FUNCTION gridsvc_refuse()")
