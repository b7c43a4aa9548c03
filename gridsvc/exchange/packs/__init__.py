"""Handover packs: what a successor starts from, a grid at a time."""
