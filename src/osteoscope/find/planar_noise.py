"""Whether pixels are as noisy as the counts that they claim: images are stored scaled, added up, enlarged or smoothed.

The network judges a focus by the noise that belongs to its counts. Where pixels vary more than counts do, that would
call noise a focus; where less, foci would be taken for noise.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter1d

from osteoscope.find.planar_canvas import BODY_LEVEL, Fitting, Plane, typical

# What stands out of its neighbours by pairs of canvas elements, about the size of a focus.
_STANDING_OUT = np.array([-0.25, -0.25, 0.5, 0.5, -0.25, -0.25], dtype=np.float32)
_MEDIAN = 0.4549  # of chi squared with one degree of freedom
# Simulated children 0.98 to 1.09; pixels halved by repeating them 2.3 to 3.7; counts times 3, 3.
_USUAL = 1.5
# Little noise is left to go by: children smoothed by 0.8 pixels 1.0 to 1.7, pixels halved by interpolation 3.7 to 4.8.
_USUAL_SMOOTHED = 2.0

# Smoothing shows in how much the bend over so many pixels varies: curvature of the body itself hardly does, unless
# pixels are coarse. Then the finest noise tells: pixels that were smoothed, or repeated, do not bend as counts do.
_STEPS = (1, 2, 3)
_BLOCK = 12  # pixels
_SIGMAS = np.arange(0, 2.51, 0.05)  # pixels
_LEAST_SIGMA = 0.45  # simulated children seem smoothed by up to 0.4, for what is not noise in them
_ROUNDING = 1 / 12  # variance of a number rounded to a whole one


def excess(pixels: NDArray[Any], fitting: Fitting) -> float:
    """How many times more pixels (rows, columns) vary than counts smoothed as much do; 1 where that is usual.

    Of what stands out on the canvas, its square over the variance that Poisson counts would give it, median over the
    body. Smoothing and resampling are linear, so that independent counts vary by the squares of their weights.
    """
    counts = np.asarray(pixels, dtype=np.float32)
    plain = _varying(counts, fitting, (0.0, 0.0))
    raw = 1 / _USUAL <= finest(counts) <= _USUAL and plain <= _USUAL_SMOOTHED
    sigmas = (0.0, 0.0) if raw else (smoothing(counts, 0), smoothing(counts, 1))
    least, most = (0.0, _USUAL_SMOOTHED) if any(sigmas) else (1 / _USUAL, _USUAL)
    found = _varying(counts, fitting, sigmas) if any(sigmas) else plain
    return 1.0 if least <= found <= most else found


def _varying(counts: Plane, fitting: Fitting, sigmas: tuple[float, float]) -> float:
    """How many times more pixels vary than counts smoothed by these sigmas do, down and across; 1 without a body."""
    down, right = fitting.spread(counts.shape)
    rows, columns = _standing_out(down), _standing_out(right)
    squares = [_smoothed(plane, sigma) ** 2 for plane, sigma in zip((rows, columns), sigmas, strict=True)]
    wanted = squares[0] @ counts @ squares[1].T
    if any(sigmas):
        wanted += _ROUNDING * np.outer((rows**2).sum(axis=1), (columns**2).sum(axis=1))
    edge = len(_STANDING_OUT) // 2
    whole = np.asarray(down @ counts @ right.T, dtype=np.float32)
    here = whole[edge : edge + wanted.shape[0], edge : edge + wanted.shape[1]]
    body = (here > BODY_LEVEL * typical(whole)) & (wanted > 0)
    if not body.any():
        return 1.0
    return float(np.median((rows @ counts @ columns.T)[body] ** 2 / wanted[body]) / _MEDIAN)


def finest(counts: Plane) -> float:
    """How many times more pixels bend, down and across over one pixel, than counts do; median over the body, 1 without.

    Simulated children 0.97 to 1.10, with pixels summed up to 10 mm 0.92 to 1.20.
    """
    bend = np.array([-1.0, 2.0, -1.0])
    found, wanted = (correlate1d(correlate1d(counts, kernel, 0), kernel, 1) for kernel in (bend, bend**2))
    body = (wanted > BODY_LEVEL * typical(wanted)) & (wanted > 0)
    return float(np.median(found[body] ** 2 / wanted[body]) / _MEDIAN) if body.any() else 1.0


def smoothing(counts: Plane, axis: int) -> float:
    """Sigma in pixels of the Gaussian along an axis that would leave noise as alike from pixel to pixel; 0 for none.

    Noise smoothed so bends less over one pixel than over three (second differences), whatever its strength.
    """
    if min(counts.shape) < _BLOCK + 2 * _STEPS[-1]:
        return 0.0
    along = np.moveaxis(counts, axis, 0)
    bends = np.array([_bend(along, step) for step in _STEPS])
    if not np.isfinite(bends).all():
        return 0.0
    expected = _expected_bends()
    strength = expected @ bends / (expected**2).sum(axis=1)
    off = ((bends - strength[:, None] * expected) ** 2).sum(axis=1)
    sigma = float(_SIGMAS[off.argmin()])
    return sigma if sigma >= _LEAST_SIGMA else 0.0


def _bend(counts: Plane, step: int) -> float:
    """Variance of second differences over that of Poisson counts, median over blocks of the body; nan without one."""
    before, here, after = counts[: -2 * step], counts[step:-step], counts[2 * step :]
    mean, found = _blocks(here), _blocks((before - 2 * here + after) ** 2) - 6 * _ROUNDING
    body = mean > BODY_LEVEL * typical(mean)
    return float(np.median(found[body] / _blocks(before + 4 * here + after)[body])) if body.any() else np.nan


def _blocks(plane: Plane) -> Plane:
    rows, columns = (count // _BLOCK for count in plane.shape)
    parts = plane[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(parts.mean(axis=(1, 3)))


@cache
def _expected_bends() -> NDArray[np.float64]:
    """What `_bend` is of white noise of variance 1 after each of `_SIGMAS`, shape (sigmas, steps)."""
    point = np.zeros((1, 41))
    point[0, 20] = 1
    blurs = [_smoothed(point, sigma)[0] for sigma in _SIGMAS]
    alike = np.array([np.correlate(blur, blur, "full")[40:] for blur in blurs])
    return np.stack([(6 * alike[:, 0] - 8 * alike[:, k] + 2 * alike[:, 2 * k]) / 6 for k in _STEPS], axis=1)


def _smoothed(rows: NDArray[Any], sigma: float) -> NDArray[Any]:
    return np.asarray(gaussian_filter1d(rows, sigma, axis=1, mode="constant", truncate=6)) if sigma else rows


def _standing_out(shares: Plane) -> Plane:
    count = len(shares) - len(_STANDING_OUT) + 1
    return np.asarray(sum(weight * shares[n : n + count] for n, weight in enumerate(_STANDING_OUT)), dtype=np.float32)
