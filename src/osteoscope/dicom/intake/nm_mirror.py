"""Is a posterior view kept as seen from behind, or already mirrored?

Both heads see one silhouette from opposite sides. What is asymmetric about it (pose, place in the field, arms,
organs) is therefore mirrored between the views of a camera, and equal where the posterior one was flipped.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Side = Literal["from behind", "mirrored", "unclear"]

# A choice: 24 simulated children gave 0.94 to 1.00 (0.59 with heads 2 pixels apart), one real adult 0.92.
_CLEAR = 0.5
# Below this share of the whole, asymmetry is noise.
_ASYMMETRIC = 0.02
_SMOOTH_PART = 0.012
_BODY_PART = 0.1


def posterior_side(anterior: NDArray[np.int32], posterior: NDArray[np.int32]) -> tuple[Side, float]:
    """How a posterior view lies, and how its asymmetry agrees: 1 from behind, -1 mirrored, 0 no relation.

    Args:
        anterior, posterior: counts [row, column] of one shape, heads up.
    """
    front, back = _outlined(anterior), _outlined(posterior)[:, ::-1]
    front_part, back_part = front - front[:, ::-1], back - back[:, ::-1]
    size = float(np.linalg.norm(front_part) * np.linalg.norm(back_part))
    whole = float(np.linalg.norm(front) * np.linalg.norm(back))
    if size <= 4 * _ASYMMETRIC**2 * whole:
        return "unclear", 0.0
    agreement = float((front_part * back_part).sum()) / size
    if abs(agreement) < _CLEAR:
        return "unclear", agreement
    return ("from behind" if agreement > 0 else "mirrored"), agreement


def _outlined(counts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Square root (even noise), smoothed, capped so that the outline weighs more than hot organs."""
    smooth = ndimage.gaussian_filter(np.sqrt(counts.astype(float)), _SMOOTH_PART * counts.shape[1])
    body = smooth[smooth > _BODY_PART * smooth.max()]
    return np.asarray(np.minimum(smooth, np.median(body) if body.size else 1.0))
