"""The working frame: one orientation and one spacing for every CT.

Whatever the scanner stored (oblique, feet first, 0.6 or 5 mm), the search runs on an array [z, y, x] with
z to the head, y to the back and x to the patient's left, so that no later step asks how the slices lay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import edt
import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError

AIR = -1024  # HU
OUTSIDE = -2048  # HU of working voxels that the scan does not cover; below any HU that intake lets through
_REVERSED = np.eye(4)[[2, 1, 0, 3]]  # SimpleITK counts (column, row, slice)
_SLAB = 64  # slices mapped back at once, bounds memory
_MOST_VOXELS = 2**30  # 3.6 cubic metres at 1.5 mm, 2 GiB of HU; a body of 2 x 0.7 x 0.7 m at 1 mm is below; a choice

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Frame:
    """A CT in the working frame.

    Args:
        hu: int16 [z, y, x]; ``OUTSIDE`` where the scan does not reach.
        grid: axial Grid of ``hu``, equal spacing on all axes.
        source: Grid of the scan as it came.
    """

    hu: NDArray[np.int16]
    grid: Grid
    source: Grid

    @property
    def step(self) -> float:
        """Spacing in mm."""
        return self.grid.spacing[0]

    @property
    def cell_ml(self) -> float:
        """Volume of one voxel in mL."""
        return self.grid.cell / 1000

    def voxels(self, mm: float) -> int:
        """A length as a whole number of voxels, at least 1."""
        return max(1, round(mm / self.step))

    def around(self, mask: NDArray[np.bool_], mm: float) -> Box:
        """The box that holds a mask, which is not empty, and so much around it as the frame has."""
        spans = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        reach = self.voxels(mm)
        z, y, x = (slice(max(0, int(span[0]) - reach), int(span[-1]) + 1 + reach) for span in spans)
        return z, y, x

    def cropped(self, box: Box) -> Frame:
        """A part of the frame."""
        origin = self.grid.to_position(np.array([s.start for s in box], dtype=float))
        hu = self.hu[box].copy()  # lets go of the rest
        return Frame(hu, Grid.axial(hu.shape, self.grid.spacing, origin.tolist()), self.source)

    def near(self, mask: NDArray[np.bool_], mm: float) -> NDArray[np.bool_]:
        """Voxels within a distance of those of a mask, themselves included."""
        return np.asarray(edt.edt(~mask, anisotropy=(self.step,) * 3) <= mm)

    def from_source(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Labels of the scan's own grid, resampled to the working frame; 0 beyond the scan."""
        matrix = np.linalg.inv(self.source.matrix) @ self.grid.matrix
        return _resample(sitk.GetImageFromArray(labels), self.grid.shape, matrix, sitk.sitkNearestNeighbor)

    def to_source(self, array: NDArray[Any], linear: bool) -> NDArray[Any]:
        """An array of the working frame, resampled to the scan's own grid slab by slab."""
        moving = sitk.GetImageFromArray(array)
        matrix = np.linalg.inv(self.grid.matrix) @ self.source.matrix
        slabs = []
        for start in range(0, self.source.shape[0], _SLAB):
            shape = (min(_SLAB, self.source.shape[0] - start), *self.source.shape[1:])
            shift = np.eye(4)
            shift[0, 3] = start
            slabs.append(
                _resample(moving, shape, matrix @ shift, sitk.sitkLinear if linear else sitk.sitkNearestNeighbor)
            )
        return np.concatenate(slabs)


def _resample(moving: sitk.Image, shape: tuple[int, ...], matrix: NDArray[np.float64], method: int) -> NDArray[Any]:
    """Values at ``matrix @ index`` (array order) of ``moving``, 0 or OUTSIDE beyond its edge."""
    turned = _REVERSED @ matrix @ _REVERSED
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(turned[:3, :3].ravel().tolist())
    transform.SetTranslation(turned[:3, 3].tolist())
    fill = OUTSIDE if moving.GetPixelID() == sitk.sitkInt16 else 0
    identity = np.eye(3).ravel().tolist()
    size = [int(n) for n in reversed(shape)]
    out = sitk.Resample(moving, size, transform, method, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), identity, fill)
    return np.asarray(sitk.GetArrayFromImage(out))


def smoothed(frame: Frame, sigma_mm: float) -> NDArray[np.int16]:
    """HU through a Gaussian; places beyond the scan count as air."""
    values = np.maximum(frame.hu, AIR).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(values, sigma_mm / frame.step, mode="nearest").round().astype(np.int16))


def ct_image(study: Study) -> Image:
    """The CT of a study.

    Raises:
        UnsuitableStudyError: the study has no CT, or one that is not a volume in HU.
    """
    image = study.images.get("ct")
    if image is None or image.grid.ndim != 3 or image.quantity != "HU":
        raise UnsuitableStudyError(
            f"find bones in study {study.uid}", f"images {sorted(study.images)}", "Give a CT volume in HU"
        )
    return image


def working_frame(image: Image, spacing_mm: float) -> Frame:
    """The CT in LPS axes at one spacing; finer scans are averaged, coarser ones interpolated linearly.

    Raises:
        UnsuitableStudyError: a field that would need more than 2**30 voxels.
    """
    source = image.grid
    grid = _canonical(source, spacing_mm)
    moving = sitk.GetImageFromArray(np.asarray(image.values, dtype=np.int16))
    shrink = [max(1, int(spacing_mm / s)) for s in source.spacing]
    scale = np.diag([*(1 / np.array(shrink)), 1.0])
    scale[:3, 3] = (1 / np.array(shrink) - 1) / 2
    if max(shrink) > 1:
        moving = sitk.BinShrink(moving, shrink[::-1])
        moving.SetOrigin((0.0, 0.0, 0.0))
        moving.SetSpacing((1.0, 1.0, 1.0))
    matrix = scale @ np.linalg.inv(source.matrix) @ grid.matrix
    hu = _resample(moving, grid.shape, matrix, sitk.sitkLinear)
    return Frame(hu.astype(np.int16, copy=False), grid, source)


def _canonical(source: Grid, spacing_mm: float) -> Grid:
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in source.shape])).reshape(3, -1).T
    places = source.to_position(corners)
    low, high = places.min(axis=0), places.max(axis=0)
    size = np.maximum(1, np.ceil((high - low) / spacing_mm - 1e-3)).astype(int)
    if math.prod(size.tolist()) > _MOST_VOXELS:
        raise UnsuitableStudyError(
            "lay the CT out for the search",
            f"a scan of {source.shape} voxels of {' x '.join(f'{s:.3g}' for s in source.spacing)} mm, "
            f"which takes {' x '.join(map(str, size[::-1]))} voxels of {spacing_mm:g} mm",
            "Check that it states its spacing in mm, or give the part of the scan that matters",
        )
    return Grid.axial(size[::-1].tolist(), (spacing_mm,) * 3, (low + spacing_mm / 2).tolist())
