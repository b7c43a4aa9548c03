"""Memberships with dates; people's languages, and the share of their assessment at home."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gridsvc.store.types import Json, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = "members_territory_r_team_person_role"
_ROLE = ("territory", "r", "team", "person", "role")
_COLUMNS = "territory, r, position, team, person, role, time_share, kpi_share, acting, backup"


def upgrade() -> None:
    op.add_column("people", sa.Column("languages", Json, nullable=True))
    op.add_column("people", sa.Column("kpi_share", sa.Double(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for name in ("valid_from", "valid_until"):
            op.add_column("members", sa.Column(name, UtcDateTime(), nullable=True))
        op.drop_constraint(f"{_KEY}_key", "members", type_="unique")
        op.create_unique_constraint(f"{_KEY}_valid_from_key", "members", [*_ROLE, "valid_from"])
        return
    times = [sa.Column(name, UtcDateTime(), nullable=True) for name in ("valid_from", "valid_until")]
    key = sa.UniqueConstraint(*_ROLE, "valid_from", name=op.f(f"{_KEY}_valid_from_key"))
    _rebuild(times, key, "")


def downgrade() -> None:
    # The schema before has one place of a person in a team by role, without dates: the first is kept.
    first = (
        "WHERE position = (SELECT min(position) FROM members AS m WHERE m.territory = members.territory "
        "AND m.r = members.r AND m.team = members.team AND m.person = members.person "
        "AND m.role = members.role)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE members DISABLE TRIGGER members_immutable")
        op.execute(f"DELETE FROM members {first.replace('position = (', 'position <> (', 1)}")
        op.execute("ALTER TABLE members ENABLE TRIGGER members_immutable")
        op.drop_constraint(f"{_KEY}_valid_from_key", "members", type_="unique")
        for name in ("valid_from", "valid_until"):
            op.drop_column("members", name)
        op.create_unique_constraint(f"{_KEY}_key", "members", list(_ROLE))
    else:
        _rebuild([], sa.UniqueConstraint(*_ROLE, name=op.f(f"{_KEY}_key")), first)
    op.drop_column("people", "kpi_share")
    op.drop_column("people", "languages")


def _rebuild(times: list[sa.Column[object]], key: sa.UniqueConstraint, which: str) -> None:
    """SQLite changes no constraint of a table which is there: make it anew, with its triggers."""
    op.create_table(
        "members_new",
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
        *times,
        sa.ForeignKeyConstraint(
            ["territory", "r"], ["rosters.territory", "rosters.r"], name=op.f("members_territory_r_fkey")
        ),
        sa.PrimaryKeyConstraint("territory", "r", "position", name=op.f("members_pkey")),
        key,
    )
    op.execute(f"INSERT INTO members_new ({_COLUMNS}) SELECT {_COLUMNS} FROM members {which}")
    op.execute("DROP TABLE members")
    op.execute("ALTER TABLE members_new RENAME TO members")
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER members_no_{verb} BEFORE {verb.upper()} ON members "
            "BEGIN SELECT RAISE(ABORT, 'rows of members are never changed'); END"
        )
