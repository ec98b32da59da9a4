"""Whether pixels are as noisy as the counts that they claim: images are stored scaled, enlarged or added up, too.

The network judges a focus by the noise that belongs to its counts. Where pixels vary more than counts do, that would
call noise a focus.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.planar_canvas import BODY_LEVEL, Fitting, Plane, typical

# What stands out of its neighbours by pairs of canvas elements, about the size of a focus.
_STANDING_OUT = np.array([-0.25, -0.25, 0.5, 0.5, -0.25, -0.25], dtype=np.float32)
_MEDIAN = 0.4549  # of chi squared with one degree of freedom
# Simulated children 0.98 to 1.09; pixels halved by repeating them 2.3 to 3.7; counts times 3, 3.
_USUAL = 1.5


def excess(pixels: NDArray[Any], fitting: Fitting) -> float:
    """How many times more pixels (rows, columns) vary than counts do; 1 where that is usual.

    Of what stands out on the canvas, its square over the variance that Poisson counts would give it, median over the
    body. Resampling is linear, so that independent counts vary by the squares of its weights.
    """
    down, right = fitting.spread(pixels.shape)
    counts = np.asarray(pixels, dtype=np.float32)
    rows, columns = _standing_out(down), _standing_out(right)
    wanted = rows**2 @ counts @ (columns**2).T
    edge = len(_STANDING_OUT) // 2
    whole = np.asarray(down @ counts @ right.T, dtype=np.float32)
    here = whole[edge : edge + wanted.shape[0], edge : edge + wanted.shape[1]]
    body = (here > BODY_LEVEL * typical(whole)) & (wanted > 0)
    if not body.any():
        return 1.0
    found = float(np.median((rows @ counts @ columns.T)[body] ** 2 / wanted[body]) / _MEDIAN)
    return found if found > _USUAL else 1.0


def _standing_out(shares: Plane) -> Plane:
    count = len(shares) - len(_STANDING_OUT) + 1
    return np.asarray(sum(weight * shares[n : n + count] for n, weight in enumerate(_STANDING_OUT)), dtype=np.float32)
