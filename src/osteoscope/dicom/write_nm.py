"""A simulated planar Study as NM Image Storage objects (PS3.3 A.5), plain or as awkward as real ones come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import NuclearMedicineImageStorage
from scipy.ndimage import gaussian_filter

from osteoscope.dicom.writing import Series, code, decimals, new_object, put_pixels, save, short_string
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError, UnsuitableStudyError

Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class Tracer:
    """A radiopharmaceutical as the header names it (CID 18, CID 25) and its energy windows in keV."""

    name: str
    drug: tuple[str, str, str]
    nuclide: tuple[str, str, str]
    peak: tuple[float, float]
    scatter: tuple[float, float]
    dose_mbq: float


TRACERS: Mapping[str, Tracer] = {
    "mIBG": Tracer(
        "I-123 mIBG",
        ("395787009", "SCT", "Iodine^123 3-Iodobenzylguanidine MIBG"),
        ("21572004", "SCT", "^123^Iodine"),
        (143.1, 174.9),
        (127.2, 143.1),
        200.0,
    ),
    "bone agent": Tracer(
        "Tc-99m medronate",
        ("96390006", "SCT", "Technetium Tc^99m^ medronate"),
        ("72454006", "SCT", "^99m^Technetium"),
        (126.5, 154.6),
        (112.4, 126.5),
        500.0,
    ),
}

_VIEWS = {
    "sct": {
        "anterior": ("399321004", "SCT", "Anterior projection"),
        "posterior": ("399001007", "SCT", "Posterior projection"),
    },
    "srt": {
        "anterior": ("G-5215", "SRT", "Anterior projection"),
        "posterior": ("G-5216", "SRT", "Posterior projection"),
    },
}


@dataclass(frozen=True)
class NmOptions:
    """How to write; the defaults make one complete two-view whole-body object.

    Args:
        one_object: both views as frames of one object, or one object per view.
        view_codes: SNOMED CT, the retired SRT codes, or none.
        posterior_mirrored: store the posterior view as if seen from the front.
        scatter_share: above 0, add a lower energy window that holds this share of the blurred counts.
        tracer: key of TRACERS to name instead of the study's own.
        frame_seconds: time that each point of the body was in view.
    """

    one_object: bool = True
    view_codes: Literal["sct", "srt", "none"] = "sct"
    posterior_mirrored: bool = False
    scatter_share: float = 0.0
    tracer: str = ""
    frame_seconds: float = 300.0


def write_nm(study: Study, folder: Path, options: NmOptions | None = None) -> tuple[Path, ...]:
    """Write the views of a planar Study; frames run over energy windows, then detectors.

    Attributes are those of PS3.3 C.8.4 (NM image, isotope, detector modules). Counts keep their values.

    Raises:
        UnsuitableStudyError: not a planar study, views of different size, or a tracer without a code.
        OutputError: counts beyond 16 bits, or a folder that cannot be written.
    """
    chosen = options or NmOptions()
    tracer = _tracer(study, chosen)
    views = {name: study.images[name] for name in ("anterior", "posterior") if name in study.images}
    _check(study, views)
    groups = [views] if chosen.one_object else [{name: image} for name, image in views.items()]
    objects = [_object(study, group, number, (tracer, chosen)) for number, group in enumerate(groups, 1)]
    return save([(f"NM{number:04d}.dcm", dataset) for number, dataset in enumerate(objects, 1)], folder)


def _tracer(study: Study, options: NmOptions) -> Tracer:
    name = options.tracer or study.acquisition.tracer
    if name not in TRACERS:
        raise UnsuitableStudyError(
            f"write study {study.uid} as NM", f"tracer {name!r}", f"Name one of {sorted(TRACERS)} in the options"
        )
    return TRACERS[name]


def _check(study: Study, views: Mapping[str, Image]) -> None:
    asked = f"write study {study.uid} as NM"
    if not views:
        raise UnsuitableStudyError(asked, f"a study of kind {study.kind!r}", "Give a planar study")
    if len({(image.grid.shape, image.grid.spacing) for image in views.values()}) > 1:
        raise UnsuitableStudyError(asked, "views of different size", "Resample them to one size")
    largest = max(int(image.values.max()) for image in views.values())
    smallest = min(int(image.values.min()) for image in views.values())
    if largest > np.iinfo(np.uint16).max or smallest < 0:
        raise OutputError(asked, f"counts from {smallest} to {largest}", "Keep counts within 0..65535 (16 bits)")


def _object(study: Study, views: Mapping[str, Image], number: int, how: tuple[Tracer, NmOptions]) -> Dataset:
    tracer, options = how
    windows = 2 if options.scatter_share else 1
    dataset = new_object(
        study, NuclearMedicineImageStorage, Series("NM", 1, "Whole body, simulated", "WHOLEBODY"), number
    )
    dataset.PatientOrientationCodeSequence = [_oriented("102538003", "recumbent", "40199007", "supine")]
    dataset.PatientGantryRelationshipCodeSequence = [code("102540008", "SCT", "headfirst")]
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    frames = _frames(views, windows, options)
    dataset.NumberOfFrames = len(frames)
    dataset.FrameIncrementPointer = [0x00540010, 0x00540020]
    dataset.EnergyWindowVector = [w for w in range(1, windows + 1) for _ in views]
    dataset.NumberOfEnergyWindows = windows
    dataset.DetectorVector = [d for _ in range(windows) for d in range(1, len(views) + 1)]
    dataset.NumberOfDetectors = len(views)
    _acquisition(dataset, next(iter(views.values())), options)
    dataset.CountsAccumulated = int(frames.sum())
    dataset.EnergyWindowInformationSequence = [
        _window(*bounds) for bounds in (("peak", tracer.peak), ("scatter", tracer.scatter))[:windows]
    ]
    dataset.RadiopharmaceuticalInformationSequence = [_drug(tracer)]
    dataset.DetectorInformationSequence = [_detector(study, name, options) for name in views]
    put_pixels(dataset, frames)
    return dataset


def _oriented(value: str, meaning: str, modifier: str, modifier_meaning: str) -> Dataset:
    item = code(value, "SCT", meaning)
    item.PatientOrientationModifierCodeSequence = [code(modifier, "SCT", modifier_meaning)]
    return item


def _frames(views: Mapping[str, Image], windows: int, options: NmOptions) -> Counts:
    stored = {name: image.values.astype(np.uint16) for name, image in views.items()}
    if options.posterior_mirrored and "posterior" in stored:
        stored["posterior"] = stored["posterior"][:, ::-1]
    frames = list(stored.values())
    if windows > 1:
        frames += [_scattered(frame, options.scatter_share) for frame in stored.values()]
    return np.stack(frames)


def _scattered(frame: Counts, share: float) -> Counts:
    blurred: NDArray[np.float64] = gaussian_filter(frame.astype(float), 5.0)
    return np.rint(blurred * share).astype(np.uint16)


def _acquisition(dataset: Dataset, image: Image, options: NmOptions) -> None:
    grid = image.grid
    dataset.PixelSpacing = decimals(grid.spacing) if grid.unit == "mm" else None
    dataset.ActualFrameDuration = round(options.frame_seconds * 1000)
    dataset.AcquisitionTerminationCondition = "TIME"
    dataset.WholeBodyTechnique = "1PS"
    length = grid.shape[0] * grid.spacing[0] if grid.unit == "mm" else None
    dataset.ScanLength = round(length) if length else None
    dataset.ScanVelocity = decimals([400.0 / options.frame_seconds])[0]


def _window(name: str, bounds: tuple[float, float]) -> Dataset:
    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = decimals(bounds)
    item = Dataset()
    item.EnergyWindowName = name
    item.EnergyWindowRangeSequence = [limits]
    return item


def _drug(tracer: Tracer) -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = tracer.name
    item.RadiopharmaceuticalRoute = "INTRAVENOUS"
    item.RadiopharmaceuticalStartTime = "090000"
    item.RadionuclideTotalDose = decimals([tracer.dose_mbq])[0]
    item.RadionuclideCodeSequence = [code(*tracer.nuclide)]
    item.RadiopharmaceuticalCodeSequence = [code(*tracer.drug)]
    return item


def _detector(study: Study, view: str, options: NmOptions) -> Dataset:
    item = Dataset()
    item.CollimatorGridName = short_string(study.acquisition.collimator) or "LEHR"
    item.CollimatorType = "PARA"
    item.ImageOrientationPatient = None
    item.ImagePositionPatient = None
    if options.view_codes != "none":
        item.ViewCodeSequence = [code(*_VIEWS[options.view_codes][view])]
    return item
