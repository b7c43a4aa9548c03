"""A plan as a value: totals, rules as gates, grid codes."""
