"""Clavicles, scapulae and humeri of an adult with raised arms, as in most body CTs.

Lengths in millimetres for a stature of 170 cm; chosen for the look of a CT, no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import Side
from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import (
    SIDE_SIGN,
    Array,
    Place,
    Triple,
    capsule,
    chain,
    common,
    ellipsoid,
    polygon,
    shifted,
    union,
)

Floats = NDArray[np.float64]

# Blade in its own plane, which is turned away from the back: (from the medial border to the side, above the spine).
_PLANE = np.deg2rad(34.0)
_BLADE = (
    (0, 12), (12, 30), (40, 26), (88, 10), (98, 4), (90, -14), (70, -40), (40, -90), (22, -118), (6, -112), (-2, -40),
)  # fmt: skip
# Humerus from the centre of its head, the arm raised.
UPPER_ARM = np.array([110.0, -30.0, 270.0])


@dataclass(frozen=True, eq=False)
class Shoulder:
    """Where a shoulder hangs, in side axes (x to the side), unscaled.

    Args:
        blade: medial end of the scapular spine.
        notch: sternal end of the clavicle.
    """

    side: Side
    scale: float
    blade: Floats
    notch: Floats

    @property
    def joint(self) -> Floats:
        """Centre of the humeral head."""
        return np.asarray(shifted(self.blade + _along(98), 17, -12, 2))

    def bones(self, marrow_hu: float) -> tuple[Bone, Bone, Bone]:
        """Scapula, clavicle, humerus."""
        tip = shifted(self.joint, -12, 10, 29)
        along = np.linspace(0, 1, 6)[:, None]
        bend = np.hstack([0 * along, -7 * np.sin(2 * np.pi * along), 4 * np.sin(np.pi * along)])
        curve = self.notch + along * (np.asarray(tip) - self.notch) + bend
        return (
            self._bone("scapula", np.array([self.blade, self.joint, tip]), (1.2, 0.7 * marrow_hu), self._scapula),
            self._bone(
                "clavicle", curve, (1.8, 0.7 * marrow_hu), lambda q: chain(q, curve, (10, 7, 6, 6, 6.5, 8), 4.0)
            ),
            self._bone(
                "humerus", np.array([self.joint, self.joint + UPPER_ARM]), (2.6, 0.6 * marrow_hu), self._humerus
            ),
        )

    def _bone(self, name: str, points: Floats, inner: tuple[float, float], local: Callable[[Place], Array]) -> Bone:
        corners = np.array([points.min(axis=0) - (34, 34, 130), points.max(axis=0) + 40]) * self.scale
        corners[:, 0] *= SIDE_SIGN[self.side]
        scale = self.scale

        def shape(p: Place) -> Array:
            return local(p.scaled(SIDE_SIGN[self.side] / scale, 1 / scale, 1 / scale)) * np.float32(scale)

        low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return Bone(f"{name}_{self.side}", tuple(low), tuple(high), shape, *inner, gap=2.0)

    def _scapula(self, q: Place) -> Array:
        b = q.at(self.blade)
        across = b.x * np.float32(np.cos(_PLANE)) - b.y * np.float32(np.sin(_PLANE))
        behind = b.x * np.float32(np.sin(_PLANE)) + b.y * np.float32(np.cos(_PLANE))
        outline = polygon(across, b.z, _BLADE)
        thick = 1.4 + 3.0 * np.exp(-((np.minimum(outline, 0) / 5) ** 2)) + 5 * np.clip((across - 72) / 20, 0, 1)
        bend = 6 * np.sin(np.pi * np.clip(across / 98, 0, 1))
        blade = common([np.abs(behind - bend) - thick, outline], 2.5)
        joint = self.joint - self.blade
        glenoid = shifted(joint, -26, 18, 0)
        ridge = [(4, 4, 2), (40, -8, 10), shifted(_along(86), 6, 24, 22), shifted(joint, -6, 20, 27)]
        hook = [shifted(glenoid, -6, 0, 14), shifted(glenoid, -4, -20, 26), shifted(glenoid, 8, -34, 14)]
        parts = [blade, ellipsoid(b, glenoid, (7, 13, 18)), chain(b, ridge, (3, 5, 6, 6)), chain(b, hook, (7, 6, 5))]
        return union(parts, 4.0)

    def _humerus(self, q: Place) -> Array:
        h = q.at(self.joint)
        head: Triple = (0, 0, 0)
        parts = [
            ellipsoid(h, head, (23, 23, 23)),
            capsule(h, shifted(0.03 * UPPER_ARM, 6, -2, 0), 0.16 * UPPER_ARM, 21, 14),
            chain(h, [0.16 * UPPER_ARM, 0.4 * UPPER_ARM, UPPER_ARM], (14, 11.5, 11), 5.0),
        ]
        return union(parts, 6.0)


def _along(length: float) -> Floats:
    """A step in the plane of the blade, away from the midline."""
    return length * np.array([np.cos(_PLANE), -np.sin(_PLANE), 0.0])
