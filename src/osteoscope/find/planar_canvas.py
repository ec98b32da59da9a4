"""What the planar network sees: both views on one canvas that the body fills, free of dose and pixel size.

The posterior view is mirrored onto the anterior, and both are resampled (counts kept) so that the body's box fills
`CANVAS`. Counts over the child's own typical counts, square-rooted so that noise is even; a third plane says how many
counts a typical pixel holds, and so how noisy the picture is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Box = tuple[float, float, float, float]

CANVAS = (416, 192)
# Silhouettes and diffuse disease are drawn at half the canvas' resolution.
HALF = (208, 96)
FILLED = 0.94
BODY_LEVEL = 0.3
BRIGHTEST = 12.0
LEAST_COUNTS = 1e-3
# A view with a smaller share of the other's counts says how noisy both are: its noise would else be foci.
DIMMER = 0.95


@dataclass(frozen=True)
class Fitting:
    """How pixels of the anterior view's geometry lie on the canvas: canvas = scale * pixel + shift, in edges.

    Args:
        scale: canvas elements per pixel.
        down, right: canvas position of the picture's first edge.
    """

    scale: float
    down: float
    right: float

    @classmethod
    def of(cls, box: Box) -> Fitting:
        """Fit a box (first row, past-last row, first column, past-last column) in the middle of the canvas."""
        top, bottom, left, right = box
        scale = FILLED * min(CANVAS[0] / max(bottom - top, 1.0), CANVAS[1] / max(right - left, 1.0))
        return cls(scale, CANVAS[0] / 2 - scale * (top + bottom) / 2, CANVAS[1] / 2 - scale * (left + right) / 2)

    def pixels(self, axis: int, count: int, step: int = 1) -> NDArray[np.int64]:
        """Pixel under the middle of each canvas element (or ``step`` of them), -1 outside of so many pixels."""
        shift = (self.down, self.right)[axis]
        at = (np.arange(CANVAS[axis] // step) + 0.5) * step
        index = np.floor((at - shift) / self.scale).astype(np.int64)
        return np.asarray(np.where((index >= 0) & (index < count), index, -1))

    def on_canvas(self, row: float, column: float) -> tuple[float, float]:
        """Canvas place of a place in the picture; both count from the middle of the first element."""
        return (row + 0.5) * self.scale + self.down - 0.5, (column + 0.5) * self.scale + self.right - 0.5

    def on_picture(self, row: float, column: float) -> tuple[float, float]:
        """Place in the picture of a canvas place, the inverse of `on_canvas`."""
        return (row + 0.5 - self.down) / self.scale - 0.5, (column + 0.5 - self.right) / self.scale - 0.5

    def resample(self, counts: NDArray[Any]) -> Plane:
        """Counts of the picture on the canvas; their sum is kept as far as it lies on it."""
        down, right = self.spread(counts.shape)
        return np.asarray(down @ counts.astype(np.float32) @ right.T, dtype=np.float32)

    def spread(self, shape: tuple[int, ...]) -> tuple[Plane, Plane]:
        """Share of each row of a picture in each row of the canvas, and the same of columns."""
        rows, columns = shape
        return (
            _shares(rows, self.scale, self.down, CANVAS[0]),
            _shares(columns, self.scale, self.right, CANVAS[1]),
        )

    def lay(self, plane: NDArray[Any]) -> NDArray[Any]:
        """A mask at `HALF` resolution (nearest pixel), 0 outside; leading axes are kept."""
        rows, columns = (self.pixels(axis, n, 2) for axis, n in enumerate(plane.shape[-2:]))
        laid = plane[..., rows[:, None], columns[None, :]]
        return np.asarray(laid * ((rows >= 0)[:, None] & (columns >= 0)[None, :]).astype(laid.dtype))


def _shares(count: int, scale: float, shift: float, size: int) -> Plane:
    """Share of each pixel, spread as a hat of twice its width, that falls into each element: (size, count)."""
    at = (np.arange(count) + 0.5) * scale + shift
    u = np.clip((np.arange(size + 1)[:, None] - at[None, :]) / scale, -1, 1)
    below = np.where(u < 0, (1 + u) ** 2 / 2, 1 - (1 - u) ** 2 / 2)
    return np.diff(below, axis=0).astype(np.float32)


def planes(views: Mapping[str, Plane]) -> Plane:
    """Network input (3, *CANVAS) of counts on the canvas; a view that is absent is 0.

    Args:
        views: "anterior", and "posterior" mirrored, counts per canvas element.
    """
    made = np.zeros((3, *CANVAS), dtype=np.float32)
    levels = {name: typical(counts) for name, counts in views.items()}
    for channel, name in enumerate(("anterior", "posterior")):
        if name in views and levels[name] > 0:
            made[channel] = np.sqrt(np.clip(views[name] / levels[name], 0, BRIGHTEST**2)) / 2
    lit = [level for level in levels.values() if level > 0]
    made[2] = np.log(max(min(max(lit), min(lit) / DIMMER) if lit else 0.0, LEAST_COUNTS)) / 2
    return made


def typical(counts: Plane) -> float:
    """Median counts of the body: of the elements above a share of the mean, so that haze and air do not matter."""
    inside = counts[counts > BODY_LEVEL * counts.mean()]
    return float(np.median(inside)) if inside.size else 0.0
