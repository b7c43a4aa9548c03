"""Simulated counties and cities to try the product on."""
