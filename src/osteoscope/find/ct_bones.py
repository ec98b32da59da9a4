"""The bone mask of a CT, which needs no trained model: threshold, contrast agent taken out, marrow filled."""

from __future__ import annotations

from dataclasses import dataclass, field

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_body import BodyOptions, SoftTissue, body_mask, soft_tissue
from osteoscope.find.ct_contrast import ContrastOptions, contrast_mask
from osteoscope.find.ct_enclosed import ALL_DIRECTIONS, walls_met
from osteoscope.find.ct_frame import OUTSIDE, Frame, smoothed
from osteoscope.find.ct_hollows import HollowOptions, hollows
from osteoscope.find.ct_streaks import StreakOptions, streaks

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskOptions:
    """Choices of the bone mask; design choices, checked against automatic labels of real scans.

    Args:
        spacing_mm: of the working frame; cortex of 1 mm still shows at 1.5 mm.
        above_soft_hu: bone begins this far above the soft-tissue peak ...
        above_soft_noise: ... or this many standard deviations of the noise, whichever is more.
        seed_hu: a piece counts as bone where it reaches this far above the soft-tissue peak.
        seed_mm: bright voxels farther than this from such a place are cartilage or contrast agent.
        smooth_per_noise_mm: width (sigma) of smoothing, per HU of noise, so that noise makes no bone.
        smooth_most_mm: its upper limit.
        metal_hu: voxels above are metal; dense cortex and enamel stay below about 2500 HU.
        reach_mm: marrow lies within this distance of cortex; half of the widest vertebral body.
        walls: of 26 directions, how many must meet bone for a voxel to be marrow.
        least_ml: smaller separate pieces are calcifications or noise.
        lone_ml: pieces below this and farther than ``lone_mm`` from larger bone are calcifications or stones.
        lone_mm: see ``lone_ml``.
    """

    spacing_mm: float = 1.5
    above_soft_hu: float = 65.0
    above_soft_noise: float = 3.0
    seed_hu: float = 160.0
    seed_mm: float = 12.0
    smooth_per_noise_mm: float = 0.05
    smooth_most_mm: float = 1.5
    metal_hu: int = 2600
    reach_mm: float = 24.0
    walls: int = 23
    least_ml: float = 0.2
    lone_ml: float = 2.0
    lone_mm: float = 10.0
    body: BodyOptions = field(default_factory=BodyOptions)
    contrast: ContrastOptions = field(default_factory=ContrastOptions)
    streaks: StreakOptions = field(default_factory=StreakOptions)
    hollows: HollowOptions = field(default_factory=HollowOptions)


@dataclass(frozen=True, eq=False)
class BoneMask:
    """Bone of one scan in the working frame.

    Args:
        frame: the working frame.
        smooth: HU with noise smoothed away, int16 [z, y, x].
        bone: cortex, trabecular bone and marrow.
        open_marrow: the part of ``bone`` that only its walls make bone.
        metal: implants.
        body: the patient's outline, filled.
        soft: soft tissue of this scan.
        threshold: HU above which unenclosed voxels counted as bone.
    """

    frame: Frame
    smooth: NDArray[np.int16]
    bone: Mask
    open_marrow: Mask
    metal: Mask
    body: Mask
    soft: SoftTissue
    threshold: float


def bone_mask(frame: Frame, options: MaskOptions = MaskOptions(), chance: NDArray[np.uint8] | None = None) -> BoneMask:
    """Every bone of the scan, marrow included; table, contrast agent, stones and metal left out.

    Args:
        frame: the working frame.
        options: see `MaskOptions`.
        chance: of bone in 1/255 of each voxel, by a network, which keeps bone that looks like contrast agent, and takes
            away streaks of metal that look like bone.
    """
    body = body_mask(frame, options.body)
    soft = soft_tissue(frame, body)
    smooth = _denoised(frame, soft, options)
    threshold = soft.hu + max(options.above_soft_hu, options.above_soft_noise * _residual(soft, options))
    dense = _hysteresis(smooth, body, threshold, soft.hu + options.seed_hu, frame, options)
    metal = ndimage.binary_dilation(frame.hu > options.metal_hu, iterations=1) & body
    dense &= ~metal
    dense &= ~contrast_mask(frame, smooth, dense, options.contrast, chance)
    if chance is not None:
        dense &= ~streaks(frame, metal, chance, options.streaks)
    dense = _without_stones(dense, frame, options)
    marrow = _marrow(dense, frame, options)
    marrow |= hollows(dense | marrow, frame, options.hollows)
    marrow &= body & ~metal
    return BoneMask(frame, smooth, dense | marrow, marrow, metal, body, soft, threshold)


def _denoised(frame: Frame, soft: SoftTissue, options: MaskOptions) -> NDArray[np.int16]:
    sigma = min(options.smooth_most_mm, soft.noise * options.smooth_per_noise_mm)
    return smoothed(frame, sigma) if sigma > 0.3 * frame.step else frame.hu  # narrower changes nothing


def _residual(soft: SoftTissue, options: MaskOptions) -> float:
    """Noise left after smoothing: white noise falls with sigma to the power 3/2, a half is a safe bound."""
    return soft.noise / 2 if soft.noise * options.smooth_per_noise_mm >= 1 else soft.noise


def _hysteresis(hu: NDArray[np.int16], body: Mask, low: float, high: float, frame: Frame, options: MaskOptions) -> Mask:
    seeds = (hu > high) & body
    pieces = cc3d.connected_components((hu > low) & body & frame.near(seeds, options.seed_mm), connectivity=26)
    keep = np.zeros(int(pieces.max()) + 1, dtype=bool)
    keep[np.unique(pieces[seeds])] = True
    keep[0] = False
    return np.asarray(keep[pieces])


def _without_stones(dense: Mask, frame: Frame, options: MaskOptions) -> Mask:
    pieces = cc3d.connected_components(dense, connectivity=26)
    sizes = np.bincount(pieces.ravel()) * frame.cell_ml
    sizes[0] = 0
    large = (sizes >= options.lone_ml)[pieces]
    if not large.any():
        return np.asarray((sizes >= options.least_ml)[pieces])
    away = edt.edt(~large, anisotropy=(frame.step,) * 3)
    small = (pieces > 0) & ~large
    nearest = np.full(sizes.size, np.inf)
    np.minimum.at(nearest, pieces[small], away[small])
    keep = (sizes >= options.lone_ml) | ((sizes >= options.least_ml) & (nearest <= options.lone_mm))
    return np.asarray(keep[pieces])


def _marrow(dense: Mask, frame: Frame, options: MaskOptions) -> Mask:
    """Voxels walled in by bone; the edge of the scan closes a bone that it cuts."""
    wall = dense.copy()
    wall[[0, -1]] |= ndimage.binary_closing(dense[[0, -1]], np.ones((1, 5, 5)), iterations=2)
    met = walls_met(wall | _beyond(frame, dense), frame.voxels(options.reach_mm), ALL_DIRECTIONS)
    return np.asarray((met >= options.walls) & ~dense)


def _beyond(frame: Frame, dense: Mask) -> Mask:
    """Places outside the scan right above or below it."""
    return np.asarray((frame.hu == OUTSIDE) & ~dense)
