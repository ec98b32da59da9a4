"""How large a child is at an age: stature, mass and the proportions of head, trunk and limbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

Sex = Literal["M", "F"]

_AGES = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 12.0, 15.0, 18.0)

# Median stature (cm) and mass (kg), after the WHO tables cited in docs/background/mibg.md; 12-18 years: priors.
_STATURE: Mapping[Sex, tuple[float, ...]] = MappingProxyType(
    {
        "M": (49.9, 67.6, 75.7, 87.1, 96.1, 110.0, 127.3, 137.8, 149.0, 169.0, 176.0),
        "F": (49.1, 65.7, 74.0, 85.7, 95.1, 109.4, 126.6, 138.6, 151.0, 162.0, 163.0),
    }
)
_MASS: Mapping[Sex, tuple[float, ...]] = MappingProxyType(
    {
        "M": (3.3, 7.9, 9.6, 12.2, 14.3, 18.3, 25.4, 31.2, 40.5, 56.5, 67.0),
        "F": (3.2, 7.3, 8.9, 11.5, 13.9, 18.2, 25.0, 31.9, 41.5, 52.5, 57.0),
    }
)

# Fractions of stature at `_AGES`. Priors drawn from general anthropometry, not from one table.
_LENGTHS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "sitting": (0.670, 0.645, 0.620, 0.590, 0.575, 0.550, 0.530, 0.520, 0.515, 0.515, 0.520),
        "head": (0.245, 0.225, 0.215, 0.195, 0.185, 0.172, 0.158, 0.150, 0.143, 0.134, 0.130),
        "neck": (0.008, 0.010, 0.012, 0.013, 0.014, 0.016, 0.022, 0.025, 0.028, 0.032, 0.033),
        "upper_arm": (0.165, 0.168, 0.170, 0.173, 0.176, 0.180, 0.184, 0.186, 0.188, 0.190, 0.190),
        "forearm": (0.125, 0.127, 0.130, 0.133, 0.136, 0.140, 0.144, 0.146, 0.148, 0.149, 0.150),
        "hand": (0.115, 0.113, 0.112, 0.110, 0.108, 0.107, 0.107, 0.107, 0.108, 0.108, 0.108),
        "foot": (0.150, 0.155, 0.155, 0.155, 0.155, 0.155, 0.157, 0.157, 0.157, 0.153, 0.152),
    }
)
_GIRTHS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "head_breadth": (0.186, 0.171, 0.161, 0.146, 0.137, 0.126, 0.112, 0.105, 0.099, 0.090, 0.087),
        "head_depth": (0.228, 0.212, 0.204, 0.187, 0.176, 0.162, 0.144, 0.134, 0.124, 0.114, 0.111),
        "neck_radius": (0.050, 0.048, 0.046, 0.042, 0.039, 0.037, 0.035, 0.034, 0.034, 0.033, 0.033),
        "shoulders": (0.240, 0.250, 0.250, 0.245, 0.235, 0.225, 0.222, 0.222, 0.222, 0.224, 0.225),
        "chest_breadth": (0.200, 0.200, 0.200, 0.188, 0.180, 0.168, 0.158, 0.156, 0.156, 0.158, 0.160),
        "chest_depth": (0.170, 0.165, 0.160, 0.148, 0.138, 0.122, 0.113, 0.110, 0.107, 0.106, 0.107),
        "waist_breadth": (0.190, 0.200, 0.200, 0.185, 0.175, 0.160, 0.152, 0.150, 0.148, 0.148, 0.150),
        "waist_depth": (0.170, 0.175, 0.170, 0.152, 0.140, 0.125, 0.114, 0.110, 0.107, 0.104, 0.105),
        "hip_breadth": (0.190, 0.200, 0.200, 0.190, 0.185, 0.178, 0.178, 0.180, 0.183, 0.187, 0.190),
        "thigh_radius": (0.045, 0.056, 0.056, 0.051, 0.049, 0.047, 0.047, 0.049, 0.049, 0.048, 0.048),
        "calf_radius": (0.032, 0.039, 0.039, 0.037, 0.035, 0.032, 0.032, 0.0325, 0.0325, 0.0325, 0.032),
        "ankle_radius": (0.021, 0.023, 0.023, 0.022, 0.021, 0.020, 0.0195, 0.019, 0.019, 0.019, 0.019),
        "arm_radius": (0.030, 0.034, 0.032, 0.029, 0.027, 0.0245, 0.024, 0.024, 0.0245, 0.0255, 0.026),
        "forearm_radius": (0.026, 0.028, 0.026, 0.024, 0.0225, 0.021, 0.0205, 0.0203, 0.0205, 0.021, 0.0215),
        "wrist_radius": (0.018, 0.020, 0.019, 0.018, 0.017, 0.0165, 0.016, 0.0155, 0.0153, 0.0153, 0.0155),
    }
)
_RIB_SLOPE = (0.25, 0.30, 0.35, 0.50, 0.60, 0.70, 0.80, 0.90, 1.0, 1.0, 1.0)
_SPINE_CURVE = (0.20, 0.30, 0.40, 0.60, 0.70, 0.80, 0.90, 1.0, 1.0, 1.0, 1.0)
_HIP_ABOVE_SEAT = 0.045
_LENGTH_SPREAD, _GIRTH_SPREAD, _SHAPE_SPREAD = 0.025, 0.04, 0.12


@dataclass(frozen=True)
class Stature:
    """The measures of one child, in mm.

    Args:
        height: from sole to vertex.
        lengths: "head" (vertex to chin), "neck" (chin to shoulder line), "trunk" (hip joints to shoulder line),
            "thigh", "shank", "upper_arm", "forearm", "hand", "foot".
        girths: breadths, depths and radii, flesh included.
        rib_slope: 0 (horizontal, newborn) to 1 (adult).
        spine_curve: 0 (straight) to 1 (adult lordosis and kyphosis).
    """

    height: float
    lengths: Mapping[str, float]
    girths: Mapping[str, float]
    rib_slope: float
    spine_curve: float

    def varied(self, rng: np.random.Generator) -> Stature:
        """The measures of another child of the same height: proportions spread by some per cent."""
        lengths = {name: value * rng.lognormal(0, _LENGTH_SPREAD) for name, value in self.lengths.items()}
        girths = {name: value * rng.lognormal(0, _GIRTH_SPREAD) for name, value in self.girths.items()}
        slope, curve = np.clip(rng.normal((self.rib_slope, self.spine_curve), _SHAPE_SPREAD), 0, 1.2)
        return Stature(self.height, MappingProxyType(lengths), MappingProxyType(girths), float(slope), float(curve))


def _at(age: float, values: tuple[float, ...]) -> float:
    return float(np.interp(age, _AGES, values))


def usual_height_mm(age_years: float, sex: Sex) -> float:
    """Median stature at an age, 0 to 18 years."""
    return 10 * _at(age_years, _STATURE[sex])


def usual_mass_kg(age_years: float, sex: Sex) -> float:
    """Median body mass at an age, 0 to 18 years."""
    return _at(age_years, _MASS[sex])


def grow(age_years: float, sex: Sex, tallness: float = 1.0, girth: float = 1.0) -> Stature:
    """The measures of a child.

    Args:
        age_years: 0 to 18; held at the ends beyond.
        sex: which growth curve.
        tallness: stature over the median of that age.
        girth: breadths and radii over those usual at that stature.
    """
    height = usual_height_mm(age_years, sex) * tallness
    lengths = {name: height * _at(age_years, values) for name, values in _LENGTHS.items()}
    sitting = lengths.pop("sitting")
    seat = _HIP_ABOVE_SEAT * height
    leg = height - sitting + seat
    lengths |= {"trunk": sitting - seat - lengths["head"] - lengths["neck"], "thigh": 0.49 * leg, "shank": 0.44 * leg}
    girths = {
        name: height * _at(age_years, values) * (1.0 if name.startswith("head") else girth)
        for name, values in _GIRTHS.items()
    }
    return Stature(
        height,
        MappingProxyType(lengths),
        MappingProxyType(girths),
        _at(age_years, _RIB_SLOPE),
        _at(age_years, _SPINE_CURVE),
    )
