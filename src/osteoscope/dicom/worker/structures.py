"""Contours of an RT structure set (PS3.3 C.8.8.6) drawn onto the slices of a CT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from skimage.draw import polygon2mask

from osteoscope.errors import IntakeError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
_FLAT, _MOST_POINTS = 0.3, 200_000


def draw_structures(
    dataset: Dataset, shape: tuple[int, ...], matrix: Floats
) -> Iterator[tuple[str, str, tuple[Mask, tuple[int, ...]] | None]]:
    """Every region with closed contours: its name, "", and its mask with offset.

    A voxel is inside where its centre is; contours of one slice that overlap leave holes (even-odd rule).

    Raises:
        IntakeError: contours that do not lie on the slices.
    """
    names = {int(roi.ROINumber): str(roi.get("ROIName", "")) for roi in dataset.get("StructureSetROISequence", [])}
    back: Floats = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    for region in dataset.get("ROIContourSequence", []):
        number = int(region.get("ReferencedROINumber", 0))
        name = names.get(number) or f"region {number}"
        polygons = [
            _on_slice(np.array(contour.ContourData, dtype=np.float64).reshape(-1, 3), back, name)
            for contour in region.get("ContourSequence", [])
            if str(contour.get("ContourGeometricType", "CLOSED_PLANAR")) == "CLOSED_PLANAR"
            and 9 <= len(contour.ContourData) <= 3 * _MOST_POINTS
        ]
        yield name, "", _drawn(polygons, shape)


def _on_slice(points: NDArray[Any], back: Floats, name: str) -> tuple[int, Floats]:
    index = points @ back[:3, :3].T + back[:3, 3]
    level = float(index[:, 0].mean())
    if np.abs(index[:, 0] - level).max() > _FLAT:
        found = f"contours of {name!r} that do not lie on the slices of the CT"
        raise IntakeError("read a structure set", found, "Export masks as DICOM SEG or NIfTI")
    return round(level), index[:, 1:]


def _drawn(polygons: list[tuple[int, Floats]], shape: tuple[int, ...]) -> tuple[Mask, tuple[int, ...]] | None:
    kept = [(level, points) for level, points in polygons if 0 <= level < shape[0]]
    if not kept:
        return None
    every = np.concatenate([points for _, points in kept])
    low = np.maximum(np.floor(every.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(every.max(axis=0)).astype(int) + 1, shape[1:])
    levels = [level for level, _ in kept]
    if (low >= high).any():
        return None
    mask = np.zeros((max(levels) - min(levels) + 1, *(high - low)), dtype=bool)
    for level, points in kept:
        mask[level - min(levels)] ^= polygon2mask(mask.shape[1:], points - low)
    return mask, (min(levels), int(low[0]), int(low[1]))
