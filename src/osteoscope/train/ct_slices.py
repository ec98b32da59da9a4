"""Thick slices from thin ones: what a scanner averages along z, and what interpolation makes of it again."""

from __future__ import annotations

import numpy as np

from osteoscope.find.ct_lesion_windows import STEP_MM, Array

# Clinical CT of bones is read in slices of 1 to 5 mm, that of PET/CT in 3 to 5 mm, at times overlapping.
_THICKNESS_MM, _SHARE_APART = (2.0, 7.0), (0.6, 1.0)


def thick_slices(hu: Array, rng: np.random.Generator) -> Array:
    """A volume [z, y, x] at ``STEP_MM`` as if it had been stored in thicker slices and interpolated linearly."""
    thickness = float(rng.uniform(*_THICKNESS_MM)) / STEP_MM
    every = max(1.0, thickness * float(rng.uniform(*_SHARE_APART)))
    mixed = _mixing(len(hu), thickness, every, float(rng.random()) * every)
    return np.asarray(np.tensordot(mixed, hu, (1, 0)), dtype=np.float32)


def _mixing(count: int, thickness: float, every: float, first: float) -> Array:
    """(count, count): share of each voxel of a column in each voxel of the column made anew."""
    centres = np.arange(first - every, count - 1 + every, every)
    voxels = np.arange(count)
    low, high = centres[:, None] - thickness / 2, centres[:, None] + thickness / 2
    held = np.clip(np.minimum(high, voxels + 0.5) - np.maximum(low, voxels - 0.5), 0, None)
    some = held.sum(axis=1) > 0
    slices = held[some] / held[some].sum(axis=1, keepdims=True)
    between = np.array([np.interp(voxels, centres[some], unit) for unit in np.eye(len(slices))]).T
    return np.asarray(between @ slices, dtype=np.float32)
