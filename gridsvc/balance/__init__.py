"""The engine: arrays in, balanced connected grids out."""
