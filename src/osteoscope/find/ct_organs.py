"""Organs beside bone that contrast agent made as bright as marrow: even tissue where the bones network sees no bone."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_bone_borders import Axes
from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bones import BoneMask

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class OrganOptions:
    """Choices, made so that of twelve simulated scans eleven lost no true bone: lost bone is worse than extra bone.

    Args:
        above_hu: above the threshold of bone; an organ stays below, a cortex does not.
        depth_mm: half thickness from which it has a core; spongy bone between its walls is thinner, or within.
        chance: greatest chance of bone, 0..1, of the voxels of a cell in which a core may lie.
        least_ml: smallest core.
        rim_mm: an organ reaches so far beyond the thickness of its core.
    """

    above_hu: float = 60.0
    depth_mm: float = 2.5
    chance: float = 0.5
    least_ml: float = 0.3
    rim_mm: float = 1.6


def organs(bones: BoneMask, seen: Seen, axes: Axes, options: OrganOptions = OrganOptions()) -> Mask:
    """The part of ``bones`` that is none; what its walls alone make bone (marrow, eaten bone) is never among it.

    Args:
        bones: bone of the working frame.
        seen: what the network says of each cell.
        axes: the cell of each voxel along z, y and x.
        options: see `OrganOptions`.
    """
    step = (bones.frame.step,) * 3
    dull = bones.bone & ~bones.open_marrow & (bones.smooth < bones.threshold + options.above_hu)
    unseen = ~seen.bone_cells(options.chance)[np.ix_(*axes)]
    cores = (edt.edt(dull, anisotropy=step) > options.depth_mm) & unseen
    least = max(1, round(options.least_ml / bones.frame.cell_ml))
    cores = cc3d.dust(cores, least, connectivity=26).astype(bool)
    if not cores.any():
        return np.zeros_like(dull)
    return np.asarray(dull & bones.frame.near(cores, options.depth_mm + options.rim_mm))
