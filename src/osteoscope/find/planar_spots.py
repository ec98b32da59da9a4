"""Hot places on one planar view: peaks of contrast, parted into basins, confluent ones joined."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from osteoscope.find.planar_body import Array, Mask
from osteoscope.find.planar_organs import quiet_organ
from osteoscope.find.planar_views import NOWHERE, SpotOptions, View

Indices = NDArray[np.int64]
_COLUMN = ("thoracic_spine", "lumbar_spine", "sacrum")


@dataclass(frozen=True, eq=False)
class Spot:
    """A hot place on one view.

    Args:
        view: its view.
        mask: its elements, down to half of each peak.
        peaks: (n, 2) elements of its peaks, that of greatest contrast first.
        contrast, significance: greatest of its peaks.
    """

    view: View
    mask: Mask
    peaks: Indices
    contrast: float
    significance: float

    @property
    def peak(self) -> tuple[int, int]:
        """(row, column) element of greatest contrast."""
        return int(self.peaks[0, 0]), int(self.peaks[0, 1])

    @cached_property
    def place(self) -> tuple[float, float] | None:
        """(to the patient's left, down) of the peak from C7/T1 in mm, None without the body's coordinates."""
        at = self.view.axes
        if at is None:
            return None
        across, along = at.trunk_coordinates(np.asarray(self.peak[0]), np.asarray(self.peak[1]))
        scale = at.trunk * self.view.counts.element
        return float(across) * scale, float(along) * scale

    @property
    def organ(self) -> str | None:
        """The organ of lesser uptake that is expected here, if any; on the spine of the trunk, none."""
        spine = [mask for unit, mask in self.view.units.items() if unit in _COLUMN]
        if self.view.axes is None or any(mask[self.peak] for mask in spine):
            return None
        return quiet_organ(self.view.axes, *self.peak)

    def is_large(self, options: SpotOptions) -> bool:
        """Whether it is too large or too long for a focus."""
        element = self.view.counts.element
        spread = np.cov(np.argwhere(self.mask).T * element, bias=True)
        length = 4 * np.sqrt(np.linalg.eigvalsh(spread)[-1])
        return bool(self.mask.sum() * element**2 > options.diffuse_area or length > options.diffuse_length)

    def unit(self, options: SpotOptions) -> str:
        """The nearest bone, the smaller of two that overlap; "soft_tissue" out of reach of all."""
        names, distances = self.view.near
        here = distances[:, self.peak[0], self.peak[1]] if names else np.asarray([NOWHERE])
        return names[int(np.argmin(here))] if here.min() <= options.reach else "soft_tissue"

    def units(self, options: SpotOptions) -> tuple[str, ...]:
        """The bones that hold a peak and enough of a large place."""
        names, distances = self.view.near
        if not names:
            return ("soft_tissue",)
        nearest = np.where(distances.min(axis=0) <= options.reach, distances.argmin(axis=0), len(names))
        share = np.bincount(nearest[self.mask], minlength=len(names) + 1) / self.mask.sum()
        held = set(nearest[tuple(self.peaks.T)].tolist())
        every = (*names, "soft_tissue")
        return tuple(every[n] for n in sorted(held) if share[n] >= options.least_share)


def find_spots(view: View, options: SpotOptions) -> list[Spot]:
    """Hot places of a view."""
    hot = (view.contrast > options.contrast / 2) & (view.organ_distance > options.halo)
    distance = max(1, round(options.apart / view.counts.element))
    peaks = peak_local_max(view.contrast, distance, options.contrast, exclude_border=False)
    at = tuple(peaks.T)
    peaks = peaks[hot[at] & (view.counts.significance[at] >= options.significance)]
    if not len(peaks):
        return []
    high = view.contrast[tuple(peaks.T)]
    markers = np.zeros(hot.shape, dtype=int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    basins = watershed(-view.contrast, markers, mask=hot)
    cores = basins * (view.contrast >= np.concatenate([[np.inf], 0.5 * high])[basins])
    groups = _joined(cores, view.contrast, high, options)
    return [_spot(view, cores, peaks, np.flatnonzero(groups == k)) for k in np.unique(groups)]


def _spot(view: View, cores: Indices, peaks: Indices, members: Indices) -> Spot:
    own = peaks[members]
    own = own[np.argsort(-view.contrast[tuple(own.T)])]
    at = tuple(own.T)
    sure = float(view.counts.significance[at].max())
    return Spot(view, np.isin(cores, members + 1), own, float(view.contrast[at].max()), sure)


def _joined(cores: Indices, contrast: Array, high: Array, options: SpotOptions) -> Indices:
    """Group of each basin (numbered from 1 in ``cores``): neighbours with a shallow saddle are one group."""
    passes = np.zeros((len(high), len(high)))
    for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        a, b = cores[one], cores[other]
        touch = (a != b) & (a > 0) & (b > 0)
        np.maximum.at(passes, (a[touch] - 1, b[touch] - 1), np.minimum(contrast[one], contrast[other])[touch])
    passes = np.maximum(passes, passes.T)
    lower, higher = np.minimum.outer(high, high), np.maximum.outer(high, high)
    alike = (passes > options.saddle * lower) & (lower > options.alike * higher)
    groups: Indices = connected_components(alike, directed=False)[1]
    return groups
