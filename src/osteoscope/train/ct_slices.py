"""Coarse voxels from fine ones: what a scanner averages, and what interpolation makes of it again."""

from __future__ import annotations

import numpy as np

from osteoscope.find.ct_lesion_windows import STEP_MM, Array

# Clinical CT of bones is read in slices of 1 to 5 mm, that of PET/CT in 3 to 5 mm, at times overlapping.
_THICKNESS_MM, _SHARE_APART = (2.0, 7.0), (0.6, 1.0)
# Pixels of a CT that was stored anew, as on the grid of its PET, and the noise of each, HU.
_PIXEL_MM, _NOISE_HU = (1.3, 3.6), (0.0, 30.0)


def thick_slices(hu: Array, rng: np.random.Generator) -> Array:
    """A volume [z, y, x] at ``STEP_MM`` as if it had been stored in thicker slices and interpolated linearly."""
    thickness = float(rng.uniform(*_THICKNESS_MM)) / STEP_MM
    every = max(1.0, thickness * float(rng.uniform(*_SHARE_APART)))
    averaged, between = _stored(len(hu), thickness, every, rng)
    return np.asarray(np.tensordot(between @ averaged, hu, (1, 0)), dtype=np.float32)


def coarse_pixels(hu: Array, rng: np.random.Generator) -> Array:
    """A volume [z, y, x] at ``STEP_MM`` as if it had been stored in larger, noisy pixels and interpolated linearly."""
    pixel = float(rng.uniform(*_PIXEL_MM)) / STEP_MM
    (rows, by_row), (columns, by_column) = (_stored(count, pixel, pixel, rng) for count in hu.shape[1:])
    kept = rows @ hu @ columns.T
    kept += np.float32(rng.uniform(*_NOISE_HU)) * rng.standard_normal(kept.shape, dtype=np.float32)
    return np.asarray(by_row @ kept @ by_column.T, dtype=np.float32)


def _stored(count: int, width: float, every: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """For a line of voxels: (stored, count), what each stored value averages, and (count, stored), the way back."""
    first = float(rng.random()) * every
    centres = np.arange(first - every, count - 1 + every, every)
    voxels = np.arange(count)
    low, high = centres[:, None] - width / 2, centres[:, None] + width / 2
    held = np.clip(np.minimum(high, voxels + 0.5) - np.maximum(low, voxels - 0.5), 0, None)
    some = held.sum(axis=1) > 0
    averaged = held[some] / held[some].sum(axis=1, keepdims=True)
    between = np.array([np.interp(voxels, centres[some], unit) for unit in np.eye(len(averaged))]).T
    return averaged.astype(np.float32), between.astype(np.float32)
