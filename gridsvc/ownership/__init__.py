"""Publication -> snapshot -> who owns a point, a cell, a customer."""
