"""How large a lesion is: volume, axes on the slices, greatest diameter.

Axes follow RECIST 1.1: the longest diameter on an axial slice as acquired, and the longest one perpendicular to it on
the same slice; of a volume stored otherwise, on the plane of voxels that is nearest to axial. Intervals are
those of a boundary that lies half a voxel further in or out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case
from osteoscope.measure.place import part_on_ct

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_AXIS = "between outer voxel centres plus one voxel, on one slice as acquired; +-1/2 voxel at each end"
_AXIAL = "between outer voxel centres plus one voxel, on one axial plane of {} slices; +-1/2 voxel at each end"
_STORED = ("sagittal", "coronal", "axial")
_DIAMETER = "between outer voxel centres plus one voxel; +-1/2 voxel at each end"
_VOLUME = "voxel count; boundary +-1/2 voxel"


@dataclass(frozen=True)
class _Length:
    """A straight length in mm with the voxel's width along it."""

    value: float
    voxel: float

    def measure(self, name: str, method: str) -> Measure:
        return Measure(name, self.value, "mm", method, (max(0.0, self.value - self.voxel), self.value + self.voxel))


def size(case: Case, finding: Finding) -> tuple[Measure, ...]:
    """volume (mL), long_axis, short_axis and max_diameter (mm) of a finding on CT.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    part, image = part_on_ct(case, finding)
    return size_of_mask(part.mask, image.grid)


def size_of_mask(mask: Mask, grid: Grid) -> tuple[Measure, ...]:
    """The same of a mask [slice, row, column] with the axes of a grid."""
    across = _axial_axis(grid)
    long, short = _axes(np.moveaxis(mask, across, 0), np.delete(grid.matrix[:3, :3], across, axis=1))
    method = _AXIS if across == 0 else _AXIAL.format(_STORED[int(np.argmax(np.abs(grid.matrix[:3, 0])))])
    return (
        _volume(mask, grid.cell),
        long.measure("long_axis", method),
        short.measure("short_axis", method),
        _diameter(mask, grid).measure("max_diameter", _DIAMETER),
    )


def _volume(mask: Mask, cell: float) -> Measure:
    """Half of the step to the mask eroded (dilated) by one voxel is the shift by half a voxel."""
    padded = np.pad(mask, 1)
    count, less, more = (
        int(np.count_nonzero(m)) for m in (padded, ndimage.binary_erosion(padded), ndimage.binary_dilation(padded))
    )
    low, value, high = (n * cell / 1000 for n in ((count + less) / 2, count, (count + more) / 2))
    return Measure("volume", value, "mL", _VOLUME, (low, high))


def _axial_axis(grid: Grid) -> int:
    """The array axis whose planes are nearest to axial: the one that runs the most along the patient."""
    along = np.abs(grid.matrix[2, :3]) / np.asarray(grid.spacing)
    return int(np.argmax(along))


def _axes(mask: Mask, plane: Floats) -> tuple[_Length, _Length]:
    """The longest diameter over all planes of the first axis and the longest perpendicular to it.

    Args:
        mask: [plane, row, column].
        plane: mm of a step along rows and columns, shape (3, 2).
    """
    best, place = _Length(-1.0, 0.0), 0
    ends = np.zeros((2, 3))
    for number in np.flatnonzero(mask.any(axis=(1, 2))):
        points = np.argwhere(mask[number] & ~ndimage.binary_erosion(mask[number])) @ plane.T
        length, pair = _longest(points, plane)
        if length.value > best.value:
            best, place, ends = length, int(number), pair
    points = np.argwhere(mask[place]) @ plane.T
    return best, _perpendicular(points, ends, plane)


def _longest(points: Floats, edges: Floats) -> tuple[_Length, Floats]:
    """The longest distance between points, one voxel added, and its two ends."""
    outer = _hull(points)
    apart = cdist(outer, outer)
    first, second = np.unravel_index(int(np.argmax(apart)), apart.shape)
    pair = outer[[first, second]]
    direction = pair[1] - pair[0] if apart.max() > 0 else edges[:, int(np.argmax(np.linalg.norm(edges, axis=0)))]
    voxel = _voxel_along(direction, edges)
    return _Length(float(apart.max()) + voxel, voxel), pair


def _hull(points: Floats) -> Floats:
    """Corners of the convex hull in the space that the points span; the points themselves where it is flat."""
    centred = points - points.mean(axis=0)
    _, spread, basis = np.linalg.svd(centred, full_matrices=False)
    flat = centred @ basis[spread > 1e-6 * max(float(spread.max(initial=0)), 1e-12)].T
    if flat.shape[1] < 2 or len(points) <= flat.shape[1] + 1:
        return points
    try:
        return np.asarray(points[ConvexHull(flat).vertices])
    except QhullError:
        return points


def _voxel_along(direction: Floats, edges: Floats) -> float:
    """Width of a voxel in a direction: that of the ellipsoid with the voxel's edges as axes."""
    unit = direction / np.linalg.norm(direction)
    lengths = np.linalg.norm(edges, axis=0)
    return float(1 / np.sqrt((((edges / lengths).T @ unit / lengths) ** 2).sum()))


def _perpendicular(points: Floats, ends: Floats, plane: Floats) -> _Length:
    """The longest chord across the long axis, in steps of one voxel along it."""
    along = ends[1] - ends[0]
    if not np.linalg.norm(along):
        along = plane[:, int(np.argmax(np.linalg.norm(plane, axis=0)))]
    along = along / np.linalg.norm(along)
    across = np.cross(np.cross(plane[:, 0], plane[:, 1]), along)
    across /= np.linalg.norm(across)
    step = _voxel_along(along, plane)
    column = np.rint((points - points[0]) @ along / step).astype(int)
    position = points @ across
    chords = [float(np.ptp(position[column == c])) for c in np.unique(column)]
    voxel = _voxel_along(across, plane)
    return _Length(max(chords) + voxel, voxel)


def _diameter(mask: Mask, grid: Grid) -> _Length:
    edges = grid.matrix[:3, :3]
    surface = np.argwhere(mask & ~ndimage.binary_erosion(mask))
    return _longest(surface @ edges.T, edges)[0]
