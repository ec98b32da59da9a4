"""Physiological mIBG uptake: how much each structure holds at 24 hours, mediastinum = 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import SOFT_TISSUE, VISCERA, Body

# Planar heart and lung over mediastinum by age: docs/background/mibg.md (S49), medians of the age groups.
_AGE = (0.0, 1.0, 3.0, 5.0, 8.0)
_HEART = (4.3, 4.13, 3.46, 3.19, 2.84)
_LUNG = (1.6, 1.53, 1.26, 1.13, 1.14)

# Concentration per volume. Priors (4.2 of the same page, unverified), raised where an organ fills only part of the
# depth that a planar ratio is measured through.
_USUAL: Mapping[str, float] = MappingProxyType(
    {
        SOFT_TISSUE: 0.6, VISCERA: 0.9, "mediastinum": 1.0, "heart_cavity": 1.3, "brain": 0.45, "eye": 0.5,
        "liver": 7.0, "spleen": 2.2, "stomach": 1.0, "kidney": 1.6, "adrenal": 2.0, "bladder": 18.0, "bowel": 2.0,
        "parotid": 22.0, "submandibular": 16.0, "lacrimal": 3.0, "nasal": 4.5, "oral": 1.6, "thyroid": 6.0,
        "brown_fat": 5.0,
    }
)  # fmt: skip
_BONE = 0.55
_SPREAD, _BOWEL_SPREAD = 0.05, 0.6
NEVER_COLD = ("thyroid", "brown_fat", "adrenal")
_TEXTURE_MM, _TEXTURE_SPREAD = 16.0, 0.14

# Which multiplier of `Uptake` a structure follows; sides share it.
FOLLOWS: Mapping[str, str] = MappingProxyType(
    {
        SOFT_TISSUE: "muscle", "heart": "heart", "lung": "lung", "liver": "liver", "spleen": "spleen",
        "kidney": "kidneys", "adrenal": "adrenals", "bladder": "bladder", "bowel": "bowel", "stomach": "bowel",
        "parotid": "salivary", "submandibular": "salivary", "lacrimal": "lacrimal", "nasal": "nasal", "oral": "nasal",
        "thyroid": "thyroid", "brown_fat": "brown_fat", "brain": "brain",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Uptake:
    """Multiples of what is usual at that age (1 = usual, 0 = none), and two ratios.

    Args:
        heart, lung, liver, spleen, kidneys, adrenals, bladder, bowel: organs.
        salivary, lacrimal, nasal: head; nasal includes the mouth.
        thyroid, brown_fat: 0 in most children (blocked thyroid; warm room).
        muscle, brain: background.
        left_lobe: left over right lobe of the liver.
        bladder_fill: 0 (empty) to 1 (full).

    Raises:
        InvalidValueError: a number is negative.
    """

    heart: float = 1.0
    lung: float = 1.0
    liver: float = 1.0
    spleen: float = 1.0
    kidneys: float = 1.0
    adrenals: float = 1.0
    bladder: float = 1.0
    bowel: float = 1.0
    salivary: float = 1.0
    lacrimal: float = 1.0
    nasal: float = 1.0
    thyroid: float = 0.0
    brown_fat: float = 0.0
    muscle: float = 1.0
    brain: float = 1.0
    left_lobe: float = 1.3
    bladder_fill: float = 0.3

    def __post_init__(self) -> None:
        low = [f.name for f in fields(self) if getattr(self, f.name) < 0]
        if low:
            raise InvalidValueError("build an Uptake", f"negative {', '.join(low)}", "Give multiples of at least 0")


def organ_of(structure: str) -> str:
    """The organ of a structure: its name without side or number ("kidney_left", "bowel_3")."""
    stem, _, tail = structure.rpartition("_")
    return stem if stem and (tail in ("left", "right") or tail.isdigit()) else structure


def concentrations(body: Body, uptake: Uptake, age_years: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Concentration of each structure of a body, mediastinum = 1; bowel loops and glands vary on their own."""
    usual = dict(_USUAL)
    usual["heart"] = 3.0 * float(np.interp(age_years, _AGE, _HEART)) - 1.6
    usual["lung"] = 0.75 * float(np.interp(age_years, _AGE, _LUNG))
    muscle = _USUAL[SOFT_TISSUE] * uptake.muscle
    values = {}
    for name in body.structures:
        organ = organ_of(name)
        if organ in usual:
            multiple = getattr(uptake, FOLLOWS[organ]) if organ in FOLLOWS else 1.0
            level = usual[organ] * multiple * float(rng.lognormal(0, _BOWEL_SPREAD if organ == "bowel" else _SPREAD))
            values[name] = max(level, muscle) if organ in NEVER_COLD else level
    if "liver_left" in values and "liver_right" in values:
        values["liver_left"] = values["liver_right"] * uptake.left_lobe
    return body.per_structure(values, muscle, _BONE * uptake.muscle)


def texture(body: Body, rng: np.random.Generator) -> NDArray[np.float32]:
    """A smooth field around 1 over the body's voxels, since no organ is even."""
    step = np.asarray(body.grid.spacing)
    coarse = np.ceil(np.asarray(body.grid.shape) * step / _TEXTURE_MM).astype(int) + 2
    field = np.exp(rng.normal(0, _TEXTURE_SPREAD, coarse)).astype(np.float32)
    for axis, (count, size) in enumerate(zip(body.grid.shape, step, strict=True)):
        at = np.arange(count) * size / _TEXTURE_MM
        low = np.floor(at).astype(int)
        share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        field = field.take(low, axis) * (1 - share) + field.take(low + 1, axis) * share
    return np.asarray(field, dtype=np.float32)
