"""Bone parted into named parts: sure places first, then grown along bone, joints last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

Labels = NDArray[np.int32]
Box = tuple[slice, ...]


@dataclass(frozen=True)
class PartingOptions:
    """Choices of the parting.

    Args:
        bright_hu: brightness above this does not draw a part any further.
    """

    bright_hu: int = 400


def grow_parts(
    hu: NDArray[np.int16], bone: NDArray[np.bool_], seeds: Labels, options: PartingOptions = PartingOptions()
) -> Labels:
    """Labels over ``bone`` grown from ``seeds`` (0 = none), brightest bone first, so that fronts meet in dark joints.

    Bone that no seed reaches stays 0.
    """
    box = _box(bone)
    if box is None or not seeds.any():
        return np.zeros(bone.shape, dtype=np.int32)
    darkness = options.bright_hu - np.clip(hu[box], -200, options.bright_hu)
    grown = np.zeros(bone.shape, dtype=np.int32)
    grown[box] = watershed(darkness, markers=np.where(bone[box], seeds[box], 0), mask=bone[box], connectivity=1)
    return grown


def _box(mask: NDArray[np.bool_]) -> Box | None:
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if any(not len(span) for span in spans):
        return None
    return tuple(slice(int(span[0]), int(span[-1]) + 1) for span in spans)
