"""Files -> checked rows with a verdict each -> measures per cell."""
