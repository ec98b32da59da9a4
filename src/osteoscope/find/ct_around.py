"""Where a voxel lies as seen from the spine: along it, before it and beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.find.ct_spine import SpineLine

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Around:
    """Bone voxels in coordinates of the spine.

    Args:
        voxels: [n, 3] indices in the working frame.
        along: [n] nearest point of the spine line; negative below its end, beyond its length above.
        forward: [n] mm from the canal to the belly.
        side: [n] mm to the patient's left.
    """

    voxels: NDArray[np.intp]
    along: Floats
    forward: Floats
    side: Floats


def around_spine(bone: NDArray[np.bool_], spacing: float, line: SpineLine) -> Around:
    """Coordinates of all set voxels with respect to the spine; the line goes on straight beyond its ends."""
    voxels = np.argwhere(bone)
    place = voxels * spacing
    _, nearest = cKDTree(line.points).query(place)
    offset = place - line.points[nearest]
    beyond = (offset * line.up[nearest]).sum(axis=1)
    at_end = (nearest == 0) | (nearest == line.length - 1)
    return Around(
        voxels,
        nearest + np.where(at_end, beyond, 0.0),
        (offset * line.front[nearest]).sum(axis=1),
        (offset * line.left[nearest]).sum(axis=1),
    )
