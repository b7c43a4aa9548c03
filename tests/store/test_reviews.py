"""Steps of review and company documents stay as they were written."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gridsvc.errors import Conflict, StaleRevision
from gridsvc.principal import SYSTEM
from gridsvc.store import Database, schema
from gridsvc.store.tables import company_documents, plan_reviews
from tests.store.builders import ANNA, draft, ground


@pytest.fixture
def plan(database: Database) -> str:
    """A submitted plan at revision 2, and a calendar."""
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as work:
        work.reviews.turn(made, "submit", "draft", "submitted", 1, "spring")
        work.reviews.put_document("calendar", {"weekend": ["sun"]})
    return made


@pytest.mark.parametrize("table", [company_documents, plan_reviews], ids=lambda table: table.name)
@pytest.mark.parametrize("change", [sa.update, sa.delete], ids=["update", "delete"])
def test_what_is_on_record_is_never_changed(
    database: Database, plan: str, table: sa.Table, change: object
) -> None:
    statement = sa.delete(table) if change is sa.delete else sa.update(table).values(revision=9)
    with pytest.raises(Conflict, match="never changed"), database._transaction(writes=True) as connection:
        connection.execute(statement)


def test_a_document_is_the_newest_of_its_kind(database: Database, plan: str) -> None:
    with database.write(ANNA, "test") as work:
        assert work.reviews.put_document("calendar", {"weekend": []}) == 2
        assert work.reviews.put_document("review-rules", {}) == 1
    with database.read(SYSTEM) as view:
        assert view.reviews.document("calendar") == (2, {"weekend": []})


def test_a_step_is_taken_from_the_status_and_revision_which_were_seen(database: Database, plan: str) -> None:
    for before, expected in (("draft", 2), ("submitted", 1)):
        with pytest.raises(StaleRevision), database.write(ANNA, "test") as work:
            work.reviews.turn(plan, "approve", before, "approved", expected, None)  # type: ignore[arg-type]
    with database.read(SYSTEM) as view:
        assert [step.action for step in view.reviews.of_plan(plan)] == ["submit"]
        assert view.plans.bare(plan).revision == 2


def test_the_schema_before_finds_a_plan_under_review_as_a_draft(database: Database, plan: str) -> None:
    with database._transaction(writes=True) as connection:
        schema.downgrade(connection, "0006")
    with database._transaction(writes=False) as connection:
        assert connection.execute(sa.text("SELECT status FROM plans")).scalars().all() == ["draft"]
    database.upgrade()
    database.check()
