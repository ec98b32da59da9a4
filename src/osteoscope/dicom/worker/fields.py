"""The header elements that the intake looks at, as plain data; nothing else leaves the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items

Table = Mapping[str, "Table | None"]

_LONGEST_TEXT = 1024


def _leaves(keywords: str) -> dict[str, Table | None]:
    return dict.fromkeys(keywords.split())


_CODE = _leaves("CodeValue CodingSchemeDesignator CodeMeaning")
_GROUPS: Table = {
    "PlanePositionSequence": _leaves("ImagePositionPatient"),
    "PlaneOrientationSequence": _leaves("ImageOrientationPatient"),
    "PixelMeasuresSequence": _leaves("PixelSpacing SliceThickness"),
    "PixelValueTransformationSequence": _leaves("RescaleSlope RescaleIntercept RescaleType"),
    "FrameContentSequence": _leaves("FrameAcquisitionNumber TemporalPositionIndex StackID FrameAcquisitionDateTime"),
    "CTImageFrameTypeSequence": _leaves("FrameType"),
    "CTReconstructionSequence": _leaves("ConvolutionKernel"),
    "CTXRayDetailsSequence": _leaves("KVP"),
    "CardiacSynchronizationSequence": _leaves("NominalPercentageOfCardiacPhase"),
}
FIELDS: Table = {
    **_leaves(
        "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality ImageType"
        " StudyDate SeriesDate AcquisitionDate AcquisitionTime ContentTime SeriesTime AcquisitionDateTime"
        " StudyDescription SeriesDescription ProtocolName SeriesNumber InstanceNumber AcquisitionNumber"
        " Manufacturer ManufacturerModelName PatientID PatientName PatientAge PatientBirthDate PatientSex"
        " PatientWeight PatientSize PatientPosition PatientOrientation BurnedInAnnotation ConversionType"
        " KVP ConvolutionKernel ContrastBolusAgent SliceThickness GantryDetectorTilt TemporalPositionIdentifier"
        " TriggerTime NominalPercentageOfCardiacPhase ImagePositionPatient ImageOrientationPatient"
        " Rows Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit"
        " PixelRepresentation PixelSpacing ImagerPixelSpacing PixelPaddingValue PixelPaddingRangeLimit"
        " RescaleSlope RescaleIntercept RescaleType LossyImageCompression LossyImageCompressionRatio"
        " FrameIncrementPointer EnergyWindowVector DetectorVector NumberOfEnergyWindows NumberOfDetectors"
        " RotationVector PhaseVector CountsAccumulated WholeBodyTechnique ActualFrameDuration ImageID ViewPosition"
    ),
    "ModalityLUTSequence": _leaves("LUTDescriptor"),
    "SharedFunctionalGroupsSequence": _GROUPS,
    "PerFrameFunctionalGroupsSequence": _GROUPS,
    "EnergyWindowInformationSequence": {
        **_leaves("EnergyWindowName"),
        "EnergyWindowRangeSequence": _leaves("EnergyWindowLowerLimit EnergyWindowUpperLimit"),
    },
    "DetectorInformationSequence": {
        **_leaves("CollimatorGridName CollimatorType StartAngle ImageOrientationPatient"),
        "ViewCodeSequence": {**_CODE, "ViewModifierCodeSequence": _CODE},
    },
    "RadiopharmaceuticalInformationSequence": {
        **_leaves("Radiopharmaceutical"),
        "RadionuclideCodeSequence": _CODE,
        "RadiopharmaceuticalCodeSequence": _CODE,
    },
}
# GEMS_GENIE_1: names that GE cameras give to the radionuclide, the data set, the detector and the picture.
_PRIVATE = {
    0x0011100D: "GenieRadionuclide",
    0x00111012: "GenieDataset",
    0x00111015: "GenieDetector",
    0x00111030: "GeniePicture",
}


def plain_fields(dataset: Dataset, table: Table = FIELDS) -> dict[str, Any]:
    """Plain data (text, numbers, lists, nested dicts) of the elements in the table that are present and readable.

    A value that cannot be read is left out and named in "unreadable".
    """
    wanted = {tag_for_keyword(keyword): (keyword, inner) for keyword, inner in table.items()}
    if table is FIELDS:
        wanted |= {tag: (name, None) for tag, name in _PRIVATE.items()}
    fields: dict[str, Any] = {}
    unreadable = []
    for tag in list(dataset.keys()):
        keyword, inner = wanted.get(int(tag), ("", None))
        if not keyword:
            continue
        try:
            fields[keyword] = _plain(dataset[tag].value, inner)
        except Exception as error:  # noqa: BLE001 - pydicom raises many kinds for a broken value
            unreadable.append(f"{keyword} ({type(error).__name__})")
    return fields | ({"unreadable": unreadable} if unreadable else {})


def _plain(value: Any, inner: Table | None) -> Any:
    if isinstance(value, Items):
        return [plain_fields(item, inner or {}) for item in value]
    if isinstance(value, (MultiValue, list, tuple)):
        return [_plain(item, None) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return value[:_LONGEST_TEXT].decode("latin-1").strip("\0 ")
    return str(value)[:_LONGEST_TEXT].strip("\0 ")
