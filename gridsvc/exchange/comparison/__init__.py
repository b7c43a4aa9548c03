"""The realignment report: two plans side by side as JSON, CSV, workbook and printable page."""
