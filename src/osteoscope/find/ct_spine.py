"""The spine straightened along its canal, and cut into vertebrae at the discs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_canal import Canal

Floats = NDArray[np.float64]
STEP_MM = 1.0  # along the spine
_TANGENT_MM = 15.0  # sigma; the direction of the spine changes slowly
_PROFILE_MM = 60.0  # how far forward the vertebral body is sought


@dataclass(frozen=True, eq=False)
class SpineLine:
    """The canal as a smooth line from below upwards, one point per ``STEP_MM``.

    Args:
        points: [n, 3] mm of the working array, (z, y, x) times spacing.
        up, front, left: [n, 3] unit vectors along the spine, to the belly, to the patient's left.
        wall, face: [n] mm from the canal's centre forward to the back wall and to the front face of the body.
    """

    points: Floats
    up: Floats
    front: Floats
    left: Floats
    wall: Floats
    face: Floats

    @property
    def length(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def depth(self) -> Floats:
        """Depth of the vertebral body in mm at each point."""
        return self.face - self.wall

    def place(self, number: int) -> Floats:
        """A point by its number; of one below 0, straight on below the lower end."""
        return np.asarray(self.points[max(number, 0)] + min(number, 0) * STEP_MM * self.up[0])

    def extended(self, below_mm: float) -> SpineLine:
        """The line continued straight below its lower end."""
        count = round(below_mm / STEP_MM)
        more = self.points[0] - np.arange(count, 0, -1)[:, None] * STEP_MM * self.up[0]
        fields = [np.concatenate([np.repeat(v[:1], count, axis=0), v]) for v in self._along()]
        return SpineLine(np.concatenate([more, self.points]), *fields)

    def _along(self) -> tuple[Floats, ...]:
        return self.up, self.front, self.left, self.wall, self.face

    def sample(self, values: NDArray[np.generic], spacing: float, forward: Floats, sideways: Floats) -> Floats:
        """Linear samples [n, forward] of an array: mean over ``sideways``; ``forward`` is [m] or [n, m] mm."""
        ahead = np.broadcast_to(forward, (self.length, forward.shape[-1]))
        total = np.zeros(ahead.shape)
        for side in sideways:
            place = self.points[:, None] + ahead[..., None] * self.front[:, None] + side * self.left[:, None]
            total += ndimage.map_coordinates(values, np.moveaxis(place / spacing, -1, 0), order=1, mode="nearest")
        return total / len(sideways)


def spine_line(bones: BoneMask, canal: Canal) -> SpineLine:
    """The line through the canal's centres, with the depth of the vertebral bodies before it."""
    step = bones.frame.step
    slices = np.arange(canal.first, canal.first + len(canal.centre))
    rough = ndimage.gaussian_filter1d(np.column_stack([slices, canal.centre]) * step, 8.0, axis=0, mode="nearest")
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(rough, axis=0), axis=1))])
    places = np.arange(0.0, along[-1], STEP_MM)
    points = np.column_stack([np.interp(places, along, rough[:, axis]) for axis in range(3)])
    slow = ndimage.gaussian_filter1d(points, _TANGENT_MM / STEP_MM, axis=0, mode="nearest")
    up = _unit(np.gradient(slow, axis=0))
    front = np.array([0.0, -1.0, 0.0]) + up[:, 1:2] * up
    front = _unit(front)
    left = np.cross(up, front)
    left *= np.sign(left[:, 2:3])
    line = SpineLine(points, up, front, left, np.zeros(len(points)), np.zeros(len(points)))
    wall, face = _body_depth(line, bones)
    return SpineLine(points, up, front, left, wall, face)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _body_depth(line: SpineLine, bones: BoneMask) -> tuple[Floats, Floats]:
    """Back wall and front face of the bodies, smoothed over more than one vertebra."""
    forward = np.arange(0.0, _PROFILE_MM, 1.0)
    filled = line.sample(bones.bone.astype(np.float32), bones.frame.step, forward, np.arange(-6.0, 6.1, 3.0)) > 0.5
    wall, face = np.full(line.length, np.nan), np.full(line.length, np.nan)
    for index, row in enumerate(filled):
        runs, count = ndimage.label(row)
        if count:
            longest = int(np.argmax(np.bincount(runs)[1:])) + 1
            where = np.flatnonzero(runs == longest)
            wall[index], face[index] = forward[where[0]], forward[where[-1]]
    return robust_profile(wall, 30.0, 6.0), robust_profile(face, 70.0, 30.0)


def robust_profile(values: Floats, percentile: float, default: float) -> Floats:
    """A profile along the spine as the percentile of 60 mm around, smoothed; NaN is unknown."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(values.shape, default)
    places = np.arange(len(values))
    whole = np.interp(places, places[known], values[known])
    window = max(3, min(len(values), round(60 / STEP_MM)))
    ranked = ndimage.percentile_filter(whole, percentile, size=window, mode="nearest")
    return np.asarray(ndimage.gaussian_filter1d(ranked, 15 / STEP_MM, mode="nearest"))
