"""Departments, people, virtual teams, and which grid each team owns."""
