"""Shapes in millimetres (x to the left, y to the back, z to the head) and how they are painted into voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_WAVES = 12
Points = Floats | Sequence[ArrayLike]


@dataclass(frozen=True, eq=False)
class Frame:
    """A local system: `origin` (3,) and `axes` (3, 3), whose columns are the local axes."""

    origin: Floats
    axes: Floats

    def place(self, local: ArrayLike) -> Floats:
        """Positions, shape (..., 3), of local positions."""
        return np.asarray(self.origin + np.asarray(local, dtype=float) @ self.axes.T)

    def turned(self, at: ArrayLike, order: str, degrees: Sequence[float]) -> Frame:
        """A frame with its origin at a local position, turned by Euler angles about the local axes."""
        return Frame(self.place(at), self.axes @ Rotation.from_euler(order, degrees, degrees=True).as_matrix())


class Solid(Protocol):
    """A closed shape that can be painted."""

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest position."""
        ...

    def inside(self, position: tuple[Any, Any, Any]) -> Mask:
        """Which of the positions (x, y, z), broadcast against each other, are inside."""
        ...


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """Half axes `radii` (3,) along the axes of a frame."""

    frame: Frame
    radii: Floats

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest position."""
        reach = np.sqrt(((self.frame.axes * self.radii) ** 2).sum(axis=1))
        return self.frame.origin - reach, self.frame.origin + reach

    def inside(self, position: tuple[Any, Any, Any]) -> Mask:
        """Positions inside."""
        local = _local(self.frame, position)
        return np.asarray(sum((axis / radius) ** 2 for axis, radius in zip(local, self.radii, strict=True)) <= 1)


@dataclass(frozen=True, eq=False)
class Cone:
    """A limb: a ball swept from `start` to `end` while its radius changes."""

    start: Floats
    end: Floats
    radius_start: float
    radius_end: float

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest position."""
        low = np.minimum(self.start - self.radius_start, self.end - self.radius_end)
        return low, np.maximum(self.start + self.radius_start, self.end + self.radius_end)

    def inside(self, position: tuple[Any, Any, Any]) -> Mask:
        """Positions inside."""
        axis = self.end - self.start
        away = [p - s for p, s in zip(position, self.start, strict=True)]
        along = np.clip(sum(a * b for a, b in zip(away, axis, strict=True)) / (axis @ axis), 0, 1)
        radius = self.radius_start + along * (self.radius_end - self.radius_start)
        squared = sum((a - along * b) ** 2 for a, b in zip(away, axis, strict=True))
        return np.asarray(squared <= radius**2)


@dataclass(frozen=True, eq=False)
class Loft:
    """A trunk: super-ellipses stacked along the local z of a frame, |x/a|^p + |(y-c)/b|^p <= 1.

    Args:
        frame: local system.
        levels: rows of (z, a, b, c), rising z.
        power: p.
    """

    frame: Frame
    levels: Floats
    power: float = 2.4

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest position."""
        z, a, b, c = self.levels.T
        corners = np.array([(sx * a, c + sy * b, z) for sx in (-1, 1) for sy in (-1, 1)])
        placed = self.frame.place(corners.transpose(0, 2, 1).reshape(-1, 3))
        return placed.min(axis=0), placed.max(axis=0)

    def inside(self, position: tuple[Any, Any, Any]) -> Mask:
        """Positions inside."""
        x, y, z = _local(self.frame, position)
        level, *columns = self.levels.T
        a, b, c = (np.interp(z, level, column) for column in columns)
        within = np.abs(x / a) ** self.power + np.abs((y - c) / b) ** self.power <= 1
        return np.asarray(within & (z >= level[0]) & (z <= level[-1]))


def _local(frame: Frame, position: tuple[Any, Any, Any]) -> list[Any]:
    away = [p - o for p, o in zip(position, frame.origin, strict=True)]
    return [sum(a * frame.axes[i, axis] for i, a in enumerate(away)) for axis in range(3)]


@dataclass(frozen=True, eq=False)
class Beads:
    """A bone: balls of `radii` (n,) at `points` (n, 3)."""

    points: Floats
    radii: Floats

    @classmethod
    def join(cls, *parts: Beads) -> Beads:
        """All balls of the parts."""
        return cls(np.concatenate([p.points for p in parts]), np.concatenate([p.radii for p in parts]))

    def placed(self, frame: Frame) -> Beads:
        """Local balls as seen from outside the frame."""
        return Beads(frame.place(self.points), self.radii)

    def swollen(self, by: float) -> Beads:
        """Every fourth ball, with `by` mm more radius: what covers the bone need not be so fine."""
        return Beads(self.points[::4], self.radii[::4] + by)

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest position."""
        radii = self.radii[:, None]
        return (self.points - radii).min(axis=0), (self.points + radii).max(axis=0)


@dataclass(frozen=True, eq=False)
class Ripple:
    """A smooth shift of positions: waves with `vectors` (3, n), `phases` (n,) and `shifts` (n, 3) in mm."""

    vectors: Floats
    phases: Floats
    shifts: Floats

    @classmethod
    def draw(cls, shift_mm: float, wavelength_mm: float, rng: np.random.Generator) -> Ripple:
        """A random one with that root-mean-square shift along each axis."""
        vectors = rng.normal(0, 2 * np.pi / wavelength_mm / np.sqrt(3), (3, _WAVES))
        shifts = rng.normal(0, shift_mm * np.sqrt(2 / _WAVES), (_WAVES, 3))
        return cls(vectors, rng.uniform(0, 2 * np.pi, _WAVES), shifts)

    def apply(self, beads: Beads) -> Beads:
        """The same balls, shifted."""
        return Beads(self.move(beads.points), beads.radii)

    def move(self, points: Floats) -> Floats:
        """Positions (..., 3), shifted."""
        return np.asarray(points + np.cos(points @ self.vectors + self.phases) @ self.shifts)


def string(controls: Points, radii: ArrayLike) -> Beads:
    """Balls along a smooth curve through `controls` (n, 3), with a radius at each of them."""
    points = np.asarray(list(controls), dtype=float)
    sizes = np.broadcast_to(np.asarray(radii, dtype=float), points.shape[:1])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    knots = np.concatenate(([0.0], np.cumsum(steps)))
    at = np.linspace(0, knots[-1], max(2, int(np.ceil(knots[-1] / (0.6 * sizes.min()))) + 1))
    curve = CubicSpline(knots, points, bc_type="natural") if len(points) > 2 else None
    path = curve(at) if curve else points[0] + (at / knots[-1])[:, None] * (points[1] - points[0])
    return Beads(np.asarray(path), np.interp(at, knots, sizes))


def plate(corners: Points, radius: float) -> Beads:
    """Balls over a triangle."""
    a, b, c = np.asarray(list(corners), dtype=float)
    n = max(2, int(np.ceil(max(np.linalg.norm(b - a), np.linalg.norm(c - a)) / (0.9 * radius))))
    i, j = (m.ravel() for m in np.mgrid[0 : n + 1, 0 : n + 1])
    u, v = i[i + j <= n] / n, j[i + j <= n] / n
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return Beads(points, np.full(len(points), radius))


def cap(radii: ArrayLike, thickness: float, lowest: float, tilt: float) -> Beads:
    """Balls over the top of an ellipsoid's surface (half axes `radii`).

    Args:
        radii: half axes, mm.
        thickness: radius of the balls, mm.
        lowest: where the cap ends on the unit sphere, -1 (closed) to 1 (nothing).
        tilt: degrees by which the rim falls towards the back.
    """
    half = np.asarray(radii, dtype=float)
    n = int(np.ceil(4 * np.pi * half.max() ** 2 / (0.9 * thickness) ** 2))
    z = np.linspace(1, -1, n)
    turn = np.pi * (1 + 5**0.5) * np.arange(n)
    ring = np.sqrt(1 - z**2)
    unit = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    angle = np.deg2rad(tilt)
    kept = unit[unit[:, 2] * np.cos(angle) + unit[:, 1] * np.sin(angle) >= lowest]
    return Beads(kept * half, np.full(len(kept), thickness))
