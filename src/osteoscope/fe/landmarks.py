"""Axes and landmarks of a vertebra and of a femur, from the mask alone; positions in millimetres (LPS).

A hand may correct them: every load takes the landmarks as they are given. Shares of sizes are conventions of this
program unless a source is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
UP, LEFT = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
# In radii of the largest ball in the body. The corner where an end plate meets the wall is 0.5 * sqrt(2) from the core:
# reached less far, end plates lose their rims, by how much hanging on the last voxel of a mask. Planes are laid through
# end plates out to 1.4, most of their width: with masks of a real L3 that are one voxel larger here and smaller there
# the axis then leans by 2 degrees (root mean square), by 3.4 through 1.1 alone.
_CORE, _REACH, _PLATE = 0.5, 0.75, 1.4


@dataclass(frozen=True)
class VertebraMarks:
    """A vertebral body.

    Args:
        axis: unit vector to the head, at right angles to the end plates on average.
        centre: of the body.
        upper, lower: centres of the end plates.
        radius: of the largest ball within the body, mm.
        body: voxels of the body, on the bone's crop.
    """

    axis: Floats
    centre: Floats
    upper: Floats
    lower: Floats
    radius: float
    body: Mask

    @property
    def height(self) -> float:
        """Between the end plates at the middle, mm."""
        return float((self.upper - self.lower) @ self.axis)


def vertebra_marks(bone: Bone) -> VertebraMarks:
    """The body is what lies around the core: bone deeper than half the radius of the largest inscribed ball.

    Raises:
        UnsuitableStudyError: the mask holds no body, or it is cut by the field of view.
    """
    if bone.cut.any():
        raise UnsuitableStudyError(
            f"load {bone.site}", f"{int(bone.cut.sum())} voxels of it at the edge of the field of view",
            "Give a CT that shows the whole vertebra",
        )  # fmt: skip
    depth = edt.edt(bone.mask, anisotropy=bone.grid.spacing, black_border=True)
    body, middle, radius = _body(depth, bone.grid.spacing)
    places = bone.grid.to_position(np.argwhere(body))
    centre = bone.grid.to_position(middle)
    axis = UP
    for _ in range(3):
        upper, lower = _plates(places, centre, axis, _PLATE * radius)
        axis = upper[1] + lower[1]
        axis /= np.linalg.norm(axis)
    top, bottom = upper[0], lower[0]
    height = float((top - bottom) @ axis)
    if not 0.35 * radius < height < 6 * radius or axis @ UP < 0.5:
        found = f"end plates {height:.0f} mm apart in a body of {radius:.0f} mm radius"
        raise UnsuitableStudyError(f"find the end plates of {bone.site}", found, "Check its mask")
    return VertebraMarks(axis, (top + bottom) / 2, top, bottom, radius, body)


def _body(depth: NDArray[np.float32], spacing: tuple[float, ...]) -> tuple[Mask, Floats, float]:
    """The body, its middle (index) and the radius of the largest ball in the bone."""
    peak = np.array(np.unravel_index(int(np.argmax(depth)), depth.shape))
    radius = float(depth.max())
    core = depth > _CORE * radius
    labels, _ = ndimage.label(core)
    core = labels == labels[tuple(peak)]
    reach = edt.edt(~core, anisotropy=spacing, black_border=False) <= _REACH * radius
    return reach & (depth > 0), np.argwhere(core).mean(axis=0), radius


def _plates(places: Floats, centre: Floats, axis: Floats, within: float) -> tuple[tuple[Floats, Floats], ...]:
    """(point under the centre, normal) of planes through the highest and the lowest voxels around the centre."""
    across = LEFT - (LEFT @ axis) * axis
    across /= np.linalg.norm(across)
    turn = np.stack([across, np.cross(axis, across), axis], axis=1)
    x, y, z = ((places - centre) @ turn).T
    near = np.hypot(x, y) <= within
    cells = np.round(np.column_stack([x[near], y[near]]) / 2.0)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    cell = cell.ravel()
    middle = [np.bincount(cell, v) / np.bincount(cell) for v in (x[near], y[near])]
    planes = []
    for sign in (1.0, -1.0):
        ends = np.full(cell.max() + 1, -np.inf)
        np.maximum.at(ends, cell, sign * z[near])
        design = np.column_stack([*middle, np.ones(len(ends))])
        kept = np.ones(len(ends), bool)
        for _ in range(4):
            a, b, c = np.linalg.lstsq(design[kept], sign * ends[kept], rcond=None)[0]
            off = np.abs(design @ (a, b, c) - sign * ends)
            kept = off <= max(1.0, 2.5 * float(np.median(off)))
        normal = np.array([-a, -b, 1.0])
        planes.append((centre + c * turn[:, 2], turn @ (normal / np.linalg.norm(normal))))
    return tuple(planes)
