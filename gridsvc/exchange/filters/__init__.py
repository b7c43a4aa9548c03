"""CQL2 filters: read by the library cql2, judged here on columns and outlines."""
