"""Joints of a voxel phantom, found from its bones, and the local frames of the parts of its limbs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np

from osteoscope.domain.anatomy import BONE_TO_UNIT, PLANAR_UNITS, SIDES, Side
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import SOFT_TISSUE
from osteoscope.simulate.phantom import Phantom
from osteoscope.simulate.shapes import Floats, Frame

Segment = Literal["upper_arm", "forearm", "thigh", "shank", "foot"]
Part = tuple[Segment, Side]
Joints = Mapping[tuple[str, Side], Floats]
SEGMENTS: tuple[Segment, ...] = ("upper_arm", "forearm", "thigh", "shank", "foot")
PARTS: tuple[Part, ...] = tuple((segment, side) for segment in SEGMENTS for side in SIDES)

_ASKED = "find the joints of a phantom"
_ANKLE_SHARE = 0.14
_ENDS: Mapping[Segment, tuple[str, str]] = MappingProxyType(
    {
        "upper_arm": ("shoulder", "elbow"), "forearm": ("elbow", "finger"), "thigh": ("hip", "knee"),
        "shank": ("knee", "ankle"), "foot": ("ankle", "sole"),
    }
)  # fmt: skip


def unit_voxels(phantom: Phantom, unit: str) -> Floats:
    """Positions (x, y, z) of the voxels of a planar unit, shape (n, 3).

    Raises:
        InvalidValueError: there are none.
    """
    at = phantom.voxels(*(name for name in phantom.structures if BONE_TO_UNIT.get(name, name) == unit))
    if not len(at):
        raise InvalidValueError(_ASKED, f"no voxel of {unit}", "Name its bones as domain.anatomy does")
    return at


def find_joints(phantom: Phantom) -> Joints:
    """Positions (x, y, z) in mm by name and side: shoulder, elbow, finger, hip, knee, ankle, sole.

    Raises:
        InvalidValueError: a unit is absent, or the phantom does not lie as `Phantom` wants it.
    """
    held = {BONE_TO_UNIT.get(name, name) for name in phantom.structures}
    absent = [unit for unit in PLANAR_UNITS if unit != SOFT_TISSUE and unit not in held]
    if absent:
        raise InvalidValueError(_ASKED, f"no {', '.join(absent)}", "Name these bones as domain.anatomy does")
    found: dict[tuple[str, Side], Floats] = {}
    for side in SIDES:
        arm, hand, thigh, shank = (
            unit_voxels(phantom, f"{part}_{side}")
            for part in ("proximal_upper_limb", "distal_upper_limb", "proximal_lower_limb", "distal_lower_limb")
        )
        low, high = shank[:, 2].min(), thigh[:, 2].min()
        ankle = low + _ANKLE_SHARE * (high - low)
        found |= {
            ("shoulder", side): _slice(arm, 0.94, 1.0), ("elbow", side): _slice(arm, 0.0, 0.05),
            ("finger", side): _slice(hand, 0.0, 0.03), ("hip", side): _slice(thigh, 0.95, 1.0),
            ("knee", side): _slice(thigh, 0.0, 0.05), ("sole", side): _slice(shank, 0.0, 0.02),
            ("ankle", side): np.array([*_slice(shank, 0.14, 0.3)[:2], ankle]),
        }  # fmt: skip
    _check_lie(found)
    return MappingProxyType(found)


def _check_lie(joints: Joints) -> None:
    for joint in ("shoulder", "hip", "knee"):
        right, left = (joints[joint, side][0] for side in SIDES)
        if left <= right:
            raise InvalidValueError(_ASKED, f"the left {joint} right of the right one", "Let x run to the left")
    for side in SIDES:
        heights = [joints[joint, side][2] for joint in ("shoulder", "hip", "knee", "ankle")]
        if sorted(heights, reverse=True) != heights or joints["elbow", side][2] <= joints["finger", side][2]:
            raise InvalidValueError(_ASKED, f"{side} joints at {np.round(heights)} mm", "Let z run from toes to head")


def part_frames(joints: Joints) -> Mapping[Part, tuple[Frame, float]]:
    """Local frame (z against the run of the part, x to the left) and length of each part."""
    return MappingProxyType({part: _frame(joints, part) for part in PARTS})


def _frame(joints: Joints, part: Part) -> tuple[Frame, float]:
    segment, side = part
    a, b = (joints[end, side] for end in _ENDS[segment])
    z = (a - b) / np.linalg.norm(a - b) if segment != "foot" else np.array([0.0, 0.0, 1.0])
    x = np.cross((0.0, 1.0, 0.0), z)
    x /= np.linalg.norm(x)
    return Frame(a, np.stack([x, np.cross(z, x), z], axis=1)), float(np.linalg.norm(a - b))


def _slice(at: Floats, low: float, high: float) -> Floats:
    """Mean of the positions between two shares of their height."""
    z = at[:, 2]
    share = (z - z.min()) / max(float(np.ptp(z)), 1e-9)
    return np.asarray(at[(share >= low - 1e-9) & (share <= high + 1e-9)].mean(axis=0))
