"""Ribs and sternum of an adult, hung on the spine.

The cage is a stack of rounded cross-sections; ribs run on its surface, lungs and chest wall follow it. Lengths in
millimetres for a stature of 170 cm; chosen for the look of a CT, no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from osteoscope.domain.anatomy import Side
from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import SIDE_SIGN, Array, Place, common, polygon, shifted
from osteoscope.simulate.ct_spine import Vertebra

Floats = NDArray[np.float64]

# Cage by height (share from the middle of L1 to the top of T1): half width, front and back from the spine's bodies.
_CAGE_AT = np.array([-0.15, 0.0, 0.12, 0.25, 0.4, 0.55, 0.7, 0.82, 0.9, 0.96, 1.02])
_CAGE_WIDE = np.array([122, 128, 133, 136, 134, 126, 113, 96, 80, 64, 48])
_CAGE_FRONT = np.array([128, 135, 142, 146, 144, 134, 116, 96, 80, 66, 52])
_CAGE_BACK = np.array([42, 44, 47, 50, 52, 52, 48, 42, 36, 30, 24])

# Ribs: angle from the back at which bone ends (180 = midline in front), drop of that end below its head (mm).
_RIB_END = (148, 150, 150, 148, 146, 142, 138, 130, 122, 112, 82, 58)
_RIB_DROP = (24, 46, 66, 84, 98, 108, 116, 118, 112, 98, 66, 40)
# Half height and half thickness, mm.
_RIB_RADII_USUAL = (6.6, 3.9)
_RIB_RADII = {1: (4.0, 6.0), 11: (5.2, 3.9), 12: (5.2, 3.9)}


@dataclass(frozen=True, eq=False)
class Cage:
    """The chest's inner frame: cross-sections by height.

    Args:
        heights: z at which the table was sampled, rising, mm.
        rows: half width, y of the front, y of the back at these heights, shape (n, 3).
    """

    heights: Floats
    rows: Floats

    @classmethod
    def around(cls, vertebrae: Mapping[str, Vertebra], scale: float, depth: float) -> Cage:
        """The cage of a spine; ``depth`` stretches it from front to back."""
        z = np.array([v.centre[2] for v in vertebrae.values()])
        y = np.array([v.centre[1] for v in vertebrae.values()])
        bottom, top = vertebrae["vertebra_L1"].centre[2], vertebrae["vertebra_T1"].centre[2] + 8
        at = np.linspace(-0.15, 1.02, 40)
        heights = bottom + at * (top - bottom)
        middle = np.interp(heights, z, y)
        wide = np.interp(at, _CAGE_AT, _CAGE_WIDE) * scale
        front = middle - np.interp(at, _CAGE_AT, _CAGE_FRONT) * scale * depth
        back = middle + np.interp(at, _CAGE_AT, _CAGE_BACK) * scale
        return cls(heights, np.stack([wide, front, back], axis=1))

    def section(self, z: Floats | Array) -> tuple[Floats, Floats, Floats]:
        """Half width, y of the centre and half depth at heights z."""
        wide, front, back = (np.interp(z, self.heights, column) for column in self.rows.T)
        return wide, (front + back) / 2, (back - front) / 2

    def on(self, angle: Floats, z: Floats) -> Floats:
        """Points (n, 3) on the cage, angle in degrees from the back to the side x > 0."""
        wide, centre, deep = self.section(z)
        sine, cosine = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
        x, y = np.abs(sine) ** 0.85 * np.sign(sine), np.abs(cosine) ** 0.85 * np.sign(cosine)
        return np.stack([wide * x, centre + deep * y, z], axis=1)

    def inside(self, p: Place, inset: float) -> Array:
        """Implicit shape of the cage, shrunk by ``inset`` mm (p.z of shape (n, 1, 1))."""
        wide, centre, deep = (np.asarray(a, dtype=np.float32) for a in self.section(p.z))
        reach = np.sqrt((p.x / (wide - inset)) ** 2 + ((p.y - centre) / (deep - inset)) ** 2)
        return np.asarray((reach - 1) * (deep - inset), dtype=np.float32)


def rib_line(side: Side, number: int, vertebra: Vertebra, cage: Cage) -> Floats:
    """Centre line (n, 3) of a rib from its head to its bony end, a point every 3 mm."""
    size, bow = vertebra.size, vertebra.centre[0]
    reach = size.side - 2 if number < 11 else 26
    head = shifted(vertebra.outside(size.width / 2 + 3, size.depth * 0.38, size.height * 0.42), -bow, 0, 0)
    tubercle = shifted(vertebra.outside(reach, size.depth / 2 + size.behind - 9, size.up + 5), -bow, 0, 0)
    end, drop = _RIB_END[number - 1], _RIB_DROP[number - 1]
    share = np.linspace(0.0, 1.0, 12)
    angle = 34 + share * (end - 34)
    z = tubercle[2] - 6 - drop * share**1.15
    points = np.concatenate([[head, tubercle], cage.on(angle, z)])
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    line = CubicSpline(steps, points)(np.arange(0, steps[-1], 3.0)) * (SIDE_SIGN[side], 1, 1)
    line[:, 0] += bow * np.linspace(1, 0, len(line))
    return np.asarray(line)


def rib_bone(side: Side, number: int, line: Floats, marrow_hu: float) -> Bone:
    """A flattened, curved tube."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    upright = np.array([0.0, 0.0, 1.0]) - along * along[:, 2:]
    upright /= np.linalg.norm(upright, axis=1, keepdims=True) + 1e-6

    def shape(p: Place) -> Array:
        return _ribbon(p, (line, upright), _RIB_RADII.get(number, _RIB_RADII_USUAL))

    low, high = line.min(axis=0) - 12, line.max(axis=0) + 12
    return Bone(f"rib_{side}_{number}", tuple(low), tuple(high), shape, 1.1, 0.7 * marrow_hu, cortex_hu=1000.0, gap=1.2)


def _ribbon(p: Place, line: tuple[Floats, Floats], radii: tuple[float, float]) -> Array:
    """Elliptical tube about a line with an upright axis, evaluated near the line only."""
    points, upright = line
    positions = np.stack(np.broadcast_arrays(*p), axis=-1)
    far = np.full(positions.shape[:3], 12.0, dtype=np.float32)
    cells = np.unique(np.floor(points / 12).astype(int), axis=0)
    near = np.isin(_cell(positions), _cell_id(_around(cells)))
    chosen = positions[near]
    gap, nearest = cKDTree(points).query(chosen, distance_upper_bound=16.0)
    reached = np.isfinite(gap)
    away = chosen[reached] - points[nearest[reached]]
    height = (away * upright[nearest[reached]]).sum(axis=1)
    across = np.sqrt(np.maximum(gap[reached] ** 2 - height**2, 0))
    radius = np.sqrt((height / radii[0]) ** 2 + (across / radii[1]) ** 2)
    values = np.full(len(chosen), 12.0, dtype=np.float32)
    values[reached] = (radius - 1) * min(radii)
    far[near] = values
    return np.minimum(far, 12.0)


def _around(cells: NDArray[np.int_]) -> NDArray[np.int_]:
    offsets = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.unique((cells[:, None] + offsets).reshape(-1, 3), axis=0)


def _cell(positions: NDArray[np.float32]) -> NDArray[np.int_]:
    return _cell_id(np.floor(positions / 12).astype(int))


def _cell_id(cells: NDArray[np.int_]) -> NDArray[np.int_]:
    return np.asarray((cells[..., 0] + 512) * 1_048_576 + (cells[..., 1] + 512) * 1024 + cells[..., 2] + 512)


def sternum_bone(cage: Cage, vertebrae: Mapping[str, Vertebra], marrow_hu: float) -> Bone:
    """Manubrium, body and xiphoid: a bent plate in front of the cage."""
    top, bottom = vertebrae["vertebra_T2"].centre[2] - 8, vertebrae["vertebra_T9"].centre[2] - 6
    length = top - bottom
    outline = np.array(
        [(-26, 0), (-32, -0.07), (-25, -0.17), (-13, -0.27), (-15, -0.5), (-19, -0.68), (-10, -0.84), (-4, -1.0),
         (4, -1.0), (10, -0.84), (19, -0.68), (15, -0.5), (13, -0.27), (25, -0.17), (32, -0.07), (26, 0)]
    ) * (1, length)  # fmt: skip

    def front(z: Array) -> Array:
        _, centre, deep = cage.section(z)
        return np.asarray(centre - deep - 3, dtype=np.float32)

    def shape(p: Place) -> Array:
        flat = np.abs(p.y - front(p.z)) - np.interp(p.z, [bottom, bottom + 0.3 * length, top], [3.0, 5.0, 6.5])
        return common([polygon(p.x, p.z - np.float32(top), outline), flat.astype(np.float32)], 4.0)

    ys = front(np.array([bottom, top], dtype=np.float32))
    low, high = (-40, float(ys.min()) - 15, bottom - 8), (40, float(ys.max()) + 15, top + 8)
    return Bone("sternum", low, high, shape, 1.0, 0.75 * marrow_hu, cortex_hu=900.0)
