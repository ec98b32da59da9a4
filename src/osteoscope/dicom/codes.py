"""Codes of measures, kinds and statuses: standard ones where a standard has them, else of the private scheme.

docs/reference/dicom.md lists the private codes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from osteoscope.dicom.derived import private_code
from osteoscope.domain.study import StudyKind

_MEASURES: Mapping[str, Code] = MappingProxyType(
    {
        "volume": codes.SCT.Volume,
        "long_axis": codes.SCT.LongAxis,
        "short_axis": codes.SCT.ShortAxis,
        "area": codes.SCT.Area,
        "hu_mean": codes.DCM.MeanAttenuationCoefficient,
        "hu_median": codes.DCM.MedianAttenuationCoefficient,
        "hu_min": codes.DCM.MinimumAttenuationCoefficient,
        "hu_max": codes.DCM.MaximumAttenuationCoefficient,
    }
)
_UNIT_NAMES = {"1": "no units", "[hnsf'U]": "Hounsfield unit", "mL": "milliliter", "mm": "millimeter"}

PROCEDURES: Mapping[StudyKind, Code] = MappingProxyType(
    {"ct": codes.LN.CTUnspecifiedBodyRegion, "nm-planar": codes.LN.NMUnspecifiedBodyRegion}
)
FINDING_TYPES: Mapping[StudyKind, CodedConcept] = MappingProxyType(
    {
        "ct": CodedConcept("52988006", "SCT", "Lesion"),
        "nm-planar": private_code("uptake", "Skeletal uptake"),
    }
)
KIND_OF_FINDING = private_code("kind", "Kind of finding")
STATUS = private_code("status", "Status of assessment")


def measure_code(name: str) -> Code | CodedConcept:
    """The concept of a measure."""
    return _MEASURES.get(name) or named_code(name)


def named_code(name: str) -> CodedConcept:
    """A private concept whose value is an id of docs/reference/reading.md and whose meaning is that id in words."""
    return private_code(name, name.replace("_", " ").capitalize())


def method_code(method: str) -> CodedConcept:
    """A private concept of a method: a digest of its text as value, the text itself as meaning."""
    return private_code(f"m-{hashlib.sha256(method.encode()).hexdigest()[:12]}", method)


def unit_code(ucum: str) -> CodedConcept:
    """A UCUM unit."""
    return CodedConcept(ucum, "UCUM", _UNIT_NAMES.get(ucum, ucum.strip("{}")))
