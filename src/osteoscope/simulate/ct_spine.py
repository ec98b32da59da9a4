"""The spine of an adult: 24 vertebrae along a lordotic and kyphotic curve, and the sacrum.

Origin of the patient's axes: the centre of the upper end plate of S1. Sizes are rounded means of adults, chosen for
the look of a CT and varied by the caller; they are no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import (
    Array,
    Place,
    capsule,
    common,
    ellipsoid,
    polygon,
    superellipse,
    union,
    without,
)

# Upwards from L5: width, depth, height of the body; disc below; canal width, depth; reach of the transverse process
# (sideways, back from the body's back, up); of the spinous process (back, down); pedicle width, height. Millimetres.
_SIZES = np.array(
    [
        (51, 35, 27, 9, 26, 17, 41, 6, 4, 33, 6, 13, 14),
        (49, 35, 28, 11, 24, 16, 42, 8, 5, 38, 5, 11, 14),
        (47, 34, 28, 10, 23, 16, 45, 8, 3, 40, 4, 9, 14),
        (45, 33, 28, 9, 22, 16, 42, 8, 2, 40, 4, 8, 14),
        (43, 32, 27, 8, 22, 16, 38, 10, 1, 38, 4, 7.5, 14),
        (41, 31, 25, 6, 21, 16, 24, 14, 0, 34, 8, 7.5, 14),
        (38, 31, 24, 5, 20, 16, 24, 15, 1, 34, 11, 7.5, 14),
        (35, 31, 23, 4.5, 18, 15, 28, 17, 3, 36, 16, 6.5, 13),
        (33, 30, 22, 4.5, 17, 15, 30, 18, 4, 38, 22, 6, 13),
        (31, 29, 21, 4, 17, 15, 31, 18, 4, 38, 26, 5.5, 12),
        (30, 28, 20.5, 4, 17, 15, 32, 18, 4, 38, 28, 5.5, 12),
        (29, 26, 20, 4, 17, 15, 33, 18, 4, 38, 28, 5, 11),
        (28, 25, 19.5, 4, 17, 15, 34, 17, 4, 38, 26, 5, 11),
        (27, 23, 19, 3.5, 17, 15, 35, 16, 4, 38, 22, 5, 10),
        (27, 21, 18.5, 3.5, 17, 15, 35, 15, 4, 38, 18, 5.5, 10),
        (28, 19, 18, 3.5, 18, 15, 36, 14, 4, 40, 14, 6.5, 10),
        (29, 18, 17, 4, 20, 15, 37, 12, 4, 42, 9, 7.5, 10),
        (26, 17, 15, 5, 24, 15, 32, 6, 1, 42, 6, 6.5, 8),
        (24, 17, 14, 5, 24, 15, 27, 2, -1, 33, 5, 6, 7.5),
        (22, 16, 14, 5, 24, 15, 26, 1, -1, 25, 5, 5.5, 7.5),
        (21, 16, 14, 5, 24, 15, 26, 0, -1, 24, 5, 5.5, 7.5),
        (20, 16, 14, 5, 24, 15, 25, 0, -1, 24, 5, 5.5, 7.5),
        (20, 16, 20, 5, 24, 16, 25, 0, -2, 26, 6, 7, 8),
        (42, 24, 16, 3, 28, 26, 38, 2, 0, 16, 0, 9, 9),
    ]
)
# Forward lean of a body's axis at every third level from L5 up, degrees: lordosis, kyphosis, lordosis.
_LEAN_LEVELS = np.array([0, 2, 4, 6, 9, 12, 15, 17, 20, 23])
_LEAN = np.array([24.0, 2.0, -11.0, -14.0, -7.0, 5.0, 17.0, 22.0, 10.0, 0.0])
SACRAL_SLOPE = 38.0


@dataclass(frozen=True)
class Vertebra:
    """Where a vertebra lies and how large it is.

    Args:
        centre: of its body (x, y, z), mm.
        lean: of its axis to the front, degrees.
        size: a row of the table of sizes, scaled.
    """

    site: str
    centre: tuple[float, float, float]
    lean: float
    size: tuple[float, ...]

    def outside(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Patient position of a point in the vertebra's own axes (y back, z along its axis), mm."""
        c, s = np.cos(np.deg2rad(self.lean)), np.sin(np.deg2rad(self.lean))
        cx, cy, cz = self.centre
        return float(cx + x), float(cy + y * c - z * s), float(cz + y * s + z * c)


def spine(scale: float, curve: float, sway: float = 0.0) -> Mapping[str, Vertebra]:
    """Vertebrae by site id, caudal first.

    Args:
        scale: of all lengths, 1 for an adult of 170 cm.
        curve: of lordosis and kyphosis, 1 for the mean.
        sway: sideways bow, mm.
    """
    sizes = _SIZES * scale
    lean = np.interp(np.arange(24), _LEAN_LEVELS, _LEAN) * curve
    point, found = np.zeros(2), {}
    for n, site in enumerate(reversed(VERTEBRAE)):
        below = lean[n - 1] if n else SACRAL_SLOPE
        point = point + sizes[n, 3] * _up((below + lean[n]) / 2)
        centre = point + sizes[n, 2] / 2 * _up(lean[n])
        x = sway * float(np.sin(np.pi * n / 12))
        found[site] = Vertebra(site, (x, *centre.tolist()), float(lean[n]), tuple(sizes[n].tolist()))
        point = point + sizes[n, 2] * _up(lean[n])
    return found


def _up(lean: float) -> np.ndarray:
    return np.array([-np.sin(np.deg2rad(lean)), np.cos(np.deg2rad(lean))])


def vertebra_bone(vertebra: Vertebra, marrow_hu: float) -> Bone:
    """A vertebra ready to paint."""
    width, depth, height, _, _, canal_depth, side, _, _, spinous, drop, *_ = vertebra.size
    reach = max(side, width / 2) + 6
    back = depth / 2 + canal_depth + spinous
    corners = np.array(
        [vertebra.outside(x, y, z)
         for x in (-reach, reach) for y in (-depth / 2 - 5, back + 5) for z in (-height - drop - 5, height + 5)]
    )  # fmt: skip
    shapes = {"vertebra_C1": _atlas, "vertebra_C2": _axis}

    def local(p: Place) -> Place:
        return p.at(vertebra.centre).pitched(vertebra.lean)

    def shape(p: Place) -> Array:
        return shapes.get(vertebra.site, _typical)(local(p), vertebra.size)

    def cortex(p: Place) -> Array:
        behind = np.clip((local(p).y - depth / 2 - 2) / 6, 0, 1)
        return np.asarray(0.5 + 1.4 * behind, dtype=np.float32)

    def marrow(p: Place) -> Array:
        q = local(p)
        vein = np.clip(-ellipsoid(q, (0, depth * 0.32, 0), (3.0, depth * 0.2, 1.8)), 0, 1)
        behind = np.clip((q.y - depth / 2 - 2) / 6, 0, 1)
        return np.asarray(marrow_hu * (1 + 0.8 * behind) - 0.6 * marrow_hu * vein, dtype=np.float32)

    low, high = corners.min(axis=0), corners.max(axis=0)
    return Bone(vertebra.site, tuple(low), tuple(high), shape, cortex, marrow)


def _body(p: Place, width: float, depth: float, height: float) -> Array:
    waist = 1 - 0.09 * np.clip(1 - (2 * p.z / height) ** 2, 0, 1)
    flat = np.where(p.y > 0, 0.9 + 0.1 * np.clip(p.x * 2 / width, -1, 1) ** 2, 1)
    radius = superellipse(p.x, p.y, (waist * width / 2, waist * flat * depth / 2), 2.4)
    dent = 0.06 * height * np.clip(1 - radius**2, 0, 1)
    return common([(radius - 1) * (depth / 2), np.abs(p.z) - (height / 2 - dent)], 2.0)


def _typical(p: Place, size: tuple[float, ...]) -> Array:
    width, depth, height, *_ = size
    body = _body(p, width, depth, height)
    shape = union([body, _arch(p.folded(), size)], 3.0)
    return without(shape, _canal(p, size), 1.5)


def _canal(p: Place, size: tuple[float, ...]) -> Array:
    _, depth, _, _, canal, canal_depth, *_ = size
    radius = superellipse(p.x, p.y - (depth + canal_depth) / 2, (canal / 2, canal_depth / 2), 2.3)
    return (radius - 1) * np.float32(canal_depth / 2)


def _arch(p: Place, size: tuple[float, ...]) -> Array:
    """Pedicle, lamina, articular, transverse and spinous processes of the side x > 0."""
    width, depth, height, _, canal, canal_depth, side, back, up, spinous, drop, pedicle, tall = size
    start = (min(canal / 2 + pedicle / 2, width / 2 - pedicle / 2), 0.35 * depth, 0.16 * height)
    joint = (canal / 2 + pedicle / 2, depth / 2 + 0.5 * canal_depth, 0.12 * height)
    roof = depth / 2 + canal_depth + 2.5
    flat = pedicle / tall
    facet = 3.5 + 0.4 * max(pedicle - 5.0, 0.0)
    low = (joint[0] - 0.22 * canal, roof + 1.5, -0.55 * height)
    parts = [
        capsule(p.scaled(z=flat), _flat(start, flat), _flat(joint, flat), pedicle / 2),
        capsule(p.scaled(z=0.4), _flat(joint, 0.4), (0, roof + 1, -0.16 * height * 0.4), 3.2, 3.6),
        capsule(p, joint, (joint[0] + 1.5, joint[1] + 2, 0.62 * height), pedicle / 2, facet),
        capsule(p, (joint[0] - 2, roof - 2, 0), low, facet, facet + 0.6),
        capsule(p, joint, (side, depth / 2 + back, up), 0.45 * pedicle + 1, 3.6),
        _spinous(p, (roof, spinous, drop, height)),
    ]
    return union(parts, 3.0)


def _flat(point: tuple[float, float, float], z: float) -> tuple[float, float, float]:
    return point[0], point[1], point[2] * z


def _spinous(p: Place, size: tuple[float, float, float, float]) -> Array:
    roof, reach, drop, height = size
    thick = 3.0
    tip = roof + reach - 8
    outline = polygon(
        p.y,
        p.z + 0 * p.x,
        [(roof, 0.1 * height), (tip, -drop - 0.02 * height), (tip + 2, -drop - 0.5 * height),
         (tip - 3, -drop - 0.62 * height), (roof, -0.5 * height)],
    )  # fmt: skip
    swelling = 1.2 * np.clip((p.y - tip + 6) / 6, 0, 1)
    return common([outline, np.abs(p.x) - thick - swelling], 2.5)


def _axis(p: Place, size: tuple[float, ...]) -> Array:
    dens = capsule(p, (0, -2, 0), (0, -1, size[2] / 2 + 14), 5.5, 4.5)
    return union([_typical(p, size), dens], 3.0)


def _atlas(p: Place, size: tuple[float, ...]) -> Array:
    width, depth, *_, side = size[:7]
    ring = superellipse(p.x, p.y - 8, (width / 2 - 2, depth / 2 + 8), 2.2)
    tube = np.sqrt(((ring - 1) * (depth / 2 + 8)) ** 2 + (0.7 * p.z) ** 2) - 3.5
    q = p.folded()
    mass = ellipsoid(q, (width / 2 - 2, 2, 0), (7, 9, 8))
    wing = capsule(q, (width / 2, 3, 0), (side, 4, -1), 4, 3)
    return union([np.asarray(tube, np.float32), mass, wing], 3.0)


# Sacrum and coccyx by distance down the sacral arc (mm): half width, half depth of the bodies.
_SACRUM_AT = np.array([-3, 8, 30, 48, 66, 84, 104, 112, 128, 142])
_SACRUM_WIDE = np.array([50, 54, 52, 44, 34, 27, 17, 9, 7, 3])
_SACRUM_DEEP = np.array([16, 15, 12, 10, 8, 7, 5.5, 4.5, 4, 3])
_ARC = 95.0


def sacrum_bone(scale: float, marrow_hu: float) -> Bone:
    """Sacrum with coccyx: a tapered, curved wedge with canal, four pairs of foramina and a median crest."""

    def arc(p: Place) -> Place:
        """(side, depth behind the arc, way down the arc), unscaled."""
        q = p.pitched(SACRAL_SLOPE).scaled(1 / scale, 1 / scale, 1 / scale)
        outer = np.hypot(q.y + _ARC, q.z)
        return Place(q.x, outer - _ARC, np.arctan2(-q.z, q.y + _ARC) * np.float32(_ARC))

    def shape(p: Place) -> Array:
        return _sacrum(arc(p)) * np.float32(scale)

    def marrow(p: Place) -> Array:
        q = arc(p)
        fatty = np.clip((np.abs(q.x) - 18) / 12, 0, 1)
        return np.asarray(marrow_hu * (0.85 - 0.75 * fatty), dtype=np.float32)

    low, high = (-62 * scale, -30 * scale, -135 * scale), (62 * scale, 85 * scale, 22 * scale)
    return Bone("sacrum", low, high, shape, 1.0, marrow)


def _sacrum(q: Place) -> Array:
    wide = np.interp(q.z, _SACRUM_AT, _SACRUM_WIDE).astype(np.float32)
    deep = np.interp(q.z, _SACRUM_AT, _SACRUM_DEEP).astype(np.float32)
    share = np.clip(np.abs(q.x) / wide, 0, 1.2)
    ends = np.maximum(-q.z - 2 * np.clip((np.abs(q.x) - 22) / 10, 0, 1), q.z - 140)
    front = common([np.abs(q.x) - wide, np.abs(q.y - 9 * share**2) - deep * (1 - 0.15 * share**2), ends], 4.0)
    ridge = 3 * np.exp(-((q.x / 4) ** 2)) * (np.cos(q.z / 3.4) + 1)
    back = common([np.abs(q.x) - (0.75 * wide), np.abs(q.y - deep - 6.5) - 8.5 - ridge, -q.z - 3, q.z - 88], 4.0)
    canal = superellipse(q.x, q.y - deep - 7, (np.maximum(13 - 0.08 * q.z, 2), np.maximum(6 - 0.035 * q.z, 1)), 2.2)
    shape = without(union([front, back], 6.0), (canal - 1) * 6, 1.5)
    for at, side in zip((22, 41, 58, 75), (25, 22, 19, 16), strict=True):
        hole = np.hypot(np.abs(q.x) - side, q.z - at) - 4.2
        shape = without(shape, hole.astype(np.float32), 2.0)
    return shape
