"""The balance engine beside other programs: ``python -m benchmarks.balance``."""
