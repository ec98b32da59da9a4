"""Where the child is on the planar views, and how the views lie on each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.signal import correlate
from skimage.filters import threshold_li
from skimage.segmentation import watershed

from osteoscope.domain.study import Study

Mask = NDArray[np.bool_]
Array = NDArray[np.float64]

_EVEN = 1e-6  # rounding alone; a picture that differs no more is grey all over


@dataclass(frozen=True)
class BodyOptions:
    """Choices of outline and pairing (engineering choices, no published source).

    Args:
        elements: the long side of an image is binned to about so many elements.
        smoothing: standard deviation of the smoothing, in elements.
        edge: the body's edge lies near this share of the way from background to median body counts.
        core, rim: times the root of that level, surely body and surely outside.
        least_share: a separate piece smaller than this share of the largest is no part of the body.
        reach: the views may be shifted against each other by this share of the image.
    """

    elements: int = 400
    smoothing: float = 1.4
    edge: float = 0.4
    core: float = 1.2
    rim: float = 0.8
    least_share: float = 0.02
    reach: float = 0.1


@dataclass(frozen=True, eq=False)
class Outline:
    """The body on one view.

    Args:
        mask: [row, column] of elements, True on the body.
        seen: True within the field of view: an edge that cuts the body off is its border.
        bin: rows and columns of the image in one element.
    """

    mask: Mask
    seen: Mask
    bin: int


@dataclass(frozen=True)
class Lay:
    """How a view lies in the common frame: frame (row, column) is view (row + down, column).

    Args:
        down: elements.
        across: where it is given, the view is mirrored and the column is ``across - column``.
    """

    down: int = 0
    across: int | None = None

    def of(self, points: Array) -> Array:
        """View positions, in elements, of frame positions; and the reverse for a mirrored view or down = 0."""
        columns = points[:, 1] if self.across is None else self.across - points[:, 1]
        return np.stack([points[:, 0] + self.down, columns], axis=1)


@dataclass(frozen=True, eq=False)
class Frame:
    """Both views in one frame: that of the anterior view, or of a lone posterior view mirrored.

    Args:
        edge: [row, column] signed distance to the body's edge in elements, negative inside, mean of the views.
        seen: True within the field of view of any view.
        bin: rows and columns of an image in one element.
        lays: how each view lies in it.
        agreement: overlap over union of the two outlines once laid on each other; None with one view.
    """

    edge: Array
    seen: Mask
    bin: int
    lays: Mapping[str, Lay]
    agreement: float | None


def outline(counts: NDArray[Any], options: BodyOptions) -> Outline:
    """The body on a view.

    A first level is that of minimum cross entropy (Li and Lee 1993) on clipped counts, so that neither a hot
    organ nor the dose moves it. The edge then runs where the root of the counts changes fastest between
    surely body and surely outside, so that haze around a hot organ does not swell the body.
    """
    size = max(1, round(max(counts.shape) / options.elements))
    roots = np.sqrt(ndimage.gaussian_filter(binned(counts, size), options.smoothing))
    if np.ptp(roots) <= _EVEN * roots.max():
        return Outline(np.zeros(roots.shape, dtype=bool), np.ones(roots.shape, dtype=bool), size)
    level = _edge_level(roots**2, options.edge)
    markers = np.where(roots > options.core * level, 2, np.where(roots < options.rim * level, 1, 0))
    slope = ndimage.gaussian_gradient_magnitude(np.minimum(roots, 2 * level), 0.7)
    mask = _main_pieces(watershed(slope, markers) == 2, options.least_share)
    return Outline(mask, _field(binned(counts, size) > 0), size)


def binned(counts: NDArray[Any], size: int) -> Array:
    """Counts summed over squares of ``size`` pixels; an incomplete last row or column is left out."""
    rows, columns = (n // size for n in counts.shape)
    whole = np.maximum(counts[: rows * size, : columns * size], 0).astype(float)
    return np.asarray(whole.reshape(rows, size, columns, size).sum(axis=(1, 3)))


@lru_cache(maxsize=2)
def outlines(study: Study, options: BodyOptions = BodyOptions()) -> Mapping[str, Outline]:
    """The body on each view that shows one; kept, since the network and the caveats both ask for it."""
    found = {view: outline(image.values, options) for view, image in study.images.items()}
    return MappingProxyType({view: body for view, body in found.items() if body.mask.any()})


@lru_cache(maxsize=2)
def frame(study: Study, options: BodyOptions = BodyOptions()) -> Frame | None:
    """The body on all views of a study; None where there is no body on any."""
    found = outlines(study, options)
    if not found:
        return None
    base = found.get("anterior") or found["posterior"]
    lays = {"anterior": Lay()} if "anterior" in found else {}
    if "posterior" in found:
        flipped = found["posterior"].mask[:, ::-1]
        down, right = _shift(base.mask, flipped, options.reach) if len(found) == 2 else (0, 0)
        lays["posterior"] = Lay(down, flipped.shape[1] - 1 - right)
    masks = [_laid(found[view].mask, lay, base.mask.shape) for view, lay in lays.items()]
    seen = [_laid(found[view].seen, lay, base.mask.shape) for view, lay in lays.items()]
    agreement = float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()) if len(masks) == 2 else None
    edge = np.mean([signed_distance(mask) for mask in masks], axis=0)
    return Frame(edge, np.any(seen, axis=0), base.bin, lays, agreement)


def signed_distance(mask: Mask) -> Array:
    """Distance to the edge of a mask in elements, negative inside."""
    outside, inside = ndimage.distance_transform_edt(~mask), ndimage.distance_transform_edt(mask)
    return np.asarray(outside - inside)


def _laid(view: NDArray[Any], lay: Lay, shape: tuple[int, ...]) -> NDArray[Any]:
    rows = np.arange(shape[0]) + lay.down
    columns = np.arange(shape[1]) if lay.across is None else lay.across - np.arange(shape[1])
    inside = [(index >= 0) & (index < n) for index, n in zip((rows, columns), view.shape, strict=True)]
    laid = np.zeros(shape, dtype=view.dtype)
    laid[np.ix_(*inside)] = view[np.ix_(rows[inside[0]], columns[inside[1]])]
    return laid


def _edge_level(counts: Array, edge: float) -> float:
    bright = counts[counts > counts.mean()]
    first = threshold_li(np.minimum(counts, np.percentile(bright, 75)))
    low, high = np.median(counts[counts <= first]), np.median(counts[counts > first])
    return float(np.sqrt(low + edge * (high - low)))


def _main_pieces(mask: Mask, least_share: float) -> Mask:
    labels, _ = ndimage.label(ndimage.binary_opening(mask))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((sizes > least_share * sizes.max())[labels])


def _field(counted: Mask) -> Mask:
    rows, columns = (np.flatnonzero(counted.any(axis=axis)) for axis in (1, 0))
    field = np.zeros(counted.shape, dtype=bool)
    field[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return field


def _shift(anterior: Mask, posterior: Mask, reach: float) -> tuple[int, int]:
    overlap = correlate(posterior.astype(float), anterior.astype(float), mode="full", method="fft")
    zero = [n - 1 for n in anterior.shape]
    window = [max(2, round(reach * n)) for n in anterior.shape]
    near = overlap[tuple(slice(max(0, z - w), z + w + 1) for z, w in zip(zero, window, strict=True))]
    best = np.unravel_index(np.argmax(near), near.shape)
    down, right = (int(b) - min(z, w) for b, z, w in zip(best, zero, window, strict=True))
    return down, right
