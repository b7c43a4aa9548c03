"""Grids and people to teams, measured."""
