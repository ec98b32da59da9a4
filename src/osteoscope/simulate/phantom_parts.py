"""A voxel phantom taken to pieces: joints, the part that every voxel moves with, and how large each part is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from osteoscope.domain.anatomy import BONE_TO_UNIT, SIDES
from osteoscope.simulate.body import SOFT_TISSUE
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.phantom import Phantom
from osteoscope.simulate.phantom_joints import PARTS, Joints, Part, Segment, find_joints, part_frames, unit_voxels
from osteoscope.simulate.posture import SHOULDER_HEIGHT
from osteoscope.simulate.shapes import Floats, Frame

CORE = 0

_COARSE_MM = 6.0
_HEAD_LEVEL, _TRUNK_LEVELS = (0.25, 0.40), (0.04, 0.34, 0.62)
# Share of the part's radius around its upper joint that stays filled with flesh when the part turns.
_JOINT_FILL = 1.15


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A phantom with its joints found; what is measured once serves every child made of it.

    Args:
        phantom: labelled voxels with every planar unit (`osteoscope.domain.anatomy.PLANAR_UNITS`).
        joints: positions (x, y, z) by name and side, mm; found.

    Raises:
        InvalidValueError: a unit is absent, or left and right or head and feet are swapped.
    """

    phantom: Phantom
    joints: Joints = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "joints", find_joints(self.phantom))

    @cached_property
    def frames(self) -> Mapping[Part, tuple[Frame, float]]:
        """Local frame (z against the run of the part, x to the left) and length of each part."""
        return part_frames(self.joints)

    @cached_property
    def part_of(self) -> NDArray[np.uint8]:
        """Which part each voxel moves with: 0 (core) or 1 + index into `PARTS`; flesh follows the next bone."""
        labels, spacing = self.phantom.labels, np.asarray(self.phantom.spacing)
        skip = np.maximum(1, np.rint(_COARSE_MM / spacing)).astype(int)
        coarse = labels[tuple(slice(None, None, s) for s in skip)]
        table = np.zeros(len(self.phantom.structures), dtype=np.uint8)
        for n, name in enumerate(self.phantom.structures):
            table[n] = _limb_of(BONE_TO_UNIT.get(name, name))
        soft = self.phantom.structures.index(SOFT_TISSUE) if SOFT_TISSUE in self.phantom.structures else 0
        seed = (coarse > 0) & (coarse != soft)
        nearest = distance_transform_edt(~seed, spacing * skip, return_distances=False, return_indices=True)
        limb = table[coarse[tuple(nearest)]]
        at = [np.minimum(np.arange(n) // s, m - 1) for n, s, m in zip(labels.shape, skip, coarse.shape, strict=True)]
        whole = np.where(labels == soft, limb[np.ix_(*at)], table[labels])
        return np.where(labels > 0, self._cut(whole), CORE).astype(np.uint8)

    def _cut(self, limb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Limbs (1 + 2 x (arm, leg) + side) cut across at elbow, knee and ankle."""
        z = np.arange(limb.shape[0])[:, None, None] * self.phantom.spacing[0]
        part = np.zeros_like(limb)
        for n, side in enumerate(SIDES):
            arm, leg = limb == 1 + n, limb == 3 + n
            cuts = {joint: self.joints[joint, side][2] for joint in ("elbow", "knee", "ankle")}
            for mask, segment, high in (
                (arm, "upper_arm", np.inf), (arm, "forearm", cuts["elbow"]), (leg, "thigh", np.inf),
                (leg, "shank", cuts["knee"]), (leg, "foot", cuts["ankle"]),
            ):  # fmt: skip
                part[mask & (z < high)] = 1 + PARTS.index((segment, side))
        return part

    @cached_property
    def core(self) -> NDArray[np.uint8]:
        """Labels of trunk and head; a ball of flesh stands where a limb was taken off."""
        labels = np.where(self.part_of == CORE, self.phantom.labels, 0).astype(np.uint8)
        if SOFT_TISSUE not in self.phantom.structures:
            return labels
        soft = self.phantom.structures.index(SOFT_TISSUE)
        z, y, x = (np.arange(n) * s for n, s in zip(labels.shape, self.phantom.spacing, strict=True))
        for part in PARTS:
            if part[0] in ("upper_arm", "thigh"):
                at, reach = self.frames[part][0].origin, _JOINT_FILL * self.radius[part]
                box = tuple(np.flatnonzero(np.abs(a - c) <= reach) for a, c in ((z, at[2]), (y, at[1]), (x, at[0])))
                away = sum(
                    ((a[b] - c) ** 2).reshape([-1 if d == n else 1 for d in range(3)])
                    for n, (a, b, c) in enumerate(zip((z, y, x), box, at[::-1], strict=True))
                )
                inside = (away <= reach**2) & (self.part_of[np.ix_(*box)] == 1 + PARTS.index(part))
                labels[np.ix_(*box)] = np.where(inside, soft, labels[np.ix_(*box)])
        return labels

    @cached_property
    def local(self) -> Mapping[Part, tuple[Floats, Floats]]:
        """Lowest and highest position of each part in its own frame."""
        found = {}
        for n, part in enumerate(PARTS, start=1):
            at = (np.argwhere(self.part_of == n) * self.phantom.spacing)[:, ::-1]
            frame = self.frames[part][0]
            own = (at - frame.origin) @ frame.axes if len(at) else np.zeros((1, 3))
            found[part] = (own.min(axis=0), own.max(axis=0))
        return MappingProxyType(found)

    @cached_property
    def radius(self) -> Mapping[Part, float]:
        """Mean radius of each part over the middle of its length, mm."""
        _, dy, dx = self.phantom.spacing
        found = {}
        for n, part in enumerate(PARTS, start=1):
            area = (self.part_of == n).sum(axis=(1, 2)) * dy * dx
            filled = area[area > 0]
            middle = filled[len(filled) * 3 // 10 : max(len(filled) * 7 // 10, 1)]
            found[part] = float(np.sqrt(middle.mean() / np.pi)) if middle.size else 1.0
        return MappingProxyType(found)

    @cached_property
    def trunk(self) -> tuple[Frame, float]:
        """Frame midway between the hips, and length up to the shoulder line."""
        hips, shoulders = (np.mean([self.joints[j, s] for s in SIDES], axis=0) for j in ("hip", "shoulder"))
        return Frame(hips, np.eye(3)), float(shoulders[2] - hips[2]) / SHOULDER_HEIGHT

    def extent(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Lowest and highest (x, y) of trunk, head and thighs between two heights, mm; arms left out."""
        step = self.phantom.spacing[0]
        rows = slice(int(low / step), max(int(high / step), int(low / step) + 1))
        arms = [1 + PARTS.index(part) for part in PARTS if "arm" in part[0]]
        kept = (self.phantom.labels[rows] > 0) & ~np.isin(self.part_of[rows], arms)
        spans = []
        for axis in (2, 1):
            filled = np.flatnonzero(kept.any(axis=tuple(a for a in range(3) if a != axis)))
            spans.append(np.array([filled[0], filled[-1] + 1]) * self.phantom.spacing[axis] if filled.size else (0, 1))
        return np.array([spans[0][0], spans[1][0]]), np.array([spans[0][1], spans[1][1]])

    @cached_property
    def head(self) -> tuple[Frame, Floats]:
        """Frame at the crown, and (breadth, depth, eyes below the crown, chin below the crown)."""
        heights = np.flatnonzero((self.part_of == CORE).any(axis=(1, 2)) & (self.phantom.labels > 0).any(axis=(1, 2)))
        crown = (heights[-1] + 1) * self.phantom.spacing[0]
        chin = unit_voxels(self.phantom, "skull")[:, 2].min()
        length = crown - chin
        low, high = self.extent(crown - _HEAD_LEVEL[1] * length, crown - _HEAD_LEVEL[0] * length)
        eyes = self.phantom.voxels("eye_left", "eye_right")
        down = crown - eyes[:, 2].mean() if len(eyes) else 0.5 * length
        middle = (low + high) / 2
        return Frame(np.array([*middle, crown]), np.eye(3)), np.array([*(high - low), down, length])

    @cached_property
    def girths(self) -> Mapping[float, tuple[Floats, Floats]]:
        """Lowest and highest (x, y) of the trunk at the heights (shares of the trunk) of hips, waist and chest."""
        frame, length = self.trunk
        heights = {level: frame.origin[2] + level * length for level in _TRUNK_LEVELS}
        return MappingProxyType({level: self.extent(z - 8, z + 8) for level, z in heights.items()})


def _limb_of(unit: str) -> int:
    limbs = ("upper_limb_right", "upper_limb_left", "lower_limb_right", "lower_limb_left")
    return next((1 + n for n, limb in enumerate(limbs) if unit.endswith(limb)), 0)


def target_radius(stature: Stature, segment: Segment) -> float:
    """Mean radius of a part of a child, mm, as `osteoscope.simulate.flesh` tapers it."""
    g = stature.girths
    return {
        "upper_arm": 1.08 * g["arm_radius"], "forearm": 0.6 * g["forearm_radius"] + 0.4 * g["wrist_radius"],
        "thigh": g["thigh_radius"], "shank": 0.7 * g["calf_radius"] + 0.3 * g["ankle_radius"],
        "foot": 1.3 * g["ankle_radius"],
    }[segment]  # fmt: skip
