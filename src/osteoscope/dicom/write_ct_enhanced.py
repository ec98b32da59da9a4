"""A simulated CT as one Enhanced CT Image Storage object (PS3.3 A.38): all slices as frames of one file.

The attributes of the Enhanced Contrast/Bolus module are left out, so the file names no contrast agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage

from osteoscope.dicom.writing import (
    Series,
    code,
    decimal,
    decimals,
    derived_uid,
    new_object,
    put_pixels,
    short_string,
)
from osteoscope.domain.geometry import Grid
from osteoscope.domain.study import Study

_FRAME_TYPE = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
_WHEN = "20000101120000"


@dataclass(frozen=True)
class Scan:
    """The series of an object, its rescale intercept and the tilt of its gantry."""

    series: Series
    intercept: int
    gantry_tilt_deg: float = 0.0


def enhanced_object(study: Study, grid: Grid, pixels: NDArray[np.int16], kept: Sequence[int], scan: Scan) -> Dataset:
    """The object of the kept slices; a study without a date has that of the simulated acquisition.

    Args:
        pixels: stored values of all slices, HU - intercept.
    """
    dataset = new_object(study, EnhancedCTImageStorage, scan.series, 1)
    dataset.ContentDate = dataset.ContentDate or _WHEN[:8]
    dataset.FrameOfReferenceUID = derived_uid(study.uid, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.PatientPosition = "HFS"
    dataset.ImageType = _FRAME_TYPE
    _photometry(dataset)
    dataset.AcquisitionNumber = 1
    del dataset.AcquisitionDate, dataset.AcquisitionTime
    dataset.AcquisitionDateTime = _WHEN
    dataset.AcquisitionDuration = 10.0
    dataset.ContentQualification = "RESEARCH"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []
    dataset.NumberOfFrames = len(kept)
    _dimensions(dataset, study)
    dataset.SharedFunctionalGroupsSequence = [_shared(study, grid, scan)]
    dataset.PerFrameFunctionalGroupsSequence = [_per_frame(grid, k, n) for n, k in enumerate(kept, 1)]
    put_pixels(dataset, pixels[list(kept)])
    return dataset


def _photometry(item: Dataset) -> None:
    item.PixelPresentation = "MONOCHROME"
    item.VolumetricProperties = "VOLUME"
    item.VolumeBasedCalculationTechnique = "NONE"


def _dimensions(dataset: Dataset, study: Study) -> None:
    organisation = derived_uid(study.uid, "dimensions")
    uid, index = Dataset(), Dataset()
    uid.DimensionOrganizationUID = index.DimensionOrganizationUID = organisation
    index.DimensionIndexPointer = 0x00209057
    index.FunctionalGroupPointer = 0x00209111
    dataset.DimensionOrganizationSequence = [uid]
    dataset.DimensionIndexSequence = [index]


def _shared(study: Study, grid: Grid, scan: Scan) -> Dataset:
    acquisition = study.acquisition
    kernel = short_string(acquisition.kernel) or "STANDARD"
    row, column = grid.matrix[:3, 2], grid.matrix[:3, 1]
    cosines = np.concatenate([row / np.linalg.norm(row), column / np.linalg.norm(column)])
    table: dict[str, dict[str, Any]] = {
        "PixelMeasuresSequence": {
            "PixelSpacing": decimals(grid.spacing[1:]),
            "SliceThickness": decimal(acquisition.slice_thickness_mm or grid.spacing[0]),
        },
        "PlaneOrientationSequence": {"ImageOrientationPatient": decimals(cosines.tolist())},
        "FrameAnatomySequence": {
            "FrameLaterality": "U",
            "AnatomicRegionSequence": [code("416949008", "SCT", "Abdomen and Pelvis")],
        },
        "PixelValueTransformationSequence": {
            "RescaleIntercept": decimal(scan.intercept), "RescaleSlope": "1", "RescaleType": "HU",
        },
        "IrradiationEventIdentificationSequence": {"IrradiationEventUID": derived_uid(study.uid, "irradiation")},
        "CTImageFrameTypeSequence": {"FrameType": _FRAME_TYPE},
        "CTAcquisitionTypeSequence": {
            "AcquisitionType": "SPIRAL", "ConstantVolumeFlag": "NO", "FluoroscopyFlag": "NO",
        },
        "CTAcquisitionDetailsSequence": {
            "RotationDirection": "CW", "RevolutionTime": 0.5, "SingleCollimationWidth": 0.6,
            "TotalCollimationWidth": 38.4, "TableHeight": 0.0, "GantryDetectorTilt": float(scan.gantry_tilt_deg),
            "DataCollectionDiameter": 500.0,
        },
        "CTTableDynamicsSequence": {"TableSpeed": 60.0, "TableFeedPerRotation": 30.0, "SpiralPitchFactor": 0.8},
        "CTGeometrySequence": {"DistanceSourceToDetector": 1000.0, "DistanceSourceToDataCollectionCenter": 550.0},
        "CTReconstructionSequence": {
            "ReconstructionAlgorithm": "FILTER_BACK_PROJ", "ConvolutionKernel": kernel,
            "ConvolutionKernelGroup": "STANDARD", "ReconstructionAngle": 360.0,
            "ReconstructionFieldOfView": [float(n * d) for n, d in zip(grid.shape[1:], grid.spacing[1:], strict=True)],
            "ReconstructionPixelSpacing": [float(v) for v in grid.spacing[1:]], "ImageFilter": "NONE",
        },
        "CTExposureSequence": {
            "ExposureTimeInms": 500.0, "XRayTubeCurrentInmA": 200.0, "ExposureInmAs": 100.0,
            "ExposureModulationType": "NONE",
        },
        "CTXRayDetailsSequence": {
            "KVP": decimal(acquisition.kvp or 120.0), "FocalSpots": [0.7], "FilterType": "FLAT",
            "FilterMaterial": ["ALUMINUM"],
        },
    }  # fmt: skip
    groups = Dataset()
    for name, attributes in table.items():
        item = Dataset()
        for keyword, value in attributes.items():
            setattr(item, keyword, value)
        setattr(groups, name, [item])
    _photometry(groups.CTImageFrameTypeSequence[0])
    return groups


def _per_frame(grid: Grid, index: int, number: int) -> Dataset:
    content, place, position = Dataset(), Dataset(), Dataset()
    content.FrameAcquisitionDateTime = content.FrameReferenceDateTime = _WHEN
    content.FrameAcquisitionDuration = 500.0
    content.FrameAcquisitionNumber = 1
    content.StackID, content.InStackPositionNumber = "1", number
    content.DimensionIndexValues = [number]
    place.ImagePositionPatient = decimals(grid.to_position((index, 0, 0)).tolist())
    middle = grid.to_position((index, (grid.shape[1] - 1) / 2, (grid.shape[2] - 1) / 2)).tolist()
    position.TablePosition = float(middle[2])
    position.DataCollectionCenterPatient = position.ReconstructionTargetCenterPatient = middle
    groups = Dataset()
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [place]
    groups.CTPositionSequence = [position]
    return groups
