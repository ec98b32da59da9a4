"""Bones of the limbs of a child as beads, by bone id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from osteoscope.domain.anatomy import SIDES
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.posture import SIGN, Limb, Posture
from osteoscope.simulate.shapes import Beads, Frame, string

# Rods of a left limb part, in its own frame: (x, y) as shares of stature, z as a share of the part's length, and
# the radius as a share of stature, at each control point.
Rods = tuple[tuple[tuple[float, float, float, float], ...], ...]

_HUMERUS: Rods = (
    ((-0.004, 0, 0.01, 0.0125), (0.003, 0, -0.08, 0.0095), (0.002, 0, -0.22, 0.0062), (0, 0, -0.75, 0.0058),
     (0, 0, -0.97, 0.0062)),
    ((-0.013, 0, -0.97, 0.0055), (0.010, 0, -0.97, 0.0055)),
)  # fmt: skip
_ULNA: Rods = (
    (
        (-0.005, 0.006, 0.02, 0.0065),
        (-0.006, 0.003, -0.15, 0.0048),
        (-0.008, 0, -0.60, 0.0034),
        (-0.009, 0, -0.97, 0.0036),
    ),
)
_RADIUS: Rods = (
    ((0.007, 0, -0.05, 0.0048), (0.006, -0.002, -0.20, 0.0036), (0.008, 0, -0.60, 0.0040), (0.006, 0, -0.97, 0.0066)),
)
_WRIST: Rods = (
    ((-0.009, 0, -0.09, 0.0052), (0.010, 0, -0.09, 0.0052)),
    ((-0.009, 0, -0.19, 0.0050), (0.010, 0, -0.19, 0.0050)),
)
_FINGERS = tuple(zip((-0.022, -0.011, 0.0, 0.011, 0.030), (0.78, 0.93, 0.98, 0.92, 0.62), strict=True))
_FEMUR: Rods = (
    ((-0.002, 0, 0, 0.0130), (0.012, 0, -0.045, 0.0088), (0.026, 0, -0.095, 0.0110)),
    ((0.026, 0, -0.06, 0.0095), (0.025, 0, -0.16, 0.0085), (0.020, -0.004, -0.45, 0.0074), (0.010, 0, -0.82, 0.0086),
     (0.004, 0, -0.96, 0.0120)),
    ((-0.011, 0.003, -0.965, 0.0115), (0.017, 0.003, -0.965, 0.0115)),
)  # fmt: skip
_TIBIA: Rods = (
    ((-0.010, 0, -0.03, 0.0105), (0.014, 0, -0.03, 0.0105)),
    ((0.002, 0, -0.05, 0.0130), (-0.001, 0, -0.20, 0.0082), (-0.003, 0, -0.60, 0.0064), (-0.004, 0, -0.90, 0.0078),
     (-0.004, 0, -0.98, 0.0100)),
)  # fmt: skip
_FIBULA: Rods = (((0.019, 0.006, -0.06, 0.0058), (0.016, 0.006, -0.40, 0.0034), (0.013, 0.004, -1.01, 0.0052)),)
_PATELLA: Rods = (((0.003, -0.026, 0.03, 0.0085), (0.003, -0.026, -0.01, 0.0085)),)
_TARSUS = ((0, 0.020, -0.016, 0.0125), (0, 0.004, -0.016, 0.0120), (0.002, -0.018, -0.018, 0.0115))
_TOES = tuple(zip((-0.016, -0.007, 0.001, 0.009, 0.017), (0.74, 0.73, 0.70, 0.66, 0.60), strict=True))


def limb_skeleton(stature: Stature, posed: Posture) -> Mapping[str, Beads]:
    """Beads by bone id (`osteoscope.domain.anatomy`), placed."""
    bones: dict[str, Beads] = {}
    for side in SIDES:
        left = _arm(stature, posed.arms[side]) | _leg(stature, posed.legs[side])
        for name, (frame, beads) in left.items():
            mirrored = Beads(beads.points * (SIGN[side], 1, 1), beads.radii)
            bones[f"{name}_{side}"] = mirrored.placed(frame)
    return MappingProxyType(bones)


def _arm(stature: Stature, limb: Limb) -> dict[str, tuple[Frame, Beads]]:
    tall, lengths = stature.height, stature.lengths
    rays = [((0.55 * x, 0, -0.27, 0.0042), (x, 0, -reach, 0.0030)) for x, reach in _FINGERS]
    return {
        "humerus": (limb.upper, _rods(_HUMERUS, tall, lengths["upper_arm"])),
        "ulna": (limb.lower, _rods(_ULNA, tall, lengths["forearm"])),
        "radius": (limb.lower, _rods(_RADIUS, tall, lengths["forearm"])),
        "hand": (limb.tip, _rods((*_WRIST, *rays), tall, lengths["hand"])),
    }


def _leg(stature: Stature, limb: Limb) -> dict[str, tuple[Frame, Beads]]:
    tall, lengths = stature.height, stature.lengths
    return {
        "femur": (limb.upper, _rods(_FEMUR, tall, lengths["thigh"])),
        "tibia": (limb.lower, _rods(_TIBIA, tall, lengths["shank"])),
        "fibula": (limb.lower, _rods(_FIBULA, tall, lengths["shank"])),
        "patella": (limb.lower, _rods(_PATELLA, tall, lengths["shank"])),
        "foot": (limb.tip, _foot(tall, lengths["foot"])),
    }


def _rods(rods: Rods, tall: float, length: float) -> Beads:
    scale = np.array([tall, tall, length, tall])
    controls = [np.array(rod) * scale for rod in rods]
    return Beads.join(*(string(c[:, :3], c[:, 3]) for c in controls))


def _foot(tall: float, length: float) -> Beads:
    tarsus = np.array(_TARSUS) * tall
    rays = [
        string(
            [(0.8 * x * tall, -0.024 * tall, -0.020 * tall), (x * tall, -reach * length, -0.026 * tall)], 0.0042 * tall
        )
        for x, reach in _TOES
    ]
    return Beads.join(string(tarsus[:, :3], tarsus[:, 3]), *rays)
