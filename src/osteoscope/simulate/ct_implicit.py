"""Implicit shapes: functions of position that are negative inside and grow about as fast as millimetres.

Positions are three arrays (x, y, z) that broadcast against each other; all shapes are pure functions of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteoscope.domain.anatomy import Side

Array = NDArray[np.floating[Any]]
Triple = tuple[float, float, float]
SIDE_SIGN: Mapping[Side, int] = MappingProxyType({"right": -1, "left": 1})


class Place(NamedTuple):
    """Positions: x to the patient's left, y to the back, z to the head, or local axes of a bone, mm."""

    x: Array
    y: Array
    z: Array

    def at(self, origin: ArrayLike) -> Place:
        """The same positions as seen from another origin."""
        ox, oy, oz = np.asarray(origin, dtype=np.float32)
        return Place(self.x - ox, self.y - oy, self.z - oz)

    def pitched(self, degrees: float) -> Place:
        """As seen from axes whose z leans forward (towards -y) by that angle."""
        c, s = np.float32(np.cos(np.deg2rad(degrees))), np.float32(np.sin(np.deg2rad(degrees)))
        return Place(self.x, self.y * c + self.z * s, self.z * c - self.y * s)

    def scaled(self, x: float = 1, y: float = 1, z: float = 1) -> Place:
        """With each axis multiplied: a shape of this place is flattened the other way round."""
        return Place(self.x * np.float32(x), self.y * np.float32(y), self.z * np.float32(z))

    def folded(self) -> Place:
        """Both sides on one: x becomes |x|."""
        return Place(np.abs(self.x), self.y, self.z)


def shifted(point: ArrayLike, x: float, y: float, z: float) -> Triple:
    """A point moved by so much along each axis."""
    px, py, pz = np.asarray(point, dtype=float).tolist()
    return px + x, py + y, pz + z


def ellipsoid(p: Place, centre: Triple, radii: Triple) -> Array:
    """Half axes along the axes of the place."""
    q = p.at(centre)
    reach = np.sqrt((q.x / radii[0]) ** 2 + (q.y / radii[1]) ** 2 + (q.z / radii[2]) ** 2)
    return np.asarray((reach - 1) * min(radii), dtype=np.float32)


def capsule(p: Place, start: ArrayLike, end: ArrayLike, radius: float, radius_end: float | None = None) -> Array:
    """A ball swept along a straight line while its radius changes."""
    a = np.asarray(start, dtype=np.float32)
    axis = np.asarray(end, dtype=np.float32) - a
    q = p.at(a)
    along = np.clip((q.x * axis[0] + q.y * axis[1] + q.z * axis[2]) / (axis @ axis), 0, 1)
    away = np.sqrt((q.x - along * axis[0]) ** 2 + (q.y - along * axis[1]) ** 2 + (q.z - along * axis[2]) ** 2)
    last = radius if radius_end is None else radius_end
    return np.asarray(away - (radius + (last - radius) * along), dtype=np.float32)


def chain(p: Place, points: ArrayLike, radii: Sequence[float], blend: float = 2.0) -> Array:
    """Capsules from point to point (points of shape (n, 3)), smoothly joined."""
    stops = np.asarray(points, dtype=np.float32)
    links = [
        capsule(p, a, b, ra, rb) for a, b, ra, rb in zip(stops[:-1], stops[1:], radii[:-1], radii[1:], strict=True)
    ]
    return union(links, blend)


def union(shapes: Sequence[Array], blend: float) -> Array:
    """Smooth minimum (polynomial): a fillet of about ``blend`` mm where shapes meet."""
    joined = shapes[0]
    for shape in shapes[1:]:
        h = np.clip(0.5 + 0.5 * (shape - joined) / blend, 0, 1)
        joined = shape + h * (joined - shape) - blend * h * (1 - h)
    return np.asarray(joined, dtype=np.float32)


def common(shapes: Sequence[Array], blend: float) -> Array:
    """Smooth intersection."""
    return -union([-shape for shape in shapes], blend)


def without(shape: Array, hole: Array, blend: float = 1.0) -> Array:
    """A shape with a smooth-edged hole."""
    return common([shape, -hole], blend)


def superellipse(u: Array, v: Array, half: tuple[Any, Any], power: float) -> Array:
    """|u/a|^p + |v/b|^p = 1, as the radius relative to 1."""
    reach = (np.abs(u / half[0]) ** power + np.abs(v / half[1]) ** power) ** (1 / power)
    return np.asarray(reach, dtype=np.float32)


def polygon(u: Array, v: Array, corners: ArrayLike) -> Array:
    """Signed distance to a closed polygon (corners of shape (n, 2)) in the plane."""
    points = np.asarray(corners, dtype=np.float32)
    u, v = np.broadcast_arrays(u, v)
    nearest = np.full(u.shape, np.inf, dtype=np.float32)
    inside = np.zeros(u.shape, dtype=bool)
    for (au, av), (bu, bv) in zip(points, np.roll(points, -1, axis=0), strict=True):
        du, dv = bu - au, bv - av
        along = np.clip(((u - au) * du + (v - av) * dv) / (du * du + dv * dv), 0, 1)
        nearest = np.minimum(nearest, (u - au - along * du) ** 2 + (v - av - along * dv) ** 2)
        crosses = (av > v) != (bv > v)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (u < au + (v - av) * du / dv)
    return np.asarray(np.where(inside, -1, 1) * np.sqrt(nearest), dtype=np.float32)
