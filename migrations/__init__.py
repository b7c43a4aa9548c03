"""Alembic migrations: one chain for PostGIS and for the embedded database."""
