"""How a child lies under the camera: local frames of trunk, head and limbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from osteoscope.domain.anatomy import SIDES, Side
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.shapes import Floats, Frame

SIGN: Mapping[Side, int] = MappingProxyType({"right": -1, "left": 1})

SHOULDER_HEIGHT = 0.93
_SHOULDER_INSET = 0.018
_HIP_OFFSET = 0.049
_NAPE = 0.32


@dataclass(frozen=True)
class ArmPose:
    """One arm, degrees: `abduction` from hanging down (0) to up (180); `elbow` bends on outward (+) or back
    towards the body (-); `lift` raises the forearm in front of the body."""

    abduction: float = 14.0
    elbow: float = -8.0
    lift: float = 0.0


@dataclass(frozen=True)
class LegPose:
    """One leg, degrees: `spread` from straight down; `knee` bends the shank back to the midline (+);
    `foot_out` turns the toes outward; `foot_down` points them away from the head."""

    spread: float = 5.0
    knee: float = 3.0
    foot_out: float = 25.0
    foot_down: float = 35.0


@dataclass(frozen=True)
class Pose:
    """A posture on the table.

    Args:
        arms, legs: right, left.
        head_turn, head_tilt, head_nod: degrees, to the left, towards the left shoulder, chin down.
        roll, lean: degrees, of the body about its long axis and within the picture.
        bend: sideways curve of the spine, share of the trunk's length, to the left.
    """

    arms: tuple[ArmPose, ArmPose] = field(default=(ArmPose(), ArmPose()))
    legs: tuple[LegPose, LegPose] = field(default=(LegPose(), LegPose()))
    head_turn: float = 0.0
    head_tilt: float = 0.0
    head_nod: float = 0.0
    roll: float = 0.0
    lean: float = 0.0
    bend: float = 0.0


@dataclass(frozen=True, eq=False)
class Limb:
    """Frames at the proximal joints of a limb's three parts; a part runs along -z, its outer side is +x on the left."""

    upper: Frame
    lower: Frame
    tip: Frame


@dataclass(frozen=True, eq=False)
class Posture:
    """Frames of the parts of a posed child.

    Args:
        trunk: origin midway between the hip joints, z along the spine.
        head: origin at the crown; the chin lies at z = -(head length).
    """

    trunk: Frame
    head: Frame
    arms: Mapping[Side, Limb]
    legs: Mapping[Side, Limb]


def hip_centre(stature: Stature, side: Side) -> Floats:
    """The hip joint in the trunk's frame."""
    return np.array([SIGN[side] * _HIP_OFFSET * stature.height, 0.0, 0.0])


def shoulder_centre(stature: Stature, side: Side) -> Floats:
    """The centre of the humeral head in the trunk's frame."""
    aside = 0.5 * stature.girths["shoulders"] - _SHOULDER_INSET * stature.height
    return np.array([SIGN[side] * aside, 0.0, SHOULDER_HEIGHT * stature.lengths["trunk"]])


def posture(stature: Stature, pose: Pose) -> Posture:
    """Place every part of a child."""
    trunk = Frame(np.zeros(3), np.eye(3)).turned((0, 0, 0), "YZ", (pose.lean, pose.roll))
    head = stature.lengths["head"]
    nape = stature.lengths["trunk"] + stature.lengths["neck"] + _NAPE * head
    back = 0.4 * (stature.girths["chest_depth"] - stature.girths["head_depth"])
    neck = trunk.turned(
        (pose.bend * stature.lengths["trunk"], back, nape), "YXZ", (pose.head_tilt, pose.head_nod, pose.head_turn)
    )
    return Posture(
        trunk,
        Frame(neck.place((0.0, 0.0, (1 - _NAPE) * head)), neck.axes),
        MappingProxyType({side: _arm(stature, trunk, side, pose.arms[n]) for n, side in enumerate(SIDES)}),
        MappingProxyType({side: _leg(stature, trunk, side, pose.legs[n]) for n, side in enumerate(SIDES)}),
    )


def _arm(stature: Stature, trunk: Frame, side: Side, pose: ArmPose) -> Limb:
    sign = SIGN[side]
    upper = trunk.turned(shoulder_centre(stature, side), "Y", (-sign * pose.abduction,))
    elbow = (0.0, 0.0, -stature.lengths["upper_arm"])
    lower = upper.turned(elbow, "YX", (-sign * pose.elbow, -pose.lift))
    return Limb(upper, lower, lower.turned((0.0, 0.0, -stature.lengths["forearm"]), "X", (0.5 * pose.lift,)))


def _leg(stature: Stature, trunk: Frame, side: Side, pose: LegPose) -> Limb:
    sign = SIGN[side]
    upper = trunk.turned(hip_centre(stature, side), "Y", (-sign * pose.spread,))
    lower = upper.turned((0.0, 0.0, -stature.lengths["thigh"]), "Y", (sign * pose.knee,))
    ankle = (0.0, 0.0, -stature.lengths["shank"])
    return Limb(upper, lower, lower.turned(ankle, "ZX", (sign * pose.foot_out, pose.foot_down)))
