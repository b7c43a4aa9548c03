"""GCJ-02 and BD-09 written twice more, each in another way than the product does it.

`summed` follows the public description term by term, from a table of amplitudes and frequencies.
`rotated` has the waves as powers of complex numbers, and the radii from both axes of the ellipsoid.
"""

from __future__ import annotations

import cmath
import math

__all__ = ["rotated", "rotated_bd", "summed", "summed_bd"]

AXIS, SQUARED = 6378245.0, 0.00669342162296594323

# (amplitude, divisor): amplitude * sin(pi * argument / divisor), two thirds of each
ALONG = ((20.0, 1 / 6), (20.0, 1 / 2))
NORTH = ((20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))
EAST = ((20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))


def waves(terms: tuple[tuple[float, float], ...], argument: float) -> float:
    return sum(a * math.sin(math.pi * argument / d) for a, d in terms) * 2.0 / 3.0


def summed(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 of a WGS-84 point, as a sum over tables."""
    x, y = lon - 105.0, lat - 35.0
    both = waves(ALONG, x)
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * abs(x) ** 0.5 + both + waves(NORTH, y)
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * abs(x) ** 0.5 + both + waves(EAST, x)
    phi = math.radians(lat)
    magic = 1 - SQUARED * math.sin(phi) ** 2
    meridian = AXIS * (1 - SQUARED) / magic**1.5
    parallel = AXIS / math.sqrt(magic) * math.cos(phi)
    return lon + math.degrees(east / parallel), lat + math.degrees(north / meridian)


def summed_bd(lon: float, lat: float) -> tuple[float, float]:
    """BD-09 of a GCJ-02 point, by radius and angle."""
    turn = math.pi * 3000 / 180
    radius = math.hypot(lon, lat) + 2e-5 * math.sin(lat * turn)
    angle = math.atan2(lat, lon) + 3e-6 * math.cos(lon * turn)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def rotated(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 of a WGS-84 point, with waves as imaginary parts and the ellipsoid by its reduced latitude."""
    x, y = lon - 105.0, lat - 35.0
    wx, wy = cmath.exp(1j * math.pi * x), cmath.exp(1j * math.pi * y)
    fine = 20.0 * ((wx**6).imag + (wx**2).imag)
    slow_y = cmath.exp(1j * math.pi * y / 30.0)
    slow_x = cmath.exp(1j * math.pi * x / 30.0)
    north = fine + 20.0 * wy.imag + 40.0 * cmath.exp(1j * math.pi * y / 3.0).imag
    north += 160.0 * cmath.exp(1j * math.pi * y / 12.0).imag + 320.0 * slow_y.imag
    east = fine + 20.0 * wx.imag + 40.0 * cmath.exp(1j * math.pi * x / 3.0).imag
    east += 150.0 * cmath.exp(1j * math.pi * x / 12.0).imag + 300.0 * slow_x.imag
    north = north / 1.5 + (2.0 + 0.1 * y) * x + (3.0 + 0.2 * y) * y - 100.0 + 0.2 * math.sqrt(abs(x))
    east = east / 1.5 + (1.0 + 0.1 * x + 0.1 * y) * x + 2.0 * y + 300.0 + 0.1 * math.sqrt(abs(x))
    short = AXIS * math.sqrt(1.0 - SQUARED)
    phi = math.radians(lat)
    p = math.hypot(AXIS * math.cos(phi), short * math.sin(phi))  # a2 cos2 + b2 sin2
    meridian, normal = (AXIS * short) ** 2 / p**3, AXIS**2 / p
    return lon + math.degrees(east / (normal * math.cos(phi))), lat + math.degrees(north / meridian)


def rotated_bd(lon: float, lat: float) -> tuple[float, float]:
    """BD-09 of a GCJ-02 point, as a turn and stretch of a complex number."""
    z = complex(lon, lat)
    turn = math.pi / 0.06
    stretched = z * (1.0 + 2e-5 * math.sin(lat * turn) / abs(z))
    moved = stretched * cmath.exp(3e-6j * math.cos(lon * turn)) + complex(0.0065, 0.006)
    return moved.real, moved.imag
