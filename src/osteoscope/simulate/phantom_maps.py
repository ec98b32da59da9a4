"""From a posed child back to the phantom that it is made of: where each position of the child lay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from osteoscope.domain.anatomy import SIDES
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.phantom_joints import PARTS, Part, Segment
from osteoscope.simulate.phantom_parts import Anatomy, target_radius
from osteoscope.simulate.posture import SHOULDER_HEIGHT, Pose, Posture, posture, shoulder_centre
from osteoscope.simulate.shapes import Floats, Frame

# Head and trunk are blended between these heights: shares of the trunk's and of the head's length.
_BLEND_FROM, _BLEND_TO = 0.95, 0.12
# Height of the eyes below the crown of a child, share of the head's length (as in `osteoscope.simulate.flesh`).
_EYES = 0.55
_LIMB: Mapping[Segment, tuple[str, int]] = MappingProxyType(
    {"upper_arm": ("arms", 0), "forearm": ("arms", 1), "thigh": ("legs", 0), "shank": ("legs", 1), "foot": ("legs", 2)}
)
Box = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Core:
    """Trunk and head: two frames of their own, blended over the neck; the trunk is scaled level by level.

    Args:
        anatomy: the phantom.
        stature: of the child.
        posed: how the child lies.
        bend: sideways curve of the spine, share of the trunk's length.
    """

    anatomy: Anatomy
    stature: Stature
    posed: Posture
    bend: float = 0.0

    @cached_property
    def _zones(self) -> tuple[Floats, Floats, Floats]:
        """Levels (shares of the trunk), scale of (x, y) at each, middle of y of the phantom at each."""
        g, own = self.stature.girths, self.anatomy.girths
        wanted = np.array([(g[f"{zone}_breadth"], g[f"{deep}_depth"]) for zone, deep in (
            ("hip", "waist"), ("waist", "waist"), ("chest", "chest"))])  # fmt: skip
        scale = wanted / np.array([high - low for low, high in own.values()])
        joints = self.anatomy.joints
        width = joints["shoulder", "left"][0] - joints["shoulder", "right"][0]
        shoulders = (2 * shoulder_centre(self.stature, "left")[0] / width, scale[-1, 1])
        middle = [(low + high)[1] / 2 for low, high in own.values()]
        return np.array([*own, SHOULDER_HEIGHT]), np.vstack([scale, shoulders]), np.array([*middle, middle[-1]])

    def _at(self, level: Floats) -> tuple[Floats, Floats, Floats]:
        levels, scale, middle = self._zones
        return (
            np.interp(level, levels, scale[:, 0]),
            np.interp(level, levels, scale[:, 1]),
            np.interp(level, levels, middle),
        )

    def _aside(self, level: Floats) -> Floats:
        return self.bend * self.stature.lengths["trunk"] * np.clip(level, 0, 1) ** 2

    def place(self, source: Floats) -> Floats:
        """Where a position (3,) of the phantom's trunk comes to lie."""
        own, length = self.anatomy.trunk
        level = (source[2] - own.origin[2]) / length
        wide, deep, middle = self._at(level)
        x = (source[0] - own.origin[0]) * wide + self._aside(level)
        return self.posed.trunk.place((x, (source[1] - middle) * deep, level * self.stature.lengths["trunk"]))

    def back(self, position: Floats) -> Floats:
        """Where positions (..., 3) lay in the phantom."""
        upright = (position - self.posed.trunk.origin) @ self.posed.trunk.axes
        lengths = self.stature.lengths
        low, high = _BLEND_FROM * lengths["trunk"], lengths["trunk"] + lengths["neck"] + _BLEND_TO * lengths["head"]
        share = np.clip((upright[..., 2] - low) / (high - low), 0, 1)[..., None]
        weight = share**2 * (3 - 2 * share)
        return np.asarray((1 - weight) * self._trunk(upright) + weight * self._head(position))

    def _trunk(self, local: Floats) -> Floats:
        own, length = self.anatomy.trunk
        level = local[..., 2] / self.stature.lengths["trunk"]
        wide, deep, middle = self._at(level)
        x = own.origin[0] + (local[..., 0] - self._aside(level)) / wide
        return np.stack([x, middle + local[..., 1] / deep, own.origin[2] + level * length], axis=-1)

    def _head(self, position: Floats) -> Floats:
        own, (breadth, depth, eyes, chin) = self.anatomy.head
        local = (position - self.posed.head.origin) @ self.posed.head.axes
        x = own.origin[0] + local[..., 0] * breadth / self.stature.girths["head_breadth"]
        y = own.origin[1] + local[..., 1] * depth / self.stature.girths["head_depth"]
        down = -local[..., 2] / self.stature.lengths["head"]
        knots, heights = np.array([-1.0, 0, _EYES, 1, 3]), np.array([-eyes / _EYES, 0, eyes, chin, 0])
        heights[-1] = chin + 2 * (chin - eyes) / (1 - _EYES)
        return np.stack([x, y, own.origin[2] - np.interp(down, knots, heights)], axis=-1)

    def bounds(self) -> Box:
        """Lowest and highest position of the child's trunk and head."""
        g, lengths = self.stature.girths, self.stature.lengths
        wide = 0.6 * max(g["shoulders"] + 2 * g["arm_radius"], g["hip_breadth"], g["waist_breadth"])
        deep = 0.75 * max(g["chest_depth"], g["waist_depth"])
        tall = lengths["trunk"]
        trunk = _corners((-wide, -deep, -0.25 * tall), (wide, deep, 1.1 * tall), self.posed.trunk)
        reach = np.array([0.6 * g["head_breadth"], 0.75 * g["head_depth"], lengths["head"]])
        head = _corners(reach * (-1, -1, -1.1), reach * (1, 1, 0.06), self.posed.head)
        both = np.concatenate([trunk, head])
        return both.min(axis=0), both.max(axis=0)


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a limb: a rigid turn and a scale (3,) along the axes of its frame, phantom to child."""

    own: Frame
    posed: Frame
    scale: Floats
    local: Box

    def back(self, position: Floats) -> Floats:
        """Where positions (..., 3) lay in the phantom."""
        return self.own.place(((position - self.posed.origin) @ self.posed.axes) / self.scale)

    def bounds(self) -> Box:
        """Lowest and highest position of the child's part."""
        low, high = (np.asarray(edge * self.scale) for edge in self.local)
        corners = _corners(low, high, self.posed)
        return corners.min(axis=0), corners.max(axis=0)


def _corners(low: ArrayLike, high: ArrayLike, frame: Frame) -> Floats:
    return frame.place(np.array(list(product(*zip(np.ravel(low), np.ravel(high), strict=True)))))


def maps(anatomy: Anatomy, stature: Stature, pose: Pose) -> tuple[Core, Mapping[Part, Piece]]:
    """How a phantom becomes a child of those measures in that pose."""
    posed = posture(stature, pose)
    core = Core(anatomy, stature, posed, pose.bend)
    pieces: dict[Part, Piece] = {}
    for side in SIDES:
        roots = {"arms": anatomy.joints["shoulder", side], "legs": anatomy.joints["hip", side]}
        at = {limb: core.place(joint) for limb, joint in roots.items()}
        for part in PARTS:
            if part[1] != side:
                continue
            limb, n = _LIMB[part[0]]
            joints = getattr(posed, limb)[side]
            axes = (joints.upper, joints.lower, joints.tip)[n].axes
            own, length = anatomy.frames[part]
            scale = _scale(anatomy, stature, part)
            pieces[part] = Piece(own, Frame(at[limb], axes), scale, anatomy.local[part])
            at[limb] = pieces[part].posed.place((0, 0, -length * scale[2]))
    return core, MappingProxyType(pieces)


def _scale(anatomy: Anatomy, stature: Stature, part: Part) -> Floats:
    segment = part[0]
    if segment == "foot":
        low, high = anatomy.local[part]
        return np.full(3, stature.lengths["foot"] / max(float(high[1] - low[1]), 1.0))
    length = stature.lengths[segment] + (stature.lengths["hand"] if segment == "forearm" else 0.0)
    around = target_radius(stature, segment) / anatomy.radius[part]
    return np.array([around, around, length / anatomy.frames[part][1]])
