"""Arrays turned to the patient without resampling: slices to the head, rows to the back, columns to the left."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid

Mask = NDArray[np.bool_]


def upright(grid: Grid, *masks: Mask) -> tuple[tuple[float, ...], tuple[Mask, ...]]:
    """Masks of one volume with axes swapped and flipped to the nearest of (z, y, x) of the patient (LPS).

    Returns:
        Spacing in mm of the turned axes, and the turned masks.
    """
    towards = grid.matrix[:3, :3] / np.linalg.norm(grid.matrix[:3, :3], axis=0)
    wanted = (2, 1, 0)
    axes = max(
        itertools.permutations(range(3)),
        key=lambda order: sum(abs(towards[w, a]) for w, a in zip(wanted, order, strict=True)),
    )
    flips = tuple(n for n, (w, a) in enumerate(zip(wanted, axes, strict=True)) if towards[w, a] < 0)
    return tuple(grid.spacing[a] for a in axes), tuple(np.flip(m.transpose(axes), flips) for m in masks)
