"""What the writers of simulated images share: identity, derived UIDs, common modules, files."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from osteoscope.dicom.whole import whole
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import OutputError

SIMULATED = "simulated, not a patient"
PREFIX = "SIM-"
_IMPLEMENTATION = UID("2.25.238406842741374110215214243062155716531")
_NAMESPACE = uuid.UUID(int=int(_IMPLEMENTATION.split(".")[2]))
_TIME = "120000"
# Characters of a text (PS3.5 6.2): LO, and PN for each of its groups; SH.
_LONG, _SHORT = 64, 16
_DIGITS = 12


@dataclass(frozen=True)
class Series:
    """Which series of a study an object belongs to, and how it names itself."""

    modality: str
    number: int
    description: str
    body_part: str


def derived_uid(*parts: object) -> UID:
    """The same UID for the same parts: a name-based UUID as a "2.25." UID (PS3.5 B.2)."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts))).int}")


def study_uid(study: Study) -> UID:
    """The study's own uid where it is a DICOM UID, else one derived from it."""
    uid = UID(study.uid, validation_mode=config.IGNORE)
    return uid if uid.is_valid else derived_uid(study.uid)


def simulated_id(patient: Patient) -> str:
    """The patient id with the prefix that marks a simulation; of one that is too long a digest keeps it apart."""
    whole_id = patient.id if patient.id.startswith(PREFIX) else PREFIX + patient.id
    if len(whole_id) <= _LONG:
        return whole_id
    digest = hashlib.sha256(whole_id.encode()).hexdigest()[:_DIGITS]
    return f"{whole_id[: _LONG - _DIGITS - 1]}-{digest}"


def long_string(text: str) -> str:
    """What of a text a Long String (LO) holds."""
    return text[:_LONG].strip()


def short_string(text: str) -> str:
    """What of a text a Short String (SH) holds."""
    return text[:_SHORT].strip()


def new_object(study: Study, sop_class: str, series: Series, instance: int) -> Dataset:
    """Patient, study, series, equipment and SOP common modules of one instance (PS3.3 C.7, C.12)."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = derived_uid(study.uid, series.modality, series.number, instance)
    _patient(dataset, study.patient)
    _study(dataset, study)
    dataset.Modality = series.modality
    dataset.SeriesInstanceUID = derived_uid(study.uid, series.modality, series.number)
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = long_string(series.description)
    dataset.BodyPartExamined = series.body_part
    dataset.InstanceNumber = instance
    dataset.ContentDate, dataset.ContentTime = dataset.StudyDate, _TIME
    dataset.AcquisitionDate, dataset.AcquisitionTime = dataset.StudyDate, _TIME
    dataset.Manufacturer = long_string(study.acquisition.manufacturer) or "Osteoscope"
    dataset.ManufacturerModelName = long_string(study.acquisition.model) or "simulator"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "osteoscope"
    return dataset


def _patient(dataset: Dataset, patient: Patient) -> None:
    dataset.PatientID = simulated_id(patient)
    name = patient.name if patient.name.startswith("Simulated^") else f"Simulated^{patient.name}"
    dataset.PatientName = "=".join(group[:_LONG] for group in name.split("="))
    dataset.PatientBirthDate = ""
    dataset.PatientSex = patient.sex or ""
    dataset.PatientComments = SIMULATED
    if patient.age_years is not None:
        dataset.PatientAge = _age(patient.age_years)
    if patient.weight_kg is not None:
        dataset.PatientWeight = f"{patient.weight_kg:.4g}"
    if patient.height_cm is not None:
        dataset.PatientSize = f"{patient.height_cm / 100:.4g}"


def _age(years: float) -> str:
    """Age String (PS3.5 6.2, VR AS): months below two years, where a whole year is too coarse."""
    return f"{round(years * 12):03d}M" if years < 2 else f"{int(years):03d}Y"


def _study(dataset: Dataset, study: Study) -> None:
    dataset.StudyInstanceUID = study_uid(study)
    dataset.StudyDate = study.date.replace("-", "")
    dataset.StudyTime = _TIME
    dataset.StudyID = "1"
    dataset.StudyDescription = long_string(study.acquisition.description)
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""


def put_pixels(dataset: Dataset, pixels: NDArray[np.int16] | NDArray[np.uint16]) -> None:
    """16-bit greyscale pixel data of shape (rows, columns) or (frames, rows, columns) (PS3.3 C.7.6.3)."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def decimal(value: float) -> str:
    """A Decimal String: at most 16 characters (PS3.5 6.2), as many digits as fit."""
    for digits in range(15, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    return "0"


def decimals(values: Sequence[float]) -> list[str]:
    """Decimal Strings of several numbers."""
    return [decimal(float(v)) for v in values]


def save(datasets: Sequence[tuple[str, Dataset]], folder: Path) -> tuple[Path, ...]:
    """Write named datasets as DICOM files (PS3.10) into a folder, made where absent.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, dataset in datasets:
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION
            with whole(folder / name) as draft:
                dataset.save_as(draft, enforce_file_format=True)
            paths.append(folder / name)
    except OSError as error:
        raise OutputError(f"write DICOM files to {folder}", str(error), "Name a folder that can be written") from error
    return tuple(paths)
