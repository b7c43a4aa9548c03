"""Benchmarks against the usual tools, side by side in one go: ``make bench``."""
