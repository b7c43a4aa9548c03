"""Simulated counties and cities to try the product on."""

from gridsvc.sample.generate import DEFAULT_SEED, GENERATOR, generate, generate_scale
from gridsvc.sample.scale import CITY, COUNTY, Scale, Shares, Size
from gridsvc.sample.write import FileEntry, Manifest

__all__ = [
    "CITY",
    "COUNTY",
    "DEFAULT_SEED",
    "GENERATOR",
    "FileEntry",
    "Manifest",
    "Scale",
    "Shares",
    "Size",
    "generate",
    "generate_scale",
]
