"""The shape of a vertebra: body with end plates, pedicles, arch, facets, processes, canal; atlas and axis.

Lengths in millimetres in the vertebra's own axes: x to the left, y to the back, z up along the body.
"""

from __future__ import annotations

import numpy as np

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
from osteoscope.simulate.ct_spine import Size, Vertebra


def vertebra_bone(vertebra: Vertebra, marrow_hu: float) -> Bone:
    """A vertebra ready to paint."""
    size = vertebra.size
    reach = max(size.side, size.width / 2) + 6
    ys = (-size.depth / 2 - 5, size.depth / 2 + size.canal_depth + size.spinous + 5)
    zs = (-size.height - size.drop - 5, size.height + 5)
    corners = np.array([vertebra.outside(x, y, z) for x in (-reach, reach) for y in ys for z in zs])
    shapes = {"vertebra_C1": _atlas, "vertebra_C2": _axis}

    def local(p: Place) -> Place:
        return p.at(vertebra.centre).pitched(vertebra.lean)

    def shape(p: Place) -> Array:
        return shapes.get(vertebra.site, _typical)(local(p), size)

    def cortex(p: Place) -> Array:
        behind = np.clip((local(p).y - size.depth / 2 - 2) / 6, 0, 1)
        return np.asarray(0.5 + 1.4 * behind, dtype=np.float32)

    def marrow(p: Place) -> Array:
        q = local(p)
        vein = np.clip(-ellipsoid(q, (0, size.depth * 0.32, 0), (3.0, size.depth * 0.2, 1.8)), 0, 1)
        behind = np.clip((q.y - size.depth / 2 - 2) / 6, 0, 1)
        return np.asarray(marrow_hu * (1 + 0.8 * behind) - 0.6 * marrow_hu * vein, dtype=np.float32)

    low, high = corners.min(axis=0), corners.max(axis=0)
    return Bone(vertebra.site, tuple(low), tuple(high), shape, cortex, marrow)


def _body(p: Place, width: float, depth: float, height: float) -> Array:
    waist = 1 - 0.09 * np.clip(1 - (2 * p.z / height) ** 2, 0, 1)
    flat = np.where(p.y > 0, 0.9 + 0.1 * np.clip(p.x * 2 / width, -1, 1) ** 2, 1)
    radius = superellipse(p.x, p.y, (waist * width / 2, waist * flat * depth / 2), 2.4)
    dent = 0.06 * height * np.clip(1 - radius**2, 0, 1)
    return common([(radius - 1) * (depth / 2), np.abs(p.z) - (height / 2 - dent)], 2.0)


def _typical(p: Place, size: Size) -> Array:
    shape = union([_body(p, size.width, size.depth, size.height), _arch(p.folded(), size)], 3.0)
    return without(shape, _canal(p, size), 1.5)


def _canal(p: Place, size: Size) -> Array:
    half = (size.canal / 2, size.canal_depth / 2)
    return (superellipse(p.x, p.y - size.depth / 2 - half[1], half, 2.3) - 1) * np.float32(half[1])


def _arch(p: Place, size: Size) -> Array:
    """Pedicle, lamina, articular, transverse and spinous processes of the side x > 0."""
    width, depth, height, _, canal, canal_depth, side, behind, up, spinous, drop, pedicle, tall = size
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
        capsule(p, joint, (side, depth / 2 + behind, up), 0.45 * pedicle + 1, 3.6),
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
        p.z,
        [(roof, 0.1 * height), (tip, -drop - 0.02 * height), (tip + 2, -drop - 0.5 * height),
         (tip - 3, -drop - 0.62 * height), (roof, -0.5 * height)],
    )  # fmt: skip
    swelling = 1.2 * np.clip((p.y - tip + 6) / 6, 0, 1)
    return common([outline, np.abs(p.x) - thick - swelling], 2.5)


def _axis(p: Place, size: Size) -> Array:
    dens = capsule(p, (0, -2, 0), (0, -1, size.height / 2 + 14), 5.5, 4.5)
    return union([_typical(p, size), dens], 3.0)


def _atlas(p: Place, size: Size) -> Array:
    width, depth, side = size.width, size.depth, size.side
    ring = superellipse(p.x, p.y - 8, (width / 2 - 2, depth / 2 + 8), 2.2)
    tube = np.sqrt(((ring - 1) * (depth / 2 + 8)) ** 2 + (0.7 * p.z) ** 2) - 3.5
    q = p.folded()
    mass = ellipsoid(q, (width / 2 - 2, 2, 0), (7, 9, 8))
    wing = capsule(q, (width / 2, 3, 0), (side, 4, -1), 4, 3)
    return union([np.asarray(tube, np.float32), mass, wing], 3.0)
