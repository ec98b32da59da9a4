"""Hip bones of an adult. Lengths in millimetres for a stature of 170 cm, from the origin of the spine.

Side axes: x to the side of the bone, y to the back, z to the head. Chosen for the look of a CT, no morphometric
reference.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates

from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_femur import HEAD, Leg
from osteoscope.simulate.ct_implicit import (
    Array,
    Place,
    capsule,
    chain,
    common,
    ellipsoid,
    polygon,
    union,
    without,
)

_SOCKET = HEAD + 3.5

# Iliac wing: its middle surface x(y, z), relative to the origin of the spine, and its outline in the sagittal plane.
_WING = np.array(
    [
        (94, -34, -62), (121, -74, -30), (106, -66, -62), (126, -45, 15), (127, -10, 42), (104, 30, 40), (78, 55, 20),
        (52, 72, -12), (59, 40, -8), (61, 24, -34), (60, 38, -55), (80, 2, -50), (82, 5, -20), (104, -35, -20),
        (80, 0, -85), (66, 20, -110),
    ],
    dtype=float,
)  # fmt: skip
_OUTLINE = np.array(
    [
        (-72, -32), (-68, -10), (-52, 18), (-30, 36), (-5, 46), (22, 46), (45, 36), (62, 16), (76, -10), (72, -26),
        (60, -50), (46, -58), (26, -58), (14, -72), (12, -100), (-20, -100), (-55, -78), (-70, -62), (-66, -48),
    ],
    dtype=float,
)  # fmt: skip
_ISCHIUM = ((84, -10, -100), (70, 10, -125), (62, 8, -148), (56, -8, -155))
_RAMUS = ((56, -8, -155), (38, -45, -150), (17, -80, -138))
_PUBIS = ((84, -50, -88), (60, -76, -98), (34, -86, -108), (14, -88, -116))
_SYMPHYSIS = ((10, -88, -118), (11, -84, -136))


def hip_bone(leg: Leg, marrow_hu: float) -> Bone:
    """Ilium, ischium and pubis around the socket."""
    fit = RBFInterpolator(_WING[:, 1:], _WING[:, 0], smoothing=2.0)

    def shape(p: Place) -> Array:
        return _hip(leg.inside(p), leg.hip, fit) * np.float32(leg.scale)

    def cortex(p: Place) -> Array:
        q = leg.inside(p).at(leg.hip)
        near = np.clip(1 - np.sqrt(q.x**2 + q.y**2 + q.z**2) / 60, 0, 1)
        return np.asarray(1.05 + 0.6 * near, dtype=np.float32)

    def marrow(p: Place) -> Array:
        q = leg.inside(p).at(leg.hip)
        roof = np.exp(-((q.x / 22) ** 2) - (q.y / 22) ** 2 - ((q.z - 34) / 16) ** 2)
        return np.asarray(marrow_hu * (0.55 + 1.8 * roof), dtype=np.float32)

    low, high = leg.box((-6, -108, -178), (145, 92, 62))
    return Bone(f"hip_{leg.side}", tuple(low), tuple(high), shape, cortex, marrow, gap=2.2)


def _hip(q: Place, hip: tuple[float, float, float], fit: RBFInterpolator) -> Array:
    wing = _wing(q, hip, fit)
    h = q.at(hip)
    cup = common([ellipsoid(h, (0, 0, 0), (_SOCKET + 8,) * 3), h.x - 0.35 * h.z - 12], 3.0)
    bars = [
        chain(q, _ISCHIUM, (19, 15, 15, 11), 6.0),
        chain(q, _RAMUS, (9, 6, 7), 4.0),
        chain(q, _PUBIS, (13, 9, 8, 9), 4.0),
        capsule(q.scaled(x=1.2), (10 * 1.2, *_SYMPHYSIS[0][1:]), (10 * 1.2, *_SYMPHYSIS[1][1:]), 9.5, 8),
    ]
    shape = union([wing, cup, *bars], 7.0)
    shape = without(shape, ellipsoid(h, (1, 0, 0), (_SOCKET,) * 3), 1.0)
    return common([shape, 2.6 - q.x], 1.0)


def _wing(q: Place, hip: tuple[float, float, float], fit: RBFInterpolator) -> Array:
    """A curved plate, thick at its rim, at the sacro-iliac joint and above the socket, thin between them."""
    middle, slope = _surface(q, fit)
    outline = polygon(q.y, q.z, _OUTLINE)
    h = q.at(hip)
    thick = (
        2.6
        + 4.5 * np.exp(-((np.minimum(outline, 0) / 9) ** 2))
        + 11 * np.exp(-(h.y**2 + (h.z - 20) ** 2) / 28**2)
        + 7 * np.exp(-((q.y - 32) ** 2 + (q.z + 25) ** 2) / 26**2)
    )
    return common([np.abs(q.x - middle) / slope - thick, outline], 4.0)


def _surface(q: Place, fit: RBFInterpolator) -> tuple[Array, Array]:
    """Middle surface x(y, z) and its slope, by linear look-up of a table of the spline."""
    ys, zs = np.arange(-116.0, 100.0, 4.0), np.arange(-190.0, 70.0, 4.0)
    mesh = np.stack(np.meshgrid(ys, zs, indexing="ij"), axis=-1)
    table = fit(mesh.reshape(-1, 2)).reshape(mesh.shape[:2])
    steep = np.sqrt(1 + sum(g**2 for g in np.gradient(table, 4.0)))
    where = [(q.y + 116) / 4, (q.z + 190) / 4]
    middle, slope = (
        map_coordinates(values.astype(np.float32), where, order=1, mode="nearest") for values in (table, steep)
    )
    return middle, slope
