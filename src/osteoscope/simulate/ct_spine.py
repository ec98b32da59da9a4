"""The spine of an adult as places and sizes: 24 vertebrae along a lordotic and kyphotic curve.

Origin of the patient's axes: the centre of the upper end plate of S1. Sizes are rounded means of adults, chosen for
the look of a CT and varied by the caller; they are no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE


class Size(NamedTuple):
    """Lengths of a vertebra, mm.

    Body: width, depth, height, disc below. Canal: width, depth. Transverse process: reach to the side, tip behind the
    body's back and above its middle. Spinous process: reach, drop. Pedicle: width, height.
    """

    width: float
    depth: float
    height: float
    disc: float
    canal: float
    canal_depth: float
    side: float
    behind: float
    up: float
    spinous: float
    drop: float
    pedicle: float
    pedicle_height: float


# From L5 up to C1.
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
# Forward lean of a body's axis at some levels from L5 (0) up, degrees: lordosis, kyphosis, lordosis.
_LEAN_LEVELS = np.array([0, 2, 4, 6, 9, 12, 15, 17, 20, 23])
_LEAN = np.array([24.0, 2.0, -11.0, -14.0, -7.0, 5.0, 17.0, 22.0, 10.0, 0.0])
SACRAL_SLOPE = 38.0


@dataclass(frozen=True)
class Vertebra:
    """Where a vertebra lies and how large it is.

    Args:
        centre: of its body (x, y, z), mm.
        lean: of its axis to the front, degrees.
    """

    site: str
    centre: tuple[float, float, float]
    lean: float
    size: Size

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
    leans = (np.interp(np.arange(24), _LEAN_LEVELS, _LEAN) * curve).tolist()
    found, top, below = {}, np.zeros(2), SACRAL_SLOPE
    for n, (site, row, lean) in enumerate(zip(reversed(VERTEBRAE), _SIZES * scale, leans, strict=True)):
        size = Size(*row.tolist())
        bottom = top + size.disc * _up((below + lean) / 2)
        y, z = (bottom + size.height / 2 * _up(lean)).tolist()
        found[site] = Vertebra(site, (sway * float(np.sin(np.pi * n / 12)), y, z), lean, size)
        top, below = bottom + size.height * _up(lean), lean
    return found


def _up(lean: float) -> np.ndarray:
    return np.array([-np.sin(np.deg2rad(lean)), np.cos(np.deg2rad(lean))])
