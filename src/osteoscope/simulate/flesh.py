"""The soft outline of a child and the organs within."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from osteoscope.domain.anatomy import SIDES, Side
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.posture import SIGN, Posture, shoulder_centre
from osteoscope.simulate.shapes import Beads, Cone, Ellipsoid, Floats, Frame, Loft, Solid, string

# Trunk outline: height (share of the trunk), breadth and depth as (share, which girth), centre (of the half depth).
_OUTLINE = (
    (-0.13, 0.50, "hip", 0.55, "waist"), (-0.06, 0.88, "hip", 0.85, "waist"), (0.04, 1.00, "hip", 0.98, "waist"),
    (0.18, 0.96, "hip", 1.00, "waist"), (0.34, 1.00, "waist", 1.00, "waist"), (0.52, 1.00, "chest", 1.00, "chest"),
    (0.70, 1.02, "chest", 1.00, "chest"), (0.84, 1.02, "chest", 0.92, "chest"), (0.93, 0.92, "chest", 0.76, "chest"),
    (0.99, 0.62, "chest", 0.62, "chest"),
)  # fmt: skip
_CAVITY = 0.86

# Organs of the trunk: (x, y, z) of centre and half axes, as shares of half breadth, half depth and length of the
# trunk, and a tilt in degrees within the picture. Painted in this order.
_ORGANS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float], float]] = MappingProxyType(
    {
        "mediastinum": ((0.03, 0.00, 0.74), (0.24, 0.62, 0.19), 0.0),
        "lung_right": ((-0.45, 0.06, 0.715), (0.36, 0.76, 0.215), 4.0),
        "lung_left": ((0.47, 0.06, 0.715), (0.33, 0.74, 0.215), -4.0),
        "stomach": ((0.42, -0.25, 0.465), (0.26, 0.34, 0.085), -20.0),
        "spleen": ((0.62, 0.40, 0.49), (0.17, 0.30, 0.085), 15.0),
        "kidney_left": ((0.38, 0.42, 0.375), (0.16, 0.22, 0.090), -12.0),
        "kidney_right": ((-0.38, 0.42, 0.350), (0.16, 0.22, 0.090), 12.0),
        "adrenal_left": ((0.24, 0.34, 0.465), (0.06, 0.09, 0.018), 0.0),
        "adrenal_right": ((-0.24, 0.34, 0.450), (0.06, 0.09, 0.018), 0.0),
        "liver_right": ((-0.42, 0.00, 0.455), (0.40, 0.76, 0.165), -14.0),
        "liver_left": ((-0.02, -0.34, 0.505), (0.60, 0.46, 0.088), -4.0),
        "heart": ((0.28, -0.30, 0.640), (0.26, 0.40, 0.105), -45.0),
        "heart_cavity": ((0.25, -0.30, 0.645), (0.13, 0.20, 0.062), -45.0),
    }
)
TRUNK_ORGANS = tuple(_ORGANS)
_BOWEL_LOOPS = (
    ((-0.55, -0.20, 0.16), (-0.62, -0.15, 0.26), (-0.58, -0.25, 0.37)),
    ((-0.58, -0.25, 0.37), (0.0, -0.62, 0.30), (0.58, -0.20, 0.40)),
    ((0.60, 0.05, 0.40), (0.66, 0.10, 0.28), (0.52, 0.0, 0.15)),
    ((0.52, 0.0, 0.15), (0.15, 0.05, 0.11), (0.0, 0.45, 0.05)),
    ((-0.30, -0.40, 0.22), (0.0, -0.50, 0.26), (0.28, -0.40, 0.20)),
    ((0.30, -0.40, 0.27), (0.02, -0.45, 0.18), (-0.22, -0.35, 0.16)),
)

# Head: (side, depth, height) as shares of half breadth, half depth and head length below the crown; half axes alike.
_HEAD = (
    ((0.0, 0.0, -0.36), (1.0, 1.0, 0.365)),
    ((0.0, -0.30, -0.66), (0.80, 0.70, 0.30)),
    ((0.0, -0.36, -0.84), (0.60, 0.50, 0.155)),
)
_BRAIN = ((0.0, 0.0, -0.36), (0.90, 0.91, 0.325))
_GLANDS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = MappingProxyType(
    {
        "parotid": ((0.68, -0.04, -0.78), (0.18, 0.19, 0.092)),
        "submandibular": ((0.38, -0.26, -0.92), (0.15, 0.17, 0.048)),
        "lacrimal": ((0.54, -0.74, -0.52), (0.09, 0.09, 0.022)),
        "eye": ((0.36, -0.72, -0.56), (0.17, 0.15, 0.058)),
    }
)
_NASAL = ((0.0, -0.68, -0.68), (0.15, 0.26, 0.075))
_ORAL = ((0.0, -0.50, -0.83), (0.30, 0.28, 0.045))
_FULL_BLADDER_ML_PER_YEAR = 30.0


def outline(stature: Stature, posed: Posture) -> list[Solid]:
    """Trunk, head, arms and legs; hands and feet are left to their bones."""
    limbs = [solid for side in SIDES for solid in (*_arm(stature, posed, side), *_leg(stature, posed, side))]
    return [_trunk(stature, posed.trunk, 1.0), *_head(stature, posed), *limbs]


def _arm(stature: Stature, posed: Posture, side: Side) -> list[Solid]:
    girths, lengths, arm = stature.girths, stature.lengths, posed.arms[side]
    shoulder = shoulder_centre(stature, side)
    root = posed.trunk.place(np.add(shoulder * (0.45, 1, 1), (0, 0, -0.02 * stature.height)))
    belly = arm.lower.place((0, 0, -0.25 * lengths["forearm"]))
    thick, elbow = 1.25 * girths["arm_radius"], 0.92 * girths["arm_radius"]
    return [
        Cone(root, arm.upper.origin, 0.9 * girths["neck_radius"], thick),
        Cone(arm.upper.origin, arm.lower.origin, thick, elbow),
        Cone(arm.lower.origin, belly, elbow, girths["forearm_radius"]),
        Cone(belly, arm.tip.origin, girths["forearm_radius"], girths["wrist_radius"]),
    ]


def _leg(stature: Stature, posed: Posture, side: Side) -> list[Solid]:
    girths, lengths, sign = stature.girths, stature.lengths, SIGN[side]
    upper, lower = posed.legs[side].upper, posed.legs[side].lower
    thigh, knee, calf = girths["thigh_radius"], 1.12 * girths["calf_radius"], girths["calf_radius"]
    hip = upper.place((sign * 0.008 * stature.height, 0, -0.06 * lengths["thigh"]))
    middle = upper.place((sign * 0.006 * stature.height, 0, -0.45 * lengths["thigh"]))
    belly = lower.place((0, 0.006 * stature.height, -0.28 * lengths["shank"]))
    ankle = lower.place((0, 0.004 * stature.height, -lengths["shank"]))
    return [
        Cone(hip, middle, 1.18 * thigh, thigh),
        Cone(middle, lower.origin, thigh, knee),
        Cone(lower.origin, belly, 0.95 * knee, calf),
        Cone(belly, ankle, calf, girths["ankle_radius"]),
    ]


def _trunk(stature: Stature, frame: Frame, share: float) -> Loft:
    girths, length = stature.girths, stature.lengths["trunk"]
    rows = [
        (z * length, 0.5 * share * a * girths[f"{wide}_breadth"], 0.5 * share * b * girths[f"{deep}_depth"], 0.0)
        for z, a, wide, b, deep in _OUTLINE
    ]
    return Loft(frame, np.array(rows))


def _head(stature: Stature, posed: Posture) -> list[Solid]:
    scale = _head_scale(stature)
    balls: list[Solid] = [_ball(posed.head, scale, centre, radii) for centre, radii in _HEAD]
    top = posed.head.place(np.array((0, 0.10, -0.74)) * scale)
    base = posed.trunk.place((0, 0.10 * stature.girths["chest_depth"], 0.94 * stature.lengths["trunk"]))
    radius = stature.girths["neck_radius"]
    return [*balls, Cone(base, top, 1.1 * radius, radius)]


def _head_scale(stature: Stature) -> Floats:
    return np.array([0.5 * stature.girths["head_breadth"], 0.5 * stature.girths["head_depth"], stature.lengths["head"]])


def _ball(frame: Frame, scale: Floats | float, centre: ArrayLike, radii: ArrayLike, tilt: float = 0.0) -> Ellipsoid:
    return Ellipsoid(frame.turned(np.multiply(centre, scale), "Y", (tilt,)), np.multiply(radii, scale))


def cavity(stature: Stature, posed: Posture) -> Solid:
    """The inside of chest and belly."""
    return _trunk(stature, posed.trunk, _CAVITY)


def head_organs(stature: Stature, posed: Posture) -> dict[str, Solid]:
    """Brain, glands and mucosa, by name."""
    scale = _head_scale(stature)
    paired: dict[str, Solid] = {
        f"{name}_{side}": _ball(posed.head, scale, np.multiply(centre, (SIGN[side], 1, 1)), radii)
        for name, (centre, radii) in _GLANDS.items()
        for side in SIDES
    }
    brain, oral, nasal = (_ball(posed.head, scale, *place) for place in (_BRAIN, _ORAL, _NASAL))
    return {"brain": brain, **paired, "oral": oral, "nasal": nasal}


def trunk_organs(stature: Stature, posed: Posture, rng: np.random.Generator) -> dict[str, Solid]:
    """Organs of chest and belly, by name, varied in place and size."""
    scale = _trunk_scale(stature)
    found: dict[str, Solid] = {}
    for name, (centre, radii, tilt) in _ORGANS.items():
        moved = np.array(centre) + rng.normal(0, (0.03, 0.03, 0.008))
        sized = np.array(radii) * rng.lognormal(0, 0.06, 3)
        found[name] = _ball(posed.trunk, scale, moved, sized, tilt + rng.normal(0, 4))
    return found


def bladder(stature: Stature, posed: Posture, age_years: float, fill: float) -> Solid:
    """The bladder at a share `fill` of its capacity, (age + 2) x 30 mL (Koff's rule)."""
    millilitres = max(fill, 0.02) * _FULL_BLADDER_ML_PER_YEAR * (age_years + 2)
    radius = 10 * (3 * millilitres / (4 * np.pi)) ** (1 / 3)
    radius = min(radius, 0.42 * stature.girths["waist_depth"])
    centre = (0.0, -0.22 * stature.girths["waist_depth"], 0.02 * stature.lengths["trunk"] + 0.85 * radius)
    return _ball(posed.trunk, 1.0, centre, radius * np.array([1.1, 0.95, 0.95]))


def bowel(stature: Stature, posed: Posture, rng: np.random.Generator) -> dict[str, Beads]:
    """Loops of colon and small bowel, by name."""
    scale = _trunk_scale(stature)
    loops = {}
    for n, controls in enumerate(_BOWEL_LOOPS):
        points = (np.array(controls) + rng.normal(0, (0.06, 0.08, 0.015), (3, 3))) * scale
        thick = stature.height * rng.uniform(0.008, 0.014)
        loops[f"bowel_{n}"] = string(points, thick).placed(posed.trunk)
    return loops


def neck_organs(stature: Stature, posed: Posture) -> dict[str, Solid]:
    """Thyroid, and brown fat at the root of the neck."""
    tall, length, radius = stature.height, stature.lengths["trunk"], stature.girths["neck_radius"]
    found: dict[str, Solid] = {}
    for side in SIDES:
        sign = SIGN[side]
        thyroid = (sign * 0.32 * radius, -0.45 * radius, 1.01 * length)
        fat = (sign * 1.35 * radius, 0.15 * radius, 0.955 * length)
        found[f"thyroid_{side}"] = _ball(posed.trunk, 1.0, thyroid, tall * np.array([0.0055, 0.0055, 0.012]))
        found[f"brown_fat_{side}"] = _ball(posed.trunk, 1.0, fat, tall * np.array([0.022, 0.010, 0.009]), -sign * 30)
    return found


def _trunk_scale(stature: Stature) -> Floats:
    girths = stature.girths
    breadth = 0.25 * (girths["chest_breadth"] + girths["waist_breadth"])
    depth = 0.25 * (girths["chest_depth"] + girths["waist_depth"])
    return np.array([breadth, depth, stature.lengths["trunk"]])
