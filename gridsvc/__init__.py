"""Balanced sales grids from a territory, virtual teams to own them, and lookups that say who owns what."""

__all__ = ["__version__"]

__version__ = "0.1.0"
