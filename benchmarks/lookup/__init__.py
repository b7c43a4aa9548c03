"""Benchmarks of the lookup: ``python -m benchmarks.lookup``."""
