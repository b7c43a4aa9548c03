"""Vector tiles: where they lie, what is drawn in them at which zoom, and how they are written."""
