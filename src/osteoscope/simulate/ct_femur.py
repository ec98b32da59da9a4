"""Femora of an adult. Lengths in millimetres from the hip joint, for a stature of 170 cm.

Side axes: x to the side of the bone, y to the back, z to the head. Chosen for the look of a CT, no morphometric
reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteoscope.domain.anatomy import Side
from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import SIDE_SIGN, Array, Place, capsule, chain, ellipsoid, shifted, union

HEAD = 24.0
_LENGTH = 430.0
# Down the femur (mm): thickness of the cortex, mm; share of fat in the marrow.
_CORTEX = ([0, 25, 50, 75, 110, 200, 280, 340, 390], [1.1, 1.6, 2.6, 4.6, 6.2, 6.6, 5.2, 2.4, 1.2])
_FATTY = ([20, 70, 110, 300, 370], [0, 0.75, 1, 1, 0])


@dataclass(frozen=True)
class Leg:
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


def femur_bone(leg: Leg, marrow_hu: float) -> Bone:
    """Head, neck, trochanters, bowed shaft with a marrow canal, condyles."""
    points = _femur_points(leg)

    def shape(p: Place) -> Array:
        return _femur(leg.inside(p).at(leg.hip), points) * np.float32(leg.scale)

    def cortex(p: Place) -> Array:
        return np.interp(-leg.inside(p).at(leg.hip).z, *_CORTEX).astype(np.float32)

    def marrow(p: Place) -> Array:
        q = leg.inside(p).at(leg.hip)
        r = np.sqrt(q.x**2 + q.y**2 + q.z**2)
        head = 1.9 * np.clip(1 - r / 48, 0, 1)
        fat = np.interp(-q.z, *_FATTY)
        spongy = marrow_hu * (0.55 + head)
        return np.asarray(spongy * (1 - fat) - 60 * fat, dtype=np.float32)

    hx, hy, hz = leg.hip
    low, high = leg.box((hx - 75, hy - 70, hz - _LENGTH - 45), (hx + 90, hy + 65, hz + 32))
    return Bone(f"femur_{leg.side}", tuple(low), tuple(high), shape, cortex, marrow, cortex_hu=1350.0, gap=3.2)


def _femur_points(leg: Leg) -> dict[str, np.ndarray]:
    angle, turn = np.deg2rad(leg.neck_shaft - 90), np.deg2rad(leg.anteversion - leg.turn)
    out = np.array([np.cos(angle) * np.cos(turn), np.cos(angle) * np.sin(turn), -np.sin(angle)])
    base = 50 * out
    knee = np.array([-6.0, 2.0, -_LENGTH])
    top = np.asarray(shifted(base, 4, 0, -18))
    along = np.linspace(0, 1, 7)[:, None]
    shaft = top + along * (shifted(knee, 0, 0, 40) - top) - np.array([0, 9, 0]) * np.sin(np.pi * along)
    return {"base": base, "shaft": shaft, "knee": knee}


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
