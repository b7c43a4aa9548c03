"""Use cases: read once, compute outside any transaction, write once."""
