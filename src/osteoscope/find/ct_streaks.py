"""Streaks beside metal: as bright as bone, where the bones network sees none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_frame import Frame

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class StreakOptions:
    """Choices, looked at on a real hip prosthesis: of what they take away there, one part in nine is true bone.

    Args:
        least_ml: of metal that throws streaks; clips and sutures throw short ones.
        reach_mm: streaks are looked for so far from it.
        bone: chance of bone, 0..1, ...
        near_mm: ... that a voxel of bone has somewhere within this distance along each axis.
    """

    least_ml: float = 0.5
    reach_mm: float = 40.0
    bone: float = 0.5
    near_mm: float = 3.0


def streaks(frame: Frame, metal: Mask, chance: NDArray[np.uint8], options: StreakOptions = StreakOptions()) -> Mask:
    """Where metal may make bone of soft tissue: near it, and away from all that a network holds for bone.

    Args:
        frame: the working frame.
        metal: implants, of its shape [z, y, x].
        chance: of bone in 1/255, by a network.
        options: see `StreakOptions`.
    """
    if np.count_nonzero(metal) * frame.cell_ml < options.least_ml:
        return np.zeros_like(metal)
    seen = ndimage.maximum_filter(chance, 2 * frame.voxels(options.near_mm) + 1) >= 255 * options.bone
    return np.asarray(frame.near(metal, options.reach_mm) & ~seen)
