"""Where bone ends: half-way between soft tissue and the bone right there, and at the end plates of its discs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_around import around_spine
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_spine import STEP_MM, SpineLine

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EdgeOptions:
    """Choices of the border of bone.

    Args:
        share: bone ends where HU fall below this share of the way from soft tissue to the bone beside: the half
            maximum, which gives the true width of a cortex wider than the blur of the scan (Prevrhal et al., Phys Med
            Biol 1999;44:751).
        beside: voxels around in which the densest is the bone beside.
        most_hu: above soft tissue; denser bone counts as this, so that metal and enamel take no bone away.
        disc_mm: half of the thickness of a disc is at most this ...
        disc_share: ... and this share of the usual distance of two discs.
        middle_mm: half of the thickness of its middle.
        plate_mm: (least, greatest) distance of its end plates from the middle.
        plate_hu: they are so much denser than the middle, or the disc is not told from marrow.
        beyond_mm: (behind, before) the vertebral body that a disc reaches.
        half_width: of a disc, as a share of the depth of the body.
    """

    share: float = 0.5
    beside: int = 1
    most_hu: float = 600.0
    disc_mm: float = 6.0
    disc_share: float = 0.22
    middle_mm: float = 1.5
    plate_mm: tuple[float, float] = (2.0, 9.0)
    plate_hu: float = 40.0
    beyond_mm: tuple[float, float] = (1.0, 6.0)
    half_width: float = 1.1


def trimmed(bones: BoneMask, options: EdgeOptions = EdgeOptions()) -> BoneMask:
    """Bone without the voxels of its surface that are mostly soft tissue; marrow stays."""
    dense = ndimage.grey_dilation(np.where(bones.bone, bones.smooth, np.int16(AIR)), size=2 * options.beside + 1)
    surface = bones.bone & ~ndimage.binary_erosion(bones.bone, border_value=1) & ~bones.open_marrow
    here, beside = (hu[surface] - bones.soft.hu for hu in (bones.smooth, dense))
    bone = bones.bone.copy()
    bone[surface] = here >= options.share * np.minimum(beside, options.most_hu)
    return replace(bones, bone=bone)


def without_discs(
    bones: BoneMask, vertebrae: Mask, line: SpineLine, discs: Discs, options: EdgeOptions = EdgeOptions()
) -> BoneMask:
    """Bone without the discs of the spine, which are often as dense as marrow, as far as their end plates show.

    Args:
        bones: discs included.
        vertebrae: bool, of the shape of the bone: which voxels may be disc.
        line, discs: of the spine.
        options: see `EdgeOptions`.
    """
    if not vertebrae.any() or not len(discs.places):
        return bones
    voxels, of_disc, away = _in_bodies(vertebrae, bones.frame.step, line, discs, options)
    hu = bones.smooth[tuple(voxels.T)]
    ends = np.array([_end(hu[of_disc == n], away[of_disc == n], options) for n in range(len(discs.places))])
    usual = float(np.median(np.diff(discs.places))) * STEP_MM if len(discs.places) > 1 else np.inf
    soft = (hu < ends[of_disc]) & (away < min(options.disc_mm, options.disc_share * usual))
    place, middle = np.zeros_like(vertebrae), np.zeros_like(vertebrae)
    place[tuple(voxels[soft].T)] = True
    middle[tuple(voxels[soft & (away < options.middle_mm)].T)] = True
    disc = ndimage.binary_propagation(middle, np.ones((3, 3, 3)), place)
    return replace(bones, bone=bones.bone & ~disc)


def _in_bodies(
    vertebrae: Mask, step: float, line: SpineLine, discs: Discs, options: EdgeOptions
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Voxels (n, 3) of the vertebral bodies, the number of the nearest disc, and how far its middle is, mm."""
    around = around_spine(vertebrae, step, line)
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    behind, before = options.beyond_mm
    within = (
        (around.forward > line.wall[nearest] - behind)
        & (around.forward < line.face[nearest] + before)
        & (np.abs(around.side) < options.half_width * line.depth[nearest])
    )
    apart = np.abs(around.along[within, None] - discs.places) * STEP_MM
    return around.voxels[within], np.argmin(apart, axis=1), apart.min(axis=1)


def _end(hu: NDArray[np.int16], away: Floats, options: EdgeOptions) -> float:
    """HU half-way between the middle of a disc and its end plates; -inf where none stand out."""
    layers = np.floor(away).astype(np.intp)
    count = np.bincount(layers)
    mean = np.bincount(layers, hu) / np.maximum(count, 1)
    low, high = (round(mm) for mm in options.plate_mm)
    middle, plates = mean[:low], mean[low:high]
    if not middle.size or not plates.size or not count[:low].all():
        return -np.inf
    least, most = float(middle.min()), float(plates.max())
    return (least + most) / 2 if most - least > options.plate_hu else -np.inf
