"""The body without the table, and how its soft tissue looks on this scan."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_frame import Frame

_COARSE = 2  # the outline is sought on every second voxel


@dataclass(frozen=True)
class BodyOptions:
    """Choices of the body outline; all of them design choices.

    Args:
        tissue_hu: lung and air lie below, fat and denser tissue above.
        table_radius_mm: sheets thinner than twice this (table, clothes, cables) are not body.
        least_ml: smallest separate piece (a hand beside the trunk) that counts as body.
    """

    tissue_hu: int = -250
    table_radius_mm: float = 6.0
    least_ml: float = 60.0


@dataclass(frozen=True)
class SoftTissue:
    """Muscle and organs of one scan.

    Args:
        hu: their most frequent HU, higher with contrast agent.
        noise: standard deviation of the noise in the working frame, HU.
    """

    hu: float
    noise: float


def body_mask(frame: Frame, options: BodyOptions = BodyOptions()) -> NDArray[np.bool_]:
    """The patient, lungs and gas included, bool [z, y, x]; table and clothes are left out."""
    small = frame.hu[::_COARSE, ::_COARSE, ::_COARSE]
    tissue = small > options.tissue_hu
    step = frame.step * _COARSE
    core = _depth(tissue, step) > options.table_radius_mm
    sizes = cc3d.dust(core, max(1, int(options.least_ml * 1000 / step**3)), connectivity=6)
    if not sizes.any():
        return np.ones(frame.hu.shape, dtype=bool)
    grown = (_distance_to(sizes, step) <= options.table_radius_mm * 1.5) & tissue
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in grown])
    return _upsample(filled, frame.hu.shape)


def soft_tissue(frame: Frame, body: NDArray[np.bool_]) -> SoftTissue:
    """The soft-tissue peak between 0 and 130 HU and the noise, from local differences along x."""
    inside = frame.hu[body]
    counts = np.bincount(np.clip(inside, -1, 130) + 1, minlength=132)[1:-1].astype(float)
    if counts.sum() < 100:
        return SoftTissue(50.0, 15.0)
    peak = float(np.argmax(ndimage.gaussian_filter1d(counts, 6.0)))
    plane = frame.hu[:: max(1, frame.hu.shape[0] // 40)].astype(np.float32)
    flat = (plane[..., 1:-1] > 0) & (plane[..., 1:-1] < 130)
    difference = (plane[..., 1:-1] - (plane[..., :-2] + plane[..., 2:]) / 2)[flat]
    # variance of a - (b + c) / 2 is 1.5 times that of independent noise
    return SoftTissue(peak, float(1.4826 * np.median(np.abs(difference)) / np.sqrt(1.5)))


def _depth(mask: NDArray[np.bool_], step: float) -> NDArray[np.float32]:
    return np.asarray(edt.edt(mask, anisotropy=(step,) * 3, black_border=False))


def _distance_to(mask: NDArray[np.bool_], step: float) -> NDArray[np.float32]:
    return _depth(~mask, step)


def _upsample(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    for axis in range(3):
        mask = np.repeat(mask, _COARSE, axis=axis)
    return mask[tuple(slice(0, n) for n in shape)]
