"""Planes of the patient through a volume, sampled in millimetres.

Planes are those of the patient, not of the array, so that anisotropic and oblique grids show true
shapes. Pictures follow the radiological convention: the patient's right at the left, front at the top
or left, head at the top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.report.style import write_on

Array = NDArray[np.float64]
AIR_HU = -1024
_LETTER_PLACES = ((0.03, 0.5), (0.97, 0.5), (0.5, 0.965), (0.5, 0.035))


@dataclass(frozen=True)
class Plane:
    """A plane of the patient: LPS directions to the right and down the picture, letters left, right, top, bottom."""

    name: str
    right: tuple[float, float, float]
    down: tuple[float, float, float]
    letters: tuple[str, str, str, str]


AXIAL = Plane("axial", (1, 0, 0), (0, 1, 0), ("R", "L", "A", "P"))
CORONAL = Plane("coronal", (1, 0, 0), (0, 0, -1), ("R", "L", "H", "F"))
SAGITTAL = Plane("sagittal", (0, 1, 0), (0, 0, -1), ("A", "P", "H", "F"))
PLANES = (AXIAL, CORONAL, SAGITTAL)


def plane_points(centre: Array, plane: Plane, offsets: Array) -> Array:
    """LPS positions, shape (n, n, 3), of a square picture around ``centre`` with pixels at ``offsets`` mm."""
    across = offsets[np.newaxis, :, np.newaxis] * np.asarray(plane.right)
    down = offsets[:, np.newaxis, np.newaxis] * np.asarray(plane.down)
    return np.asarray(centre + across + down)


def sample_hu(image: Image, points: Array) -> Array:
    """The volume at LPS positions, linear between voxels, air outside."""
    index = np.moveaxis(image.grid.to_index(points), -1, 0)
    return np.asarray(ndimage.map_coordinates(image.values, index, order=1, output=float, cval=AIR_HU))


def sample_mask(part: Part, grid: Grid, points: Array) -> Array:
    """How much of a Part, 0..1, lies at LPS positions."""
    index = np.moveaxis(grid.to_index(points) - np.asarray(part.offset), -1, 0)
    mask = part.mask.astype(np.float32)
    return np.asarray(ndimage.map_coordinates(mask, index, order=1, output=float, mode="grid-constant"))


def letter(axes: Axes, plane: Plane) -> None:
    """Write the four directions at the picture's edges."""
    for text, place in zip(plane.letters, _LETTER_PLACES, strict=True):
        write_on(axes, place, text, 8)
