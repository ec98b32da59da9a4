"""Hip bones and femora of an adult. Lengths in millimetres about the hip joint, for a stature of 170 cm.

Side axes: x to the side of the bone, y to the back, z to the head. Chosen for the look of a CT, no morphometric
reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator

from osteoscope.domain.anatomy import Side
from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import (
    Array,
    Place,
    capsule,
    chain,
    common,
    ellipsoid,
    polygon,
    shifted,
    union,
    without,
)

SIDE_SIGN: dict[Side, int] = {"right": -1, "left": 1}
HEAD = 24.0
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


@dataclass(frozen=True)
class Limb:
    """The frame that hip bone and femur of one side share.

    Args:
        scale: of all lengths.
        hip: centre of the hip joint, side axes, unscaled.
        neck_shaft, anteversion: angles of the femoral neck, degrees.
        turn: outward rotation of the leg, degrees.
    """

    side: Side
    scale: float
    hip: tuple[float, float, float] = (88.0, -35.0, -95.0)
    neck_shaft: float = 127.0
    anteversion: float = 14.0
    turn: float = 5.0

    def inside(self, p: Place) -> Place:
        """Patient positions as side axes, unscaled."""
        s = 1 / self.scale
        return p.scaled(SIDE_SIGN[self.side] * s, s, s)

    def box(self, low: tuple[float, float, float], high: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
        """A box of the side axes as corners of the patient's."""
        corners = np.array([low, high]) * self.scale
        corners[:, 0] *= SIDE_SIGN[self.side]
        return corners.min(axis=0), corners.max(axis=0)


def hip_bone(limb: Limb, marrow_hu: float) -> Bone:
    """Ilium, ischium and pubis around the socket."""
    fit = RBFInterpolator(_WING[:, 1:], _WING[:, 0], smoothing=2.0)

    def shape(p: Place) -> Array:
        return _hip(limb.inside(p), limb.hip, fit) * np.float32(limb.scale)

    def cortex(p: Place) -> Array:
        q = limb.inside(p).at(limb.hip)
        near = np.clip(1 - np.sqrt(q.x**2 + q.y**2 + q.z**2) / 60, 0, 1)
        return np.asarray(1.05 + 0.6 * near, dtype=np.float32)

    def marrow(p: Place) -> Array:
        q = limb.inside(p).at(limb.hip)
        roof = np.exp(-((q.x / 22) ** 2) - (q.y / 22) ** 2 - ((q.z - 34) / 16) ** 2)
        return np.asarray(marrow_hu * (0.55 + 1.8 * roof), dtype=np.float32)

    low, high = limb.box((-6, -108, -178), (145, 92, 62))
    return Bone(f"hip_{limb.side}", tuple(low), tuple(high), shape, cortex, marrow, gap=2.2)


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
    where = (np.asarray((q.y + 116) / 4), np.asarray((q.z + 190) / 4))
    return _lookup(table, where), _lookup(steep, where)


def _lookup(table: np.ndarray, where: tuple[np.ndarray, np.ndarray]) -> Array:
    i = np.clip(where[0], 0, table.shape[0] - 1.001)
    j = np.clip(where[1], 0, table.shape[1] - 1.001)
    i0, j0 = i.astype(int), j.astype(int)
    fi, fj = i - i0, j - j0
    low = table[i0, j0] * (1 - fi) + table[i0 + 1, j0] * fi
    high = table[i0, j0 + 1] * (1 - fi) + table[i0 + 1, j0 + 1] * fi
    return np.asarray(low * (1 - fj) + high * fj, dtype=np.float32)


# Femoral shaft from below the trochanters to the condyles, relative to the hip joint before turning.
_LENGTH = 430.0


def femur_bone(limb: Limb, marrow_hu: float) -> Bone:
    """Head, neck, trochanters, bowed shaft with a marrow canal, condyles."""
    points = _femur_points(limb)

    def shape(p: Place) -> Array:
        return _femur(limb.inside(p).at(limb.hip), points) * np.float32(limb.scale)

    def depth(p: Place) -> Array:
        q = limb.inside(p).at(limb.hip)
        return np.asarray(-q.z, dtype=np.float32)

    def cortex(p: Place) -> Array:
        below = depth(p)
        thick = np.interp(
            below, [0, 25, 50, 75, 110, 200, 280, 340, 390], [1.1, 1.6, 2.6, 4.6, 6.2, 6.6, 5.2, 2.4, 1.2]
        )
        return np.asarray(thick, dtype=np.float32)

    def marrow(p: Place) -> Array:
        q = limb.inside(p).at(limb.hip)
        r = np.sqrt(q.x**2 + q.y**2 + q.z**2)
        head = 1.9 * np.clip(1 - r / 48, 0, 1)
        fat = np.interp(-q.z, [20, 70, 110, 300, 370], [0, 0.75, 1, 1, 0])
        spongy = marrow_hu * (0.55 + head)
        return np.asarray(spongy * (1 - fat) - 60 * fat, dtype=np.float32)

    hx, hy, hz = limb.hip
    low, high = limb.box((hx - 75, hy - 70, hz - _LENGTH - 45), (hx + 90, hy + 65, hz + 32))
    return Bone(f"femur_{limb.side}", tuple(low), tuple(high), shape, cortex, marrow, cortex_hu=1350.0, gap=3.2)


def _femur_points(limb: Limb) -> dict[str, np.ndarray]:
    angle, turn = np.deg2rad(limb.neck_shaft - 90), np.deg2rad(limb.anteversion - limb.turn)
    out = np.array([np.cos(angle) * np.cos(turn), np.cos(angle) * np.sin(turn), -np.sin(angle)])
    base = 50 * out
    knee = np.array([-6.0, 2.0, -_LENGTH])
    top = np.asarray(shifted(base, 4, 0, -18))
    along = np.linspace(0, 1, 7)[:, None]
    shaft = top + along * (shifted(knee, 0, 0, 40) - top) - np.array([0, 9, 0]) * np.sin(np.pi * along)
    return {"base": base, "shaft": shaft, "knee": knee, "out": out}


def _femur(q: Place, points: dict[str, np.ndarray]) -> Array:
    base, shaft, knee = points["base"], points["shaft"], points["knee"]
    parts = [
        ellipsoid(q, (0, 0, 0), (HEAD,) * 3),
        capsule(q.scaled(y=1.15), (0, 0, 0), base * np.array([1, 1.15, 1]), 15.5, 18.5),
        ellipsoid(q, shifted(base, 9, 6, 8), (14, 18, 22)),
        ellipsoid(q, shifted(base, -10, 16, -36), (9, 8, 12)),
        chain(q, shaft, (17, 15, 14, 13.6, 13.8, 15, 20), 6.0),
        ellipsoid(q, shifted(knee, -22, 8, 2), (16, 30, 20)),
        ellipsoid(q, shifted(knee, 22, 8, 4), (16, 29, 19)),
        ellipsoid(q, shifted(knee, 0, -8, 22), (30, 18, 24)),
    ]
    return union(parts, 8.0)
