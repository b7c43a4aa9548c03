"""The tables, by noun: one set for both databases."""

from gridsvc.store.tables.base import metadata
from gridsvc.store.tables.changes import customer_changes, customer_states
from gridsvc.store.tables.customers import customers, imports
from gridsvc.store.tables.handovers import handovers
from gridsvc.store.tables.keys import keys
from gridsvc.store.tables.lineage import lineage, territory_rules
from gridsvc.store.tables.plans import plan_carve_outs, plan_grids, plan_moves, plans
from gridsvc.store.tables.publications import publications, published_grids
from gridsvc.store.tables.requests import company_documents, plan_reviews, request_comments, requests
from gridsvc.store.tables.space import cells, cells_rtree, measures, territories, tilings
from gridsvc.store.tables.system import audit, idempotency, jobs, outbox, seq
from gridsvc.store.tables.teams import (
    departments,
    lead_turns,
    members,
    named_accounts,
    people,
    rosters,
    teams,
)
from gridsvc.store.tables.trail import audit_chain, audit_keys, audit_waiting, erasing
from gridsvc.store.tables.webhooks import deliveries, senders, webhooks

__all__ = [
    "audit",
    "audit_chain",
    "audit_keys",
    "audit_waiting",
    "cells",
    "cells_rtree",
    "company_documents",
    "customer_changes",
    "customer_states",
    "customers",
    "deliveries",
    "departments",
    "erasing",
    "handovers",
    "idempotency",
    "imports",
    "jobs",
    "keys",
    "lead_turns",
    "lineage",
    "measures",
    "members",
    "metadata",
    "named_accounts",
    "outbox",
    "people",
    "plan_carve_outs",
    "plan_grids",
    "plan_moves",
    "plan_reviews",
    "plans",
    "publications",
    "published_grids",
    "request_comments",
    "requests",
    "rosters",
    "senders",
    "seq",
    "teams",
    "territories",
    "territory_rules",
    "tilings",
    "webhooks",
]
