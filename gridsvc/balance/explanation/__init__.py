"""Why a plan is as it is: what binds each grid, what no plan can reach, and what would help."""
