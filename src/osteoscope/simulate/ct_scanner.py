"""From true HU to what a scanner reconstructs: sharpness, slice profile, correlated noise, streaks, integers.

The beam's spectrum (hardening, metal) is left out. Kernels and noise laws are chosen for the look of body CT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter1d

from osteoscope.domain.geometry import Grid
from osteoscope.simulate.ct_implicit import Array

Kernel = Literal["soft", "standard", "sharp"]
FILL_HU = -1024


@dataclass(frozen=True)
class Sharpness:
    """Blur of the image, edge overshoot (share), grain of the noise; standard deviations in mm."""

    blur: float
    overshoot: float
    grain: float


KERNELS: Mapping[Kernel, Sharpness] = {
    "soft": Sharpness(0.70, 0.0, 0.85),
    "standard": Sharpness(0.55, 0.0, 0.60),
    "sharp": Sharpness(0.32, 0.5, 0.30),
}


@dataclass(frozen=True)
class Scanner:
    """How to scan.

    Args:
        noise_hu: standard deviation of the noise in the middle of an average slice.
        slice_mm: width of the slice profile; None for the slice distance.
        circle: fill what lies outside the inscribed circle with -1024 HU.
    """

    kernel: Kernel = "standard"
    noise_hu: float = 14.0
    slice_mm: float | None = None
    circle: bool = False


def scan(hu: Array, grid: Grid, scanner: Scanner, rng: np.random.Generator) -> NDArray[np.int16]:
    """Reconstructed HU on the same grid; ``hu`` is used up."""
    sharp = KERNELS[scanner.kernel]
    _blur(hu, grid, sharp.blur)
    if sharp.overshoot:
        smooth = hu.copy()
        _blur(smooth, grid, 0.9)
        hu += np.float32(sharp.overshoot) * (hu - smooth)
    _slices(hu, grid.spacing[0], scanner.slice_mm or grid.spacing[0])
    loudness, streaks = _noise_laws(hu, grid)
    hu += np.float32(scanner.noise_hu) * loudness * _grain(grid, sharp.grain, rng)
    if streaks.any():
        lines = rng.standard_normal(grid.shape, dtype=np.float32)
        gaussian_filter1d(lines, 14 / grid.spacing[2], axis=2, output=lines, truncate=2.5)
        hu += np.float32(scanner.noise_hu) * streaks * lines / lines.std()
    np.rint(hu, out=hu)
    np.clip(hu, FILL_HU, 3071, out=hu)
    reconstructed = hu.astype(np.int16)
    if scanner.circle:
        reconstructed[:, ~_inscribed(grid)] = FILL_HU
    return reconstructed


def _blur(hu: Array, grid: Grid, sigma_mm: float) -> None:
    for axis in (1, 2):
        gaussian_filter1d(hu, sigma_mm / grid.spacing[axis], axis=axis, output=hu, mode="nearest", truncate=3)


def _slices(hu: Array, distance: float, width: float) -> None:
    """Average over the part of the slice profile that is wider than the slice distance."""
    extra = (width / distance - 1) / 2
    if extra <= 0.02:
        return
    reach = int(np.ceil(extra))
    taps = np.ones(2 * reach + 1)
    taps[0] = taps[-1] = extra - (reach - 1)
    correlate1d(hu, (taps / taps.sum()).astype(np.float32), axis=0, output=hu, mode="nearest")


def _noise_laws(hu: Array, grid: Grid) -> tuple[Array, Array]:
    """Noise rises towards the middle of thick slices, and streaks along rows that attenuate much."""
    water = np.clip((hu[:, ::2, ::2] + 1000) / 1000, 0, 2.5)
    row = water.sum(axis=2) * grid.spacing[2] * 2
    rows = np.repeat(row, 2, axis=1)[:, : grid.shape[1]]
    thick = np.sort(rows, axis=1)[:, -max(2, grid.shape[1] // 5) :].mean(axis=1)
    level = np.clip(thick / 300, 0.4, 1.6) ** 0.8
    y = (np.arange(grid.shape[1]) - (grid.shape[1] - 1) / 2) * grid.spacing[1]
    x = (np.arange(grid.shape[2]) - (grid.shape[2] - 1) / 2) * grid.spacing[2]
    centre = np.exp(-((y[:, None] / 110) ** 2) - (x[None, :] / 150) ** 2)
    loudness = level[:, None, None] * (0.5 + 0.5 * centre)[None]
    streaks = np.clip((rows - 400) / 160, 0, 1.6)[:, :, None]
    return loudness.astype(np.float32), streaks.astype(np.float32)


def _grain(grid: Grid, sigma_mm: float, rng: np.random.Generator) -> Array:
    """Band-limited noise of unit variance: filtered back-projection has none at frequency zero."""
    noise = rng.standard_normal(grid.shape, dtype=np.float32)
    _blur(noise, grid, sigma_mm)
    coarse = noise.copy()
    _blur(coarse, grid, 3.0 * sigma_mm)
    noise -= np.float32(0.75) * coarse
    return np.asarray(noise / noise.std(), dtype=np.float32)


def _inscribed(grid: Grid) -> NDArray[np.bool_]:
    rows, columns = ((np.arange(n) - (n - 1) / 2) * d for n, d in zip(grid.shape[1:], grid.spacing[1:], strict=True))
    radius = max(n * d for n, d in zip(grid.shape[1:], grid.spacing[1:], strict=True)) / 2
    return np.asarray(rows[:, None] ** 2 + columns[None, :] ** 2 <= radius**2)
