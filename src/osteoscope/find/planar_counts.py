"""Contrast of each place of a planar view against normal tissue, indifferent to dose, time and pixel size.

The haze of scatter and septal penetration is estimated from the counts outside the body and taken off. What is
left is divided by the share of full body depth under it (near the outline there is less tissue), and compared
with a background: a low quantile of the surrounding body. Significance is that of Poisson counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import nnls
from skimage.filters import rank
from skimage.morphology import disk

from osteoscope.find.planar_body import Array, Mask, Outline, binned


@dataclass(frozen=True)
class CountOptions:
    """Choices of the contrast maps (engineering choices, no published source), in mm.

    Args:
        element: images are binned to about this pixel size.
        fine, broad: standard deviation of the smoothing that looks for foci, for diffuse uptake.
        near, far: radius of the surroundings of a focus, of diffuse uptake.
        quantile: of the surroundings, taken as background.
        rise: depth of tissue under the outline's edge: counts reach 63 % of their full value so far inside.
        muscle_quantile: of the whole body, taken as the level of muscle.
        haze: standard deviations of the blurs of the body's counts that make up the haze.
        haze_share: of the fitted haze, taken off.
        haze_from, haze_to: distance outside the body at which it is measured.
    """

    element: float = 2.4
    fine: float = 4.5
    broad: float = 6.0
    near: float = 24.0
    far: float = 45.0
    quantile: float = 0.4
    rise: float = 18.0
    muscle_quantile: float = 0.2
    haze: tuple[float, ...] = (30.0, 80.0)
    haze_share: float = 0.6
    haze_from: float = 12.0
    haze_to: float = 160.0


@dataclass(frozen=True, eq=False)
class Counts:
    """Maps of one view on elements of ``bin`` pixels, all [row, column].

    Args:
        body: True on the child.
        level: counts per full depth, muscle = 1, smoothed for diffuse uptake.
        background: of ``level``, from far surroundings.
        contrast: of a focus over near surroundings: 0 none, 1 twice the background.
        significance: of that contrast in standard deviations of Poisson noise.
        bin: rows and columns of the image in one element.
        element: size of an element in mm.
    """

    body: Mask
    level: Array
    background: Array
    contrast: Array
    significance: Array
    bin: int
    element: float


def count_maps(counts: NDArray[Any], found: Outline, pixel: float, options: CountOptions) -> Counts:
    """The maps of a view.

    Args:
        counts: [row, column].
        found: the body on it.
        pixel: size of a pixel in mm, or the best guess of it.
        options: see `CountOptions`.
    """
    size = max(1, round(options.element / pixel))
    element = size * pixel
    whole = binned(counts, size)
    body = _resized(found.mask, whole.shape, found.bin / size)
    depth = (1 - np.exp(-(ndimage.distance_transform_edt(body) * element + 4) / options.rise)) * body
    own = (whole - options.haze_share * haze(whole, body, element, options)) * body

    def smooth(counted: Array, width: float) -> Array:
        under = np.maximum(ndimage.gaussian_filter(depth, width / element), 0.05)
        return np.asarray(np.maximum(ndimage.gaussian_filter(counted, width / element), 0) / under)

    fine, broad = smooth(own, options.fine), smooth(own, options.broad)
    muscle = max(float(np.quantile(broad[body], options.muscle_quantile)) if body.any() else 1.0, 1e-6)
    near, far = (
        _surroundings(broad / muscle, body, r / element, options.quantile) for r in (options.near, options.far)
    )
    noise = np.sqrt(smooth(whole * body, options.fine) / (4 * np.pi * (options.fine / element) ** 2)) / muscle
    noise /= np.sqrt(np.maximum(ndimage.gaussian_filter(depth, options.fine / element), 0.05))
    fine /= muscle
    return Counts(
        body,
        np.where(body, broad / muscle, 0.0),
        far,
        np.where(body, fine / near - 1, 0.0),
        np.where(body, (fine - near) / np.maximum(noise, 1e-6), 0.0),
        size,
        element,
    )


def haze(counts: Array, body: Mask, element: float, options: CountOptions) -> Array:
    """Counts that do not come from where they lie: constant and wide blurs of the body, fitted outside of it."""
    away = ndimage.distance_transform_edt(~body) * element
    outside = (away > options.haze_from) & (away < options.haze_to)
    blurs = [ndimage.gaussian_filter(counts * body, width / element) for width in options.haze]
    parts = np.stack([np.ones_like(counts), *blurs], axis=-1)
    if outside.sum() < 10 * parts.shape[-1]:
        return np.zeros_like(counts)
    shares, _ = nnls(parts[outside][::3], counts[outside][::3])
    return np.asarray(parts @ shares)


def _resized(mask: Mask, shape: tuple[int, ...], factor: float) -> Mask:
    index = [
        np.clip(((np.arange(n) + 0.5) / factor).astype(int), 0, m - 1) for n, m in zip(shape, mask.shape, strict=True)
    ]
    soft = ndimage.gaussian_filter(mask[np.ix_(*index)].astype(float), 0.5 * factor)
    return np.asarray(soft > 0.5)


def _surroundings(level: Array, body: Mask, radius: float, quantile: float) -> Array:
    """Quantile of the body within the radius, on a coarse grid of square-root levels (at least 0.4 of muscle)."""
    step = max(1, round(radius / 5))
    inside = body[::step, ::step]
    roots = np.clip(np.sqrt(level[::step, ::step]) * 50, 0, 255).astype(np.uint8)
    found = rank.percentile(roots, disk(max(1, round(radius / step))), mask=inside.astype(np.uint8), p0=quantile)
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    filled = ndimage.gaussian_filter(((found / 50.0) ** 2)[tuple(nearest)], 1.0)
    places = np.mgrid[: level.shape[0], : level.shape[1]] / step
    return np.asarray(np.maximum(ndimage.map_coordinates(filled, places, order=1, mode="nearest"), 0.4))
