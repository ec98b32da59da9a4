"""A flat child of capsules: joints from a pose, body outline and bones from joints.

Lengths are shares of stature. Sources: vertebral levels, joints and bone widths of the adult measured on the
reference voxel phantoms of ICRP Publication 110; change with age from sitting height and head height for age
(standard growth charts, rounded; engineering accuracy). Angles are radians; 0 is straight down, positive is
away from the midline. Positions are (row, column) elements of an anterior view, side +1 is picture right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import Side

Array = NDArray[np.float64]

# Picture right of an anterior view is the patient's left.
SIGN: Mapping[Side, int] = {"right": -1, "left": 1}

_AGES = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 18.0)
_GROWTH = {
    "stature_mm": (510, 760, 870, 960, 1095, 1385, 1660, 1700),
    "neck_base": (0.270, 0.247, 0.228, 0.216, 0.197, 0.172, 0.155, 0.150),  # vertex to C7/T1
    "seat": (0.665, 0.625, 0.595, 0.575, 0.550, 0.525, 0.515, 0.510),  # vertex to ischium
    "head_width": (0.092, 0.085, 0.078, 0.073, 0.066, 0.055, 0.047, 0.044),  # half
    "shoulder": (0.100, 0.098, 0.098, 0.098, 0.099, 0.101, 0.103, 0.103),  # half, joint to joint
    "chest": (0.105, 0.100, 0.094, 0.090, 0.085, 0.081, 0.084, 0.087),  # half
    "waist": (0.100, 0.094, 0.087, 0.082, 0.076, 0.072, 0.075, 0.078),  # half
    "hips": (0.095, 0.092, 0.089, 0.087, 0.085, 0.085, 0.092, 0.096),  # half
    "upper_arm": (0.155, 0.158, 0.161, 0.163, 0.166, 0.170, 0.172, 0.172),
    "forearm": (0.125, 0.128, 0.131, 0.134, 0.138, 0.142, 0.145, 0.146),
    "hip_joint": (0.052, 0.050, 0.048, 0.047, 0.046, 0.047, 0.050, 0.052),  # half
    "girth": (1.25, 1.20, 1.12, 1.07, 1.0, 0.97, 1.0, 1.0),  # of limbs, relative
}
# Ankle above the heel, toes beyond the ankle, fingers beyond the wrist; thigh as a share of hip to ankle.
_HEEL, _FOOT, _HAND, _THIGH = 0.045, 0.055, 0.085, 0.48
NEWBORN, GROWN = _AGES[0], _AGES[-1]


def grown(name: str, age: float) -> float:
    """A body measure at that age in years: mm for "stature_mm", else a share of stature."""
    return float(np.interp(age, _AGES, _GROWTH[name]))


@dataclass(frozen=True)
class Prior:
    """What a parameter of the pose is before the picture is looked at."""

    mean: float
    spread: float


Limb = Literal["arm", "leg"]
LIMB_JOINTS: Mapping[Limb, tuple[str, ...]] = {
    "arm": ("shoulder", "elbow", "wrist", "fingers"),
    "leg": ("hip", "knee", "ankle", "toes"),
}

_ARM_PRIORS = {
    "shoulder": Prior(0.2, 0.6),
    "elbow": Prior(0.0, 0.6),
    "upper_arm": Prior(0.0, 0.07),
    "forearm": Prior(0.0, 0.10),
}
_LEG_PRIORS = {
    "hip": Prior(0.06, 0.25),
    "knee": Prior(0.0, 0.25),
    "thigh": Prior(0.0, 0.06),
    "shank": Prior(0.0, 0.06),
    "foot": Prior(0.2, 0.4),
}
# Lengths and widths are logarithms of a factor on the proportion for age; row, column and stature have no prior.
PRIORS: Mapping[str, Prior] = {
    "row": Prior(0.0, np.inf),
    "column": Prior(0.0, np.inf),
    "stature": Prior(0.0, np.inf),
    "age": Prior(5.0, 5.0),
    "turn": Prior(0.0, 0.06),
    "tilt": Prior(0.0, 0.2),
    "head": Prior(0.0, 0.06),
    "head_width": Prior(0.0, 0.1),
    "trunk": Prior(0.0, 0.05),
    "shoulders": Prior(0.0, 0.08),
    "chest": Prior(0.0, 0.15),
    "waist": Prior(0.0, 0.15),
    "hips": Prior(0.0, 0.15),
    "arm_girth": Prior(0.0, 0.2),
    "leg_girth": Prior(0.0, 0.2),
    **{f"{name}_{side}": prior for side in SIGN for name, prior in (_ARM_PRIORS | _LEG_PRIORS).items()},
}
NAMES: tuple[str, ...] = tuple(PRIORS)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of a posed child.

    Args:
        joints: (row, column) by name.
        stature: elements.
        values: the parameters by name.
    """

    joints: Mapping[str, Array]
    stature: float
    values: Mapping[str, float]

    def trunk(self, across: float, along: float) -> Array:
        """Point of the trunk: share of stature to picture right, share of the way from C7/T1 to the ischium."""
        top, seat = self.joints["neck_base"], self.joints["seat"]
        down = seat - top
        right = np.asarray([-down[1], down[0]]) / np.linalg.norm(down)
        return np.asarray(top + along * down + across * self.stature * right)

    def along(self, start: str, stop: str, share: float) -> Array:
        """Point that share of the way from one joint to another; below 0 and above 1 go beyond."""
        a, b = self.joints[start], self.joints[stop]
        return np.asarray(a + share * (b - a))


def pose(parameters: Sequence[float] | Array) -> Skeleton:
    """The skeleton of parameters in the order of `NAMES`."""
    p = dict(zip(NAMES, (float(v) for v in parameters), strict=True))
    stature, age = float(np.exp(p["stature"])), p["age"]
    base, down = np.asarray([p["row"], p["column"]]), _direction(p["turn"])
    right = np.asarray([-down[1], down[0]])
    length = (grown("seat", age) - grown("neck_base", age)) * stature * np.exp(p["trunk"])
    head = grown("neck_base", age) * stature * np.exp(p["head"])
    joints = {
        "neck_base": base,
        "seat": base + length * down,
        "vertex": base - head * _direction(p["turn"] + p["tilt"]),
    }
    for side, sign in SIGN.items():
        across = {name: sign * grown(name, age) * stature * right for name in ("shoulder", "hip_joint")}
        joints[f"shoulder_{side}"] = base + 0.03 * length * down + across["shoulder"] * np.exp(p["shoulders"])
        joints[f"hip_{side}"] = base + 0.90 * length * down + across["hip_joint"] * np.exp(0.5 * p["hips"])
        for limb in LIMB_JOINTS:
            joints |= _limb(joints, p, limb, side)
    return Skeleton(joints, stature, p)


def bent(skeleton: Skeleton, limb: Limb, side: Side, angles: Array) -> Skeleton:
    """The skeleton with one limb bent otherwise; its joints gain the leading axes of ``angles`` (..., 2)."""
    root, bend = LIMB_JOINTS[limb][:2]
    changed = {f"{root}_{side}": angles[..., 0], f"{bend}_{side}": angles[..., 1]}
    joints = _limb(skeleton.joints, {**skeleton.values, **changed}, limb, side)
    return Skeleton({**skeleton.joints, **joints}, skeleton.stature, skeleton.values)


def _direction(angle: Any) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _limb(joints: Mapping[str, Array], p: Mapping[str, Any], limb: Limb, side: Side) -> dict[str, Array]:
    root, *others = LIMB_JOINTS[limb]
    here, stature = joints[f"{root}_{side}"], np.exp(p["stature"])
    found = {}
    for name, (angle, length) in zip(others, _BONES[limb](p, side), strict=True):
        sideways = np.asarray([1, SIGN[side]])
        here = here + length * stature * sideways * _direction(angle + SIGN[side] * p["turn"])
        found[f"{name}_{side}"] = here
    return found


# Angle and length of each bone, from the root of a limb on.
Bones = tuple[tuple[Any, float], ...]


def _arm(p: Mapping[str, Any], side: Side) -> Bones:
    upper = p[f"shoulder_{side}"]
    lower = upper + p[f"elbow_{side}"]
    lengths = [grown(name, p["age"]) * np.exp(p[f"{name}_{side}"]) for name in ("upper_arm", "forearm")]
    return ((upper, lengths[0]), (lower, lengths[1]), (lower, _HAND))


def _leg(p: Mapping[str, Any], side: Side) -> Bones:
    neck, seat = grown("neck_base", p["age"]), grown("seat", p["age"])
    leg = 1 - _HEEL - neck - 0.90 * (seat - neck)
    upper = p[f"hip_{side}"]
    lower = upper + p[f"knee_{side}"]
    thigh, shank = (_THIGH * leg * np.exp(p[f"thigh_{side}"]), (1 - _THIGH) * leg * np.exp(p[f"shank_{side}"]))
    return ((upper, thigh), (lower, shank), (lower + p[f"foot_{side}"], _FOOT))


_BONES: Mapping[Limb, Callable[[Mapping[str, Any], Side], Bones]] = {"arm": _arm, "leg": _leg}
