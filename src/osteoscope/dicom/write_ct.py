"""A simulated CT Study as CT Image Storage objects (PS3.3 A.3), plain or as awkward as real ones come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from scipy.ndimage import affine_transform

from osteoscope.dicom.write_ct_enhanced import Scan, enhanced_object
from osteoscope.dicom.writing import (
    Series,
    decimal,
    decimals,
    derived_uid,
    long_string,
    new_object,
    put_pixels,
    save,
    short_string,
)
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError, UnsuitableStudyError

AIR_HU = -1024
_INTERCEPT = -1024


@dataclass(frozen=True)
class CtOptions:
    """How to write; the defaults make one complete axial series.

    Args:
        gantry_tilt_deg: resample onto slices tilted about the row axis, moved along the table.
        dropped_slices: indices of slices to leave out.
        shuffled: give InstanceNumbers (and file names) an order unlike that of positions.
        padding: stored value outside the inscribed circle, such as -2000; None keeps the pixels.
        localiser: add a coronal projection as a series of its own.
        enhanced: one Enhanced CT object with a frame for each slice, instead of a series of CT Image objects.
        body_part: Body Part Examined (PS3.16 Annex L).
    """

    gantry_tilt_deg: float = 0.0
    dropped_slices: tuple[int, ...] = ()
    shuffled: bool = False
    padding: int | None = None
    localiser: bool = False
    enhanced: bool = False
    body_part: str = "CHESTABDPELVIS"


def write_ct(study: Study, folder: Path, options: CtOptions | None = None) -> tuple[Path, ...]:
    """Write the volume of a CT Study, one file per slice or one for all; oblique and sheared grids keep their place.

    Pixels are HU + 1024 as signed 16 bits; geometry by PS3.3 C.7.6.2.

    Raises:
        UnsuitableStudyError: not a CT study, or rows and columns of the grid are not at right angles.
        OutputError: HU beyond 16 bits, no slice left, or a folder that cannot be written.
    """
    chosen = options or CtOptions()
    image = _volume(study, chosen)
    kept = [k for k in range(image.grid.shape[0]) if k not in chosen.dropped_slices]
    if not kept:
        raise OutputError(f"write study {study.uid} as CT", "every slice dropped", "Keep at least one slice")
    pixels = _stored(image, chosen.padding)
    if chosen.enhanced:
        scan = Scan(_axial(chosen), _INTERCEPT, chosen.gantry_tilt_deg)
        whole = enhanced_object(study, image.grid, pixels, kept, scan)
        objects = [("CT00001.dcm", _padded(whole, chosen))]
    else:
        objects = [
            (f"CT{number:05d}.dcm", _slice(study, image.grid, pixels, (k, number), chosen))
            for k, number in zip(kept, _numbers(len(kept), chosen.shuffled), strict=True)
        ]
    if chosen.localiser:
        objects.append(("LOC00001.dcm", _localiser(study, image, chosen.body_part)))
    return save(objects, folder)


def _volume(study: Study, options: CtOptions) -> Image:
    asked = f"write study {study.uid} as CT"
    if "ct" not in study.images:
        raise UnsuitableStudyError(asked, f"a study of kind {study.kind!r}", "Give a CT study")
    image = study.images["ct"]
    if options.gantry_tilt_deg:
        image = tilted(image, options.gantry_tilt_deg)
    row, column = _cosines(image.grid)
    if abs(float(row @ column)) > 1e-4:
        raise UnsuitableStudyError(
            asked, "rows and columns of the grid at an angle other than 90 degrees", "Resample to rectangular slices"
        )
    return image


def tilted(image: Image, degrees: float) -> Image:
    """The volume resampled linearly onto slices turned about the row axis, as under a tilted gantry.

    Slices keep their distance along the original slice axis, so the grid is sheared.
    """
    angle, matrix = np.deg2rad(degrees), image.grid.matrix.copy()
    across, down, along = (matrix[:3, axis] for axis in (2, 1, 0))
    axis, size = along / np.linalg.norm(along), np.linalg.norm(down)
    turned = down * np.cos(angle) + axis * size * np.sin(angle)
    middle = (np.asarray(image.grid.shape) - 1) / 2
    centre = image.grid.to_position(middle)
    matrix[:3, 1] = turned
    matrix[:3, 3] = centre - np.column_stack([along, turned, across]) @ middle
    grid = Grid.from_matrix(image.grid.shape, matrix)
    pull = np.linalg.inv(image.grid.matrix) @ matrix
    values = affine_transform(image.values.astype(np.float32), pull, order=1, cval=AIR_HU)
    return Image(grid, np.rint(values).astype(np.int16), "HU")


def _cosines(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions along a row (column index grows) and along a column (row index grows)."""
    row, column = grid.matrix[:3, 2], grid.matrix[:3, 1]
    return row / np.linalg.norm(row), column / np.linalg.norm(column)


def _numbers(count: int, shuffled: bool) -> list[int]:
    if not shuffled:
        return list(range(1, count + 1))
    return [int(n) + 1 for n in np.random.default_rng(count).permutation(count)]


def _stored(image: Image, padding: int | None) -> NDArray[np.int16]:
    values = image.values.astype(np.int32) - _INTERCEPT
    limits = np.iinfo(np.int16)
    if values.max() > limits.max or values.min() < limits.min:
        raise OutputError(
            "write a CT", f"{values.min() + _INTERCEPT}..{values.max() + _INTERCEPT} HU", "Keep within 16 bits"
        )
    if padding is not None:
        values[:, ~_inscribed(image.grid.shape[1:])] = padding
    return values.astype(np.int16)


def _inscribed(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    radius = max(shape) / 2
    return np.asarray((rows - (shape[0] - 1) / 2) ** 2 + (columns - (shape[1] - 1) / 2) ** 2 <= radius**2)


def _slice(study: Study, grid: Grid, pixels: NDArray[np.int16], which: tuple[int, int], options: CtOptions) -> Dataset:
    index, number = which
    dataset = new_object(study, CTImageStorage, _axial(options), number)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    _frame_of_reference(dataset, study)
    _scan(dataset, study)
    dataset.ImagePositionPatient = decimals(grid.to_position((index, 0, 0)).tolist())
    dataset.ImageOrientationPatient = decimals(np.concatenate(_cosines(grid)).tolist())
    dataset.PixelSpacing = decimals(grid.spacing[1:])
    dataset.SliceThickness = decimal(study.acquisition.slice_thickness_mm or grid.spacing[0])
    dataset.GantryDetectorTilt = decimal(options.gantry_tilt_deg)
    put_pixels(dataset, pixels[index])
    return _padded(dataset, options)


def _padded(dataset: Dataset, options: CtOptions) -> Dataset:
    if options.padding is not None:
        dataset.PixelPaddingValue = options.padding
    return dataset


def _axial(options: CtOptions) -> Series:
    return Series("CT", 2, "Axial, simulated", options.body_part)


def _frame_of_reference(dataset: Dataset, study: Study) -> None:
    dataset.FrameOfReferenceUID = derived_uid(study.uid, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.PatientPosition = "HFS"


def _scan(dataset: Dataset, study: Study) -> None:
    acquisition = study.acquisition
    dataset.AcquisitionNumber = 1
    dataset.KVP = decimal(acquisition.kvp) if acquisition.kvp else None
    dataset.ConvolutionKernel = short_string(acquisition.kernel) or "STANDARD"
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = decimal(_INTERCEPT), "1", "HU"
    if acquisition.contrast_agent:
        dataset.ContrastBolusAgent = long_string(acquisition.contrast_agent)


def _localiser(study: Study, image: Image, body_part: str) -> Dataset:
    """A coronal mean projection, head up, seen from the front."""
    dataset = new_object(study, CTImageStorage, Series("CT", 1, "Localiser, simulated", body_part), 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    _frame_of_reference(dataset, study)
    _scan(dataset, study)
    del dataset.RescaleType
    matrix, shape = image.grid.matrix, image.grid.shape
    along = matrix[:3, 0] / np.linalg.norm(matrix[:3, 0])
    start = image.grid.to_position((shape[0] - 1, (shape[1] - 1) / 2, 0))
    dataset.ImagePositionPatient = decimals(start.tolist())
    dataset.ImageOrientationPatient = decimals([*_cosines(image.grid)[0], *-along])
    dataset.PixelSpacing = decimals((image.grid.spacing[0], image.grid.spacing[2]))
    dataset.SliceThickness = decimal(shape[1] * image.grid.spacing[1])
    projection = image.values[::-1].mean(axis=1) - _INTERCEPT
    put_pixels(dataset, np.rint(projection).astype(np.int16))
    return dataset
