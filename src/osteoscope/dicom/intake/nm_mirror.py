"""Is a posterior view kept as seen from behind, or already mirrored?

Both heads see one silhouette from opposite sides, so the posterior view, mirrored, covers the anterior one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Side = Literal["from behind", "mirrored", "unclear"]

# The better side must win by this much in correlation; a choice, see tests/dicom/test_load_mirror.py.
_CLEAR = 0.02
_SMOOTH_PART = 0.012
_SLACK_PART = 0.03


def posterior_side(anterior: NDArray[np.int32], posterior: NDArray[np.int32]) -> tuple[Side, float, float]:
    """How a posterior view lies, with the correlations that speak for "from behind" and for "mirrored".

    Args:
        anterior, posterior: counts [row, column] of one shape.
    """
    front, back = _outlined(anterior), _outlined(posterior)
    behind, mirrored = _likeness(front, back[:, ::-1]), _likeness(front, back)
    if abs(behind - mirrored) < _CLEAR:
        return "unclear", behind, mirrored
    return ("from behind" if behind > mirrored else "mirrored"), behind, mirrored


def _outlined(counts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Square root (even noise), smoothed, capped so that the outline weighs more than hot organs."""
    smooth = ndimage.gaussian_filter(np.sqrt(counts.astype(float)), _SMOOTH_PART * counts.shape[1])
    body = smooth[smooth > 0.1 * smooth.max()]
    return np.asarray(np.minimum(smooth, np.median(body) if body.size else 1.0))


def _likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Best correlation over small sideways shifts."""
    slack = max(1, round(_SLACK_PART * one.shape[1]))
    return max(_correlation(one, np.roll(other, shift, axis=1)) for shift in range(-slack, slack + 1))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / size if size else 0.0
