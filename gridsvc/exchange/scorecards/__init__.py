"""The grid scorecard and the load report as JSON, CSV, workbook and printable page with charts."""
