"""Smooth random fields in millimetres: what makes two simulated patients, and two halves of one, differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

# Mean of the summed squares of the four cubic B-spline weights over a cell, per axis.
_VARIANCE = 0.4794


@dataclass(frozen=True, eq=False)
class SmoothNoise:
    """A field of zero mean and unit variance: cubic B-splines on a lattice of independent normal numbers.

    Args:
        lattice: weights, shape (nz, ny, nx).
        low: position (z, y, x) of the first knot, mm.
        pitch: distance of knots, mm; features are about twice as large.
    """

    lattice: Array
    low: tuple[float, float, float]
    pitch: float

    @classmethod
    def over(cls, rng: np.random.Generator, low: Sequence[float], high: Sequence[float], pitch: float) -> SmoothNoise:
        """A field that covers the box from ``low`` to ``high``, (z, y, x) mm."""
        shape = [int(np.ceil((b - a) / pitch)) + 4 for a, b in zip(low, high, strict=True)]
        start = (low[0] - 1.5 * pitch, low[1] - 1.5 * pitch, low[2] - 1.5 * pitch)
        return cls(rng.standard_normal(shape, dtype=np.float32), start, pitch)

    def on(self, axes: Sequence[Array]) -> Array:
        """Values at the crossings of three coordinate axes (z, y, x), shape (nz, ny, nx)."""
        weights = [self._weights(axis, n) for n, axis in enumerate(axes)]
        field = np.tensordot(weights[0], self.lattice, axes=(1, 0))
        field = np.matmul(weights[1], field)
        return np.asarray(np.matmul(field, weights[2].T), dtype=np.float32)

    def _weights(self, axis: Array, number: int) -> Array:
        knots = self.lattice.shape[number]
        at = np.clip((axis - self.low[number]) / self.pitch, 1, knots - 2.001)
        away = np.abs(at[:, None] - np.arange(knots))
        near = 2 / 3 - away**2 + away**3 / 2
        far = np.clip(2 - away, 0, None) ** 3 / 6
        return np.asarray(np.where(away < 1, near, far) / np.sqrt(_VARIANCE), dtype=np.float32)
