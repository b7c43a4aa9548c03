"""Who may use which route: one table, and no way past it.

Each route of the application has an entry, or is refused; a test walks them. What is mounted or answered
beside the routes (pages, the description of the API) has one as well, so that the table is whole.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

__all__ = ["ACCESS", "IN_PART", "KNOWN", "PUBLIC", "describe"]

PUBLIC = "public"
"""Told to everybody: what says nothing of the company."""

KNOWN = "known"
"""Told to everybody who is known, whatever they may do."""

_ACCESS = {
    "GET /": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": "metrics:read",
    "GET /v1/me": KNOWN,
    "GET /v1/session": PUBLIC,
    "GET /v1/session/begin": PUBLIC,
    "GET /v1/session/callback": PUBLIC,
    "POST /v1/session": PUBLIC,
    "DELETE /v1/session": PUBLIC,
    "POST /v1/keys": "keys:write",
    "GET /v1/keys": "keys:read",
    "DELETE /v1/keys/{key}": "keys:write",
    "POST /v1/territories": "territories:write",
    "GET /v1/territories": "territories:read",
    "GET /v1/territories/{territory}": "territories:read",
    "POST /v1/territories/{territory}/tilings": "territories:write",
    "GET /v1/territories/{territory}/tilings": "territories:read",
    "GET /v1/tilings/{tiling}": "territories:read",
    "GET /v1/map": "territories:read",
    "GET /v1/map/layers/{name}": "territories:read",
    "POST /v1/layers": "territories:write",
    "GET /v1/layers/{layer}": "territories:read",
    "GET /v1/layers/{layer}/features": "territories:read",
    "POST /v1/tilings/{tiling}/customers": "customers:write",
    "GET /v1/imports/{import_id}/todo": "customers:read",
    "GET /v1/cells/{cell}/customers": "customers:read",
    "GET /v1/grids/{code}/customers": "customers:read",
    "POST /v1/territories/{territory}/customers/batch": "customers:write",
    "PUT /v1/territories/{territory}/customers/{customer}": "customers:write",
    "DELETE /v1/territories/{territory}/customers/{customer}": "customers:write",
    "POST /v1/tilings/{tiling}/measures/refresh": "customers:write",
    "GET /v1/publications/{n}/drift": "plans:read",
    "PUT /v1/territories/{territory}/drift-threshold": "territories:write",
    "GET /v1/tilings/{tiling}/cells": "territories:read",
    "GET /v1/plans/{plan}/labels": "plans:read",
    "POST /v1/plans": "plans:write",
    "GET /v1/plans": "plans:read",
    "GET /v1/plans/{plan}": "plans:read",
    "GET /v1/plans/{plan}/grids": "plans:read",
    "GET /v1/plans/{plan}/cells": "plans:read",
    "GET /v1/plans/{plan}/report": "plans:read",
    "PUT /v1/plans/{plan}/carve-outs": "plans:write",
    "GET /v1/plans/{plan}/carve-outs": "plans:read",
    "POST /v1/plans/{plan}/teams": "plans:write",
    "PATCH /v1/plans/{plan}/teams": "plans:write",
    "POST /v1/plans/{plan}/staffing": "roster:read",
    "POST /v1/plans/adopt": "plans:write",
    "GET /v1/plans/{plan}/compare/{other}": "plans:read",
    "POST /v1/plans/{plan}/moves": "plans:write",
    "GET /v1/plans/{plan}/move-sheet": "plans:read",
    "POST /v1/plans/{plan}/move-sheet": "plans:write",
    "POST /v1/plans/{plan}/undo": "plans:write",
    "POST /v1/plans/{plan}/redo": "plans:write",
    "GET /v1/plans/{plan}/moves": "plans:read",
    "GET /v1/plans/{plan}/moves/{revision}": "plans:read",
    "POST /v1/plans/{plan}/branch": "plans:write",
    "PATCH /v1/plans/{plan}": "plans:write",
    "POST /v1/plans/{plan}/merge": "plans:write",
    "POST /v1/plans/{plan}/realign": "plans:write",
    "POST /v1/plans/{plan}/repair": "plans:write",
    "GET /v1/plans/{plan}/export": "plans:read",
    "GET /v1/publications/{n}/export": "plans:read",
    "POST /v1/plans/{plan}/exports": "plans:read",
    "POST /v1/publications/{n}/exports": "plans:read",
    "POST /v1/plans/{plan}/carry": "plans:write",
    "GET /v1/plans/{plan}/carried-customers": "customers:read",
    "GET /v1/jobs/{job}": "plans:read",
    "DELETE /v1/jobs/{job}": "plans:write",
    "GET /v1/jobs/{job}/file": "plans:read",
    "GET /v1/jobs/{job}/preview": "plans:read",
    # Of what a stream tells, each topic asks for its own scope.
    "GET /v1/events": "plans:read",
    "GET /v1/publications": "plans:read",
    "GET /v1/publications/{n}": "plans:read",
    "GET /v1/publications/{n}/snapshot": "owner:read",
    "GET /v1/plans/{plan}/gates": "plans:read",
    "POST /v1/plans/{plan}/waivers": "plans:write",
    "DELETE /v1/plans/{plan}/waivers": "plans:write",
    "POST /v1/plans/{plan}/rebase": "plans:write",
    "POST /v1/plans/{plan}/publish": "plans:publish",
    "POST /v1/publications/{n}/publish": "plans:publish",
    # Who may take a step of review is data: the rules of review decide it, not the route.
    "POST /v1/plans/{plan}/submit": "plans:read",
    "POST /v1/plans/{plan}/approve": "plans:read",
    "POST /v1/plans/{plan}/reject": "plans:read",
    "POST /v1/plans/{plan}/recall": "plans:read",
    "GET /v1/plans/{plan}/reviews": "plans:read",
    "GET /v1/review-rules": "plans:read",
    "PUT /v1/review-rules": "company:write",
    "GET /v1/calendar": "territories:read",
    "PUT /v1/calendar": "company:write",
    "PUT /v1/territories/{territory}/roster": "roster:write",
    "GET /v1/territories/{territory}/roster": "roster:read",
    "GET /v1/territories/{territory}/rosters": "roster:read",
    "POST /v1/territories/{territory}/roster/changes": "roster:write",
    "POST /v1/territories/{territory}/roster/import": "roster:write",
    "GET /v1/territories/{territory}/roster/export": "roster:read_pii",
    "GET /v1/territories/{territory}/roster/violations": "roster:read",
    "GET /v1/company/team-rules": "roster:read",
    "PUT /v1/company/team-rules": "company:write",
    "GET /v1/publications/{n}/scorecard": "plans:read",
    "GET /v1/territories/{territory}/scorecard": "plans:read",
    "GET /v1/plans/{plan}/scorecard": "plans:read",
    "GET /v1/territories/{territory}/loads": "roster:read",
    "GET /v1/company/scorecard": "plans:read",
    "PUT /v1/company/scorecard": "company:write",
    "POST /v1/requests": "requests:write",
    "GET /v1/requests": "requests:read",
    "GET /v1/requests/{request}": "requests:read",
    "POST /v1/requests/{request}/comments": "requests:write",
    "POST /v1/requests/{request}/accept": "requests:decide",
    "POST /v1/requests/{request}/reject": "requests:decide",
    "POST /v1/requests/{request}/withdraw": "requests:write",
    "POST /v1/territories/{territory}/handovers": "roster:write",
    "GET /v1/territories/{territory}/handovers": "roster:read",
    "GET /v1/territories/{territory}/handovers/{handover}": "roster:read",
    "GET /v1/territories/{territory}/grids/{grid}/pack": "packs:read",
    "POST /v1/territories/{territory}/grids/{grid}/pack": "packs:read",
    "GET /v1/pack-rules": "packs:read",
    "PUT /v1/pack-rules": "company:write",
    "GET /v1/territories/{territory}/orders": "roster:read",
    "GET /v1/territories/{territory}/check": "roster:read",
    "GET /v1/territories/{territory}/disputes": "roster:read",
    "PUT /v1/territories/{territory}/codes": "territories:write",
    "GET /v1/territories/{territory}/codes": "territories:read",
    "PUT /v1/territories/{territory}/levels": "territories:write",
    "GET /v1/territories/{territory}/levels": "plans:read",
    "GET /v1/territories/{territory}/levels/{level}": "plans:read",
    "GET /v1/grids/{code}": "owner:read",
    "GET /v1/grids/{code}/history": "owner:read",
    "GET /v1/owner": "owner:read",
    "GET /v1/owner/cells/{cell}": "owner:read",
    "GET /v1/owner/customers/{customer}": "owner:read",
    "POST /v1/owner/query": "owner:read",
    "POST /v1/owner/batch": "owner:read",
    "GET /v1/changes": "owner:read",
    "POST /v1/webhooks": "webhooks:write",
    "GET /v1/webhooks": "webhooks:read",
    "GET /v1/webhooks/{webhook}": "webhooks:read",
    "PATCH /v1/webhooks/{webhook}": "webhooks:write",
    "DELETE /v1/webhooks/{webhook}": "webhooks:write",
    "GET /v1/webhooks/{webhook}/deliveries": "webhooks:read",
    "POST /v1/webhooks/{webhook}/test": "webhooks:write",
    "POST /v1/webhooks/{webhook}/replay": "webhooks:write",
    "POST /v1/territories/{territory}/erasures": "customers:erase",
    "GET /v1/audit": "audit:read",
    "GET /v1/audit/head": "audit:read",
    # Published layers are open to whoever may ask for owners; drafts ask for plans:read besides.
    "GET /ogc/style.css": "owner:read",
    "GET /ogc": "owner:read",
    "GET /ogc/": "owner:read",
    "GET /ogc/conformance": "owner:read",
    "GET /ogc/api": "owner:read",
    "GET /ogc/collections": "owner:read",
    "GET /ogc/collections/{collection}": "owner:read",
    "GET /ogc/collections/{collection}/queryables": "owner:read",
    "GET /ogc/collections/{collection}/items": "owner:read",
    "GET /ogc/collections/{collection}/items/{feature}": "owner:read",
    "GET /ogc/collections/{collection}/tiles": "owner:read",
    "GET /ogc/collections/{collection}/tiles/WebMercatorQuad": "owner:read",
    "GET /ogc/collections/{collection}/tiles/WebMercatorQuad/{z}/{y}/{x}": "owner:read",
    "GET /ogc/collections/{collection}/style": "owner:read",
    "GET /ogc/tileMatrixSets": "owner:read",
    "GET /ogc/tileMatrixSets/WebMercatorQuad": "owner:read",
}

IN_PART = frozenset(
    {
        "GET /v1/owner",
        "GET /v1/owner/cells/{cell}",
        "GET /v1/owner/customers/{customer}",
        "POST /v1/owner/query",
        "POST /v1/owner/batch",
        "GET /v1/grids/{code}",
        "GET /v1/cells/{cell}/customers",
        "GET /v1/grids/{code}/customers",
        "GET /v1/plans/{plan}/grids",
        "GET /v1/plans/{plan}/cells",
        "POST /v1/plans/{plan}/moves",
        # What tells of no territory.
        "GET /v1/me",
        "GET /v1/map",
        "GET /v1/map/layers/{name}",
        "GET /v1/review-rules",
        "GET /v1/calendar",
        "GET /v1/company/team-rules",
        "GET /v1/company/scorecard",
        "GET /v1/pack-rules",
    }
)
"""Routes which answer whoever sees a part of a territory, and tell of that part only.

All others ask for whole territories: such callers see those of theirs there, and with none they are refused.
"""

ACCESS = MappingProxyType(_ACCESS)
"""Method and path template -> the scope its caller must hold."""


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with what callers must show and hold."""
    scheme = {"type": "http", "scheme": "bearer", "description": "A key: see GET /v1/keys."}
    document.setdefault("components", {})["securitySchemes"] = {"key": scheme}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scope = ACCESS[f"{method.upper()} {path}"]
            held = [] if scope == KNOWN else [scope]
            operation["security"] = [] if scope == PUBLIC else [{"key": held}]
    return document
