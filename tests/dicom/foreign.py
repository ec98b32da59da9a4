"""Small foreign files made with pydicom alone, sound unless told otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    NuclearMedicineImageStorage,
    generate_uid,
)
from pydicom.valuerep import format_number_as_ds

from osteoscope.dicom.load import Arrival, IntakeOptions, Scan, load, scan
from osteoscope.domain.study import IntakeNote, Study

SIDE = 16
HEIGHTS = tuple(2.0 * i for i in range(12))
Point = NDArray[np.float64]
Field = Callable[[Point], NDArray[np.float64]]


def ramp(position: Point) -> NDArray[np.float64]:
    """HU at LPS mm (..., 3): linear, so that linear interpolation is exact, and different along every axis."""
    return np.asarray(position @ np.array([17.0, 13.0, 19.0]) + 450.0)


@dataclass(frozen=True)
class Place:
    """Where a stack of CT slices lies.

    Args:
        row, column: directions in which the column and the row index grow.
        spacing: (row, column) distance in mm.
        origin: LPS mm of the first pixel.
        shear: mm along column and along row that a slice moves per mm of height.
    """

    row: tuple[float, float, float] = (1.0, 0.0, 0.0)
    column: tuple[float, float, float] = (0.0, 1.0, 0.0)
    spacing: tuple[float, float] = (1.5, 1.25)
    origin: tuple[float, float, float] = (-30.0, -20.0, 5.0)
    shear: tuple[float, float] = (0.0, 0.0)

    def position(self, height: float) -> Point:
        """Of pixel (0, 0) of the slice ``height`` mm along the normal."""
        row, column = np.array(self.row), np.array(self.column)
        normal = np.cross(row, column)
        return np.asarray(self.origin + height * (normal + self.shear[0] * column + self.shear[1] * row))

    def points(self, height: float, shape: tuple[int, int] = (SIDE, SIDE)) -> Point:
        """Positions (rows, columns, 3) of the pixels of a slice."""
        rows, columns = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
        down = rows[..., None] * self.spacing[0] * np.array(self.column)
        right = columns[..., None] * self.spacing[1] * np.array(self.row)
        return np.asarray(self.position(height) + down + right)


UPRIGHT = Place()
STRICT = IntakeOptions()


def set_fields(dataset: Dataset, fields: Mapping[str, Any]) -> Dataset:
    """Set elements by keyword; None removes one."""
    for keyword, value in fields.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def bare(sop_class: str, modality: str) -> Dataset:
    """An object of a patient, without pixels."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.FrameOfReferenceUID = "1.2.3.9"
    dataset.Modality, dataset.StudyDate = modality, "20260102"
    dataset.PatientID, dataset.PatientName = "P1", "Doe^Jane"
    return dataset


def put_pixels(dataset: Dataset, values: NDArray[Any]) -> Dataset:
    """Monochrome pixels; frames first where there are three axes."""
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = np.ascontiguousarray(values).tobytes()
    return dataset


def _decimals(values: Iterable[float]) -> list[str]:
    return [format_number_as_ds(float(value)) for value in values]


def ct_slice(height: float, place: Place = UPRIGHT, field: Field = ramp) -> Dataset:
    """A CT slice that samples ``field``."""
    dataset = bare(CTImageStorage, "CT")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesNumber, dataset.SeriesDescription, dataset.AcquisitionNumber = 3, "Trunk", 1
    dataset.ImagePositionPatient = _decimals(place.position(height))
    dataset.ImageOrientationPatient = _decimals([*place.row, *place.column])
    dataset.PixelSpacing = _decimals(place.spacing)
    dataset.SliceThickness, dataset.KVP, dataset.ConvolutionKernel = 2.0, 120, "B30f"
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, -1024, "HU"
    return put_pixels(dataset, (np.rint(field(place.points(height))) + 1024).astype(np.int16))


def ct_stack(
    heights: Sequence[float] = HEIGHTS,
    place: Place = UPRIGHT,
    fields: Mapping[str, Any] | None = None,
) -> list[Dataset]:
    """A sound series of CT slices, with ``fields`` set on all."""
    return [set_fields(ct_slice(height, place), fields or {}) for height in heights]


def enhanced_ct(heights: Sequence[float], place: Place = UPRIGHT) -> Dataset:
    """The same as one Enhanced CT object."""
    slices = ct_stack(heights, place)
    dataset = bare(EnhancedCTImageStorage, "CT")
    dataset.NumberOfFrames = len(slices)
    put_pixels(dataset, np.stack([np.frombuffer(s.PixelData, np.int16).reshape(SIDE, SIDE) for s in slices]))
    shared, measures, values = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = _decimals(place.spacing), 2.0
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, -1024, "HU"
    shared.PixelMeasuresSequence, shared.PixelValueTransformationSequence = Items([measures]), Items([values])
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for item in slices:
        frame, where, how = Dataset(), Dataset(), Dataset()
        where.ImagePositionPatient, how.ImageOrientationPatient = (
            item.ImagePositionPatient,
            item.ImageOrientationPatient,
        )
        frame.PlanePositionSequence, frame.PlaneOrientationSequence = Items([where]), Items([how])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Items(frames)
    return dataset


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A coded concept."""
    dataset = Dataset()
    dataset.CodeValue, dataset.CodingSchemeDesignator, dataset.CodeMeaning = value, scheme, meaning
    return dataset


def child(shape: tuple[int, int] = (128, 32), hot: bool = True) -> NDArray[np.uint16]:
    """Counts of a lopsided body as the anterior head sees it: a head, a trunk, one arm out, a liver."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    body = ((rows - 0.12) / 0.08) ** 2 + ((columns - 0.5) / 0.14) ** 2 < 1
    body |= (abs(rows - 0.42) < 0.2) & (abs(columns - 0.5) < 0.2)
    body |= (abs(rows - 0.3) < 0.04) & (columns > 0.5) & (columns < 0.95)
    body |= (abs(rows - 0.77) < 0.16) & (abs(abs(columns - 0.5) - 0.1) < 0.07)
    liver = (abs(rows - 0.42) < 0.06) & (abs(columns - 0.38) < 0.08)
    return np.asarray(9 * body + (60 * liver if hot else 0), dtype=np.uint16)


def behind(shape: tuple[int, int] = (128, 32)) -> NDArray[np.uint16]:
    """The same body as seen from behind."""
    return np.ascontiguousarray(child(shape, hot=False)[:, ::-1])


def nm(frames: Sequence[NDArray[Any]], views: Sequence[str] = ("anterior", "posterior")) -> Dataset:
    """A whole-body NM object of 123I-mIBG: one energy window, one detector per frame; "" for a view without code."""
    codes = {"anterior": ("399321004", "Anterior projection"), "posterior": ("399001007", "Posterior projection")}
    dataset = bare(NuclearMedicineImageStorage, "NM")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    dataset.SeriesNumber, dataset.InstanceNumber, dataset.SeriesDescription = 1, 1, "Whole body"
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20260102", "101500"
    dataset.NumberOfFrames = len(frames)
    dataset.FrameIncrementPointer = [0x00540010, 0x00540020]
    dataset.EnergyWindowVector, dataset.NumberOfEnergyWindows = [1] * len(frames), 1
    dataset.DetectorVector, dataset.NumberOfDetectors = list(range(1, len(frames) + 1)), len(frames)
    dataset.EnergyWindowInformationSequence = Items([energy_window(143.1, 174.9)])
    dataset.DetectorInformationSequence = Items()
    for view in views:
        detector = Dataset()
        detector.CollimatorGridName = "LEHR"
        if view:
            detector.ViewCodeSequence = Items([code(codes[view][0], "SCT", codes[view][1])])
        dataset.DetectorInformationSequence.append(detector)
    drug = Dataset()
    drug.RadionuclideCodeSequence = Items([code("21572004", "SCT", "^123^Iodine")])
    drug.RadiopharmaceuticalCodeSequence = Items([code("395787009", "SCT", "123I-mIBG")])
    dataset.RadiopharmaceuticalInformationSequence = Items([drug])
    dataset.PixelSpacing = [2.4, 2.4]
    return put_pixels(dataset, np.stack(frames))


def energy_window(low: float, high: float) -> Dataset:
    """An item of the EnergyWindowInformationSequence."""
    window, limits = Dataset(), Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = low, high
    window.EnergyWindowRangeSequence = Items([limits])
    return window


def save(folder: Path, datasets: Sequence[Dataset], stem: str = "i") -> list[Path]:
    """Write as Part 10 files, named by their order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}{number:03d}.dcm" for number in range(len(datasets))]
    for path, dataset in zip(paths, datasets, strict=True):
        dataset.save_as(path, enforce_file_format=True)
    return paths


@dataclass(frozen=True, eq=False)
class Read:
    """An input, looked at and loaded."""

    scan: Scan
    arrivals: tuple[Arrival, ...]

    @property
    def studies(self) -> list[Study]:
        """Those that were not refused."""
        return [arrival.study for arrival in self.arrivals if arrival.study]

    @property
    def study(self) -> Study:
        """The only one."""
        (study,) = self.studies
        return study

    @property
    def notes(self) -> list[IntakeNote]:
        """All lines of the report."""
        return [*self.scan.notes, *(note for arrival in self.arrivals for note in arrival.notes)]

    def says(self, level: str, *words: str) -> bool:
        """Whether one note of that level holds all the words."""
        texts = [f"{n.file} {n.problem} {n.action}" for n in self.notes if n.level == level]
        return any(all(word in text for word in words) for text in texts)


@contextmanager
def reading(path: Path, options: IntakeOptions = STRICT) -> Iterator[Read]:
    """Scan and load everything, in a scratch folder of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        found = scan(path, Path(scratch), options)
        yield Read(found, tuple(load(one, Path(scratch), options) for one in found.candidates))


def errors_against(study: Study, field: Field) -> NDArray[np.float64]:
    """|HU - field| at every voxel of a CT study, by its own grid."""
    image = study.images["ct"]
    index = np.stack(np.meshgrid(*map(np.arange, image.grid.shape), indexing="ij"), axis=-1)
    return np.asarray(np.abs(image.values - field(image.grid.to_position(index))))
