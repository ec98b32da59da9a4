"""Other proportions for a simulated child: long or short, broad or narrow in each part, leaning and bent sideways.

Some also move while the camera sweeps, so that rows shift against each other.

A few hundred bodies share the habits of whoever built them. Stretching the expected picture row by row, with
everything that is known of it, shows the network bodies that no builder thought of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from osteoscope.find.planar_canvas import Fitting
from osteoscope.simulate.motion import row_motion

Floats = NDArray[np.float64]

_KNOTS = 8
_LENGTH, _WIDTH, _BUILD = 0.15, 0.06, 0.09  # standard deviations of logarithms
_ASIDE = 0.012  # of the picture's length, standard deviation at each knot
_MOVES, _FURTHEST = 0.2, 0.012  # share of children; of the picture's length


@dataclass(frozen=True, eq=False)
class Proportions:
    """Where each element of the new picture lies in the old one.

    Args:
        rows: (H,) old row of each new row, increasing.
        middle: (H,) old column of the new picture's middle column.
        width: (H,) old columns per new column.
        columns: W.
    """

    rows: Floats
    middle: Floats
    width: Floats
    columns: int

    @classmethod
    def random(cls, shape: tuple[int, ...], rng: np.random.Generator) -> Proportions:
        """Proportions for a picture of that shape."""
        length, columns = shape
        steps = np.exp(_smooth(rng.normal(0, _LENGTH, _KNOTS), length))
        rows = np.cumsum(steps) - steps / 2
        aside = _smooth(rng.normal(0, _ASIDE * length, _KNOTS), length)
        if rng.random() < _MOVES:
            aside += row_motion(rng, length, _FURTHEST * length)
        width = np.exp(_smooth(rng.normal(0, _WIDTH, _KNOTS), length) + rng.normal(0, _BUILD))
        return cls(rows * (length / steps.sum()) - 0.5, (columns - 1) / 2 + aside - aside.mean(), width, columns)

    def picture(self, views: NDArray[np.float32]) -> NDArray[np.float32]:
        """Expected counts (..., H, W) in the new proportions, linearly between elements, 0 from outside."""
        above, share = _between(self.rows, views.shape[-2])
        share = share[:, None].astype(np.float32)
        stretched = views[..., above, :] * (1 - share) + views[..., above + 1, :] * share
        at = self._old_columns(np.arange(self.columns))
        left, share = _between(at, self.columns)
        row = np.arange(len(self.rows))[:, None]
        share = share.astype(np.float32)
        inside = (at > -0.5) & (at < self.columns - 0.5)
        return np.asarray((stretched[..., row, left] * (1 - share) + stretched[..., row, left + 1] * share) * inside)

    def lay(self, fitting: Fitting, plane: NDArray[Any]) -> NDArray[Any]:
        """A mask (..., H, W) of the old picture at half the canvas' resolution, as `Fitting.lay` of the new one."""
        rows, columns = (fitting.pixels(axis, n, 2) for axis, n in enumerate(plane.shape[-2:]))
        laid, inside = self._nearest(plane, rows, columns)
        return np.asarray(laid * (inside & (rows >= 0)[:, None] & (columns >= 0)[None, :]).astype(laid.dtype))

    def mask(self, plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask (H, W) in the new proportions."""
        laid, inside = self._nearest(plane, *(np.arange(n) for n in plane.shape))
        return np.asarray(laid & inside)

    def place(self, row: float, column: float) -> tuple[float, float]:
        """New place of an old one."""
        new = float(np.interp(row, self.rows, np.arange(len(self.rows))))
        middle, width = (float(np.interp(new, np.arange(len(self.rows)), of)) for of in (self.middle, self.width))
        return new, (column - middle) / width + (self.columns - 1) / 2

    def _nearest(
        self, plane: NDArray[Any], rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        down = np.clip(np.rint(self.rows[rows]), 0, plane.shape[-2] - 1).astype(np.int64)
        right = np.rint(self._old_columns(columns)[rows]).astype(np.int64)
        inside = (right >= 0) & (right < self.columns)
        return plane[..., down[:, None], np.clip(right, 0, self.columns - 1)], inside

    def _old_columns(self, columns: NDArray[np.int64]) -> Floats:
        return np.asarray(self.middle[:, None] + self.width[:, None] * (columns - (self.columns - 1) / 2)[None, :])


def _smooth(knots: Floats, length: int) -> Floats:
    along = np.interp(np.arange(length), np.linspace(0, length - 1, len(knots)), knots)
    return np.asarray(gaussian_filter1d(along, length / (2 * len(knots)), mode="nearest"))


def _between(at: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    first = np.clip(np.floor(at), 0, count - 2).astype(np.int64)
    return first, np.clip(at - first, 0, 1)
