"""The body of a vertebra and its end plates, from the mask alone; positions in millimetres (LPS).

Shares of sizes and bounds are conventions of this program.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.errors import UnsuitableStudyError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
UP, LEFT = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
# In radii of the largest ball in the body. The corner where an end plate meets the wall is 0.5 * sqrt(2) from the core:
# reached less far, end plates lose their rims, by how much hanging on the last voxel of a mask. Planes are laid through
# end plates out to 1.4, most of their width: with masks of a real L3 that are one voxel larger here and smaller there
# the axis then leans by 2 degrees (root mean square), by 3.4 through 1.1 alone.
_CORE, _REACH, _PLATE = 0.5, 0.75, 1.4
# Of the ball's radius and of the height (mm): from a collapsed body of the neck to a tall one of the loins. A body
# farther than so many radii from the middle of its mask is one side of a ring.
_RADIUS_MM, _HEIGHT_MM, _ASIDE = (3.5, 25.0), (6.0, 45.0), 1.0


@dataclass(frozen=True, eq=False)
class VertebralBody:
    """A vertebral body.

    Args:
        mask: its voxels.
        axis: unit vector to the head, at right angles to the end plates on average.
        upper, lower: centres of the end plates.
        radius: of the largest ball within it, mm.
    """

    mask: Mask
    axis: Floats
    upper: Floats
    lower: Floats
    radius: float


def vertebral_body(mask: Mask, grid: Grid, site: str) -> VertebralBody:
    """What lies around the core: bone deeper than half the radius of the largest inscribed ball.

    Raises:
        UnsuitableStudyError: the mask holds no body.
    """
    depth = edt.edt(mask, anisotropy=grid.spacing, black_border=True)
    radius, asked = float(depth.max()), f"find the body of {site}"
    if not _RADIUS_MM[0] <= radius <= _RADIUS_MM[1]:
        found = f"a ball of {radius:.1f} mm radius where the body should be"
        raise UnsuitableStudyError(asked, found, "Check its mask: the whole vertebra and nothing else")
    body, middle = _body(depth, grid.spacing)
    places = grid.to_position(np.argwhere(body))
    centre = grid.to_position(middle)
    aside = float(abs((centre - grid.to_position(np.argwhere(mask)).mean(axis=0)) @ LEFT))
    if aside > _ASIDE * radius:
        found = f"its thickest part {aside:.0f} mm beside the middle of its mask"
        raise UnsuitableStudyError(asked, found, "Check its mask and its name")
    axis = UP
    for _ in range(3):
        upper, lower = _plates(places, centre, axis, _PLATE * radius)
        axis = upper[1] + lower[1]
        axis /= np.linalg.norm(axis)
    height = float((upper[0] - lower[0]) @ axis)
    fits = 0.35 * radius < height < 6 * radius and _HEIGHT_MM[0] <= height <= _HEIGHT_MM[1]
    if not fits or axis @ UP < 0.5:
        found = f"end plates {height:.0f} mm apart in a body of {radius:.0f} mm radius"
        raise UnsuitableStudyError(f"find the end plates of {site}", found, "Check its mask")
    return VertebralBody(body, axis, upper[0], lower[0], radius)


def _body(depth: NDArray[np.float32], spacing: tuple[float, ...]) -> tuple[Mask, Floats]:
    """The body, and its middle (index)."""
    peak = np.array(np.unravel_index(int(np.argmax(depth)), depth.shape))
    radius = float(depth.max())
    core = depth > _CORE * radius
    labels, _ = ndimage.label(core)
    core = labels == labels[tuple(peak)]
    reach = edt.edt(~core, anisotropy=spacing, black_border=False) <= _REACH * radius
    return reach & (depth > 0), np.argwhere(core).mean(axis=0)


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
