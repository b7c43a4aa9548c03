"""How quick the planner's page is in a real browser."""
