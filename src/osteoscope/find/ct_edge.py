"""Where bone ends: half-way between soft tissue and the bone right there, and at the end plates of its discs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Box
from osteoscope.find.ct_around import around_spine
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_spine import STEP_MM, SpineLine

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EdgeOptions:
    """Choices of the border of bone.

    Args:
        share: bone ends where HU fall below this share of the way from soft tissue to the bone beside: the half
            maximum, which gives the true width of a cortex wider than the blur of the scan (Prevrhal et al., Phys Med
            Biol 1999;44:751).
        beside: voxels around in which the densest is the bone beside.
        most_hu: above soft tissue; denser bone counts as this, so that metal and enamel take no bone away.
        disc_beside: the same as ``beside`` around discs: to the end plates.
        disc_most_hu: the same as ``most_hu``: end plates.
        disc_mm: half of the thickness of a disc is at most this ...
        disc_share: ... and this share of the usual distance of two discs.
        disc_middle_mm: half of the thickness of its middle, from which it is followed to its plates.
        beyond_mm: (behind, before) the vertebral body that a disc reaches.
        half_width: of a disc, as a share of the depth of the body.
    """

    share: float = 0.5
    beside: int = 1
    most_hu: float = 600.0
    disc_beside: int = 3
    disc_most_hu: float = 300.0
    disc_mm: float = 6.0
    disc_share: float = 0.22
    disc_middle_mm: float = 1.5
    beyond_mm: tuple[float, float] = (1.0, 6.0)
    half_width: float = 1.1


def trimmed(bones: BoneMask, options: EdgeOptions = EdgeOptions()) -> BoneMask:
    """Bone without the voxels of its surface that are mostly soft tissue; marrow stays."""
    low = _mostly_soft(bones.smooth, bones.bone, bones.soft.hu, options.share, (options.beside, options.most_hu))
    surface = bones.bone & ~ndimage.binary_erosion(bones.bone, border_value=1)
    return replace(bones, bone=bones.bone & ~(surface & low & ~bones.open_marrow))


def without_discs(
    bones: BoneMask, vertebrae: Mask, line: SpineLine, discs: Discs, options: EdgeOptions = EdgeOptions()
) -> BoneMask:
    """Bone without the discs of the spine, which are often as dense as marrow.

    Args:
        bones: discs included.
        vertebrae: bool, of the shape of the bone: which voxels may be disc.
        line, discs: of the spine.
        options: see `EdgeOptions`.
    """
    box = next(iter(ndimage.find_objects(vertebrae.view(np.uint8))), None)
    if box is None or not len(discs.places):
        return bones
    slab, middle = _near_discs(vertebrae[box], box, bones.frame.step, (line, discs), options)
    plates = options.disc_beside, options.disc_most_hu
    low = _mostly_soft(bones.smooth[box], vertebrae[box], bones.soft.hu, options.share, plates)
    bone = bones.bone.copy()
    bone[box] &= ~ndimage.binary_propagation(middle & low, np.ones((3, 3, 3)), slab & low)
    return replace(bones, bone=bone)


def _mostly_soft(
    hu: NDArray[np.int16], bone: Mask, soft: float, share: float, beside: tuple[int, float]
) -> Mask:  # fmt: skip
    """Where HU are nearer to soft tissue than to the densest bone beside: (voxels around, most HU above soft)."""
    around, most = beside
    dense = ndimage.grey_dilation(np.where(bone, hu, np.int16(AIR)), size=2 * around + 1)
    return np.asarray(hu - soft < share * np.minimum(dense - soft, most))


def _near_discs(
    bone: Mask, box: Box, step: float, spine: tuple[SpineLine, Discs], options: EdgeOptions
) -> tuple[Mask, Mask]:
    """Voxels of a box that may be disc, and those in the middle of one."""
    line, discs = spine
    around = around_spine(bone, step, line, tuple(s.start for s in box))
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    within = (
        (around.forward > line.wall[nearest] - options.beyond_mm[0])
        & (around.forward < line.face[nearest] + options.beyond_mm[1])
        & (np.abs(around.side) < options.half_width * line.depth[nearest])
    )
    away = np.min(np.abs(around.along[:, None] - discs.places), axis=1) * STEP_MM
    usual = float(np.median(np.diff(discs.places))) * STEP_MM if len(discs.places) > 1 else np.inf
    found = []
    for limit in (min(options.disc_mm, options.disc_share * usual), options.disc_middle_mm):
        mask = np.zeros(bone.shape, dtype=bool)
        mask[tuple((around.voxels[within & (away < limit)]).T)] = True
        found.append(mask)
    return found[0], found[1]
