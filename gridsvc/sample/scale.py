"""How large a simulated place is and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import Literal

__all__ = ["CITY", "COUNTY", "SCALES", "Scale", "Shares", "Size"]

Size = Literal["county", "city"]


@dataclass(frozen=True)
class Shares:
    """Share of all customers by where they live or work; the rest lives in villages."""

    estates: float
    low_rise: float
    roadside: float
    commercial: float
    industrial: float
    agricultural: float


@dataclass(frozen=True)
class Scale:
    """The numbers a simulated place is made from.

    Attributes
    ----------
    lon, lat : float
        Centre of the place, WGS-84 degrees.
    area : float
        Of the territory, square metres.
    patch : float
        Mean distance between the patches of land which borders and roads are made of, metres.
    customers : int
        Distinct customers.
    kwh : float
        Their known use in a year; a few unknown ones come on top.
    core_radius : float
        Of the built-up core around the centre, metres.
    core_head_start : float
        Metres by which the outer districts grow ahead of those in the core; keeps the latter small.
    core_districts, towns, rural : int
        Numbers of 街道 in the core, of 镇 (in a city: of 街道 around the core), and of 乡.
    hills : float
        Share of the territory under empty hills.
    parks : int
        Industrial parks.
    enterprises : tuple of float
        Use of the large enterprises, kWh a year.
    """

    name: str
    place: str
    prefix: int
    districts_per_prefix: int
    lon: float
    lat: float
    area: float
    patch: float
    customers: int
    kwh: float
    core_radius: float
    core_head_start: float
    core_districts: int
    towns: int
    rural: int
    hills: float
    villages: int
    estates: int
    parks: int
    stations: int
    teams: int
    drawn_grids: int
    bridges: int
    shares: Shares
    enterprises: tuple[float, ...]

    @property
    def radius(self) -> float:
        """Radius of a circle of the territory's area, metres."""
        return sqrt(self.area / pi)

    @property
    def districts(self) -> int:
        """Number of townships and sub-districts."""
        return self.core_districts + self.towns + self.rural


COUNTY = Scale(
    name="county",
    place="云岚县",
    prefix=439923,
    districts_per_prefix=99,
    lon=112.9,
    lat=28.6,
    area=1_060e6,
    patch=360.0,
    customers=37_349,
    kwh=187.0e6,
    core_radius=3_000.0,
    core_head_start=3_600.0,
    core_districts=3,
    towns=2,
    rural=4,
    hills=0.24,
    villages=190,
    estates=46,
    parks=2,
    stations=5,
    teams=12,
    drawn_grids=28,
    bridges=11,
    shares=Shares(0.34, 0.16, 0.07, 0.07, 0.009, 0.04),
    enterprises=(5.6e6, 2.7e6, 2.2e6, 1.7e6, 1.4e6, 1.1e6, 0.9e6, 0.8e6, 0.6e6, 0.55e6),
)

CITY = Scale(
    name="city",
    place="云岚市",
    prefix=439902,
    districts_per_prefix=20,
    lon=113.4,
    lat=29.2,
    area=700e6,
    patch=240.0,
    customers=500_000,
    kwh=4_100.0e6,
    core_radius=8_500.0,
    core_head_start=0.0,
    core_districts=66,
    towns=54,
    rural=0,
    hills=0.07,
    villages=130,
    estates=1_150,
    parks=6,
    stations=24,
    teams=60,
    drawn_grids=140,
    bridges=30,
    shares=Shares(0.60, 0.19, 0.03, 0.10, 0.012, 0.008),
    enterprises=tuple(1e6 * use for use in (42, 30, 24, 20, 17, 15, 13, 12, 11, 10, 9, 8, 7, 7, 6, 6, 5, 5)),
)

SCALES: dict[Size, Scale] = {"county": COUNTY, "city": CITY}
