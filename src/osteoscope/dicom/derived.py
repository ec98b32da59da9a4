"""What the objects made from a Reading share: source headers, identity, codes, files.

UIDs are name-based (`writing.derived_uid`) over the kind of object, the software's version and the
content, so that writing the same Reading twice gives the same instance, and a changed one another.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import pydicom
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.uid import UID

from osteoscope.dicom.whole import whole
from osteoscope.dicom.writing import derived_uid
from osteoscope.domain import codec
from osteoscope.domain.anatomy import Site
from osteoscope.domain.reading import Case, Reading
from osteoscope.errors import OutputError

T = TypeVar("T")

MANUFACTURER = "Osteoscope"
MODEL = "osteoscope"
SOFTWARE_VERSION = version("osteoscope")
RESEARCH_USE = "Research use only; not a medical device"
PRIVATE_SCHEME = "99OSTEOSCOPE"
UTF_8 = "ISO_IR 192"
_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
_TYPE_2 = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_SEXES = ("", "M", "F", "O")
_LATERALITY = {"right": ("24028007", "Right"), "left": ("7771000", "Left")}


@dataclass(frozen=True)
class Role:
    """A series that Osteoscope adds to a study: its key in UIDs, number and description."""

    key: str
    series_number: int
    description: str


LESIONS = Role("lesions", 9801, "Osteoscope lesions, research use only")
BONES = Role("bones", 9802, "Osteoscope bones, research use only")
REPORT = Role("measurements", 9803, "Osteoscope measurements, research use only")
PICTURES = Role("pictures", 9804, "Osteoscope key images, research use only")
DOCUMENT = Role("document", 9805, "Osteoscope report, research use only")


def source_headers(case: Case, asked: str) -> list[Dataset]:
    """One header per source instance, in the order of slices, without pixel data.

    Attributes of type 2 that the source lacks are added empty, since every derived object needs them;
    a sex that is none of the standard's terms is left empty too.

    Raises:
        OutputError: a source is not DICOM, lacks its UIDs, or cannot be read any more.
    """
    by_uid = {source.sop_instance_uid: source for source in case.study.sources}
    if not by_uid or "" in by_uid:
        raise OutputError(
            asked,
            f"study {case.study.uid} was not read from DICOM files",
            "Read the DICOM series instead, or use reading.json and NIfTI",
        )
    ordered = sorted(by_uid.values(), key=lambda source: (source.index or 0, source.file))
    return [_header(source.path, asked) for source in ordered]


def _header(path: Path, asked: str) -> Dataset:
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except OSError as error:
        raise OutputError(asked, f"source {path.name}: {error}", "Keep the study open while writing") from error
    missing = [keyword for keyword in _IDENTITY if not header.get(keyword)]
    if missing:
        found = f"source {path.name} states no {', '.join(missing)}"
        raise OutputError(asked, found, "Export the series again with its UIDs, or use reading.json and NIfTI")
    for keyword in _TYPE_2:
        if keyword not in header:
            setattr(header, keyword, "")
    if header.PatientSex not in _SEXES:
        header.PatientSex = ""
    return header


def content_key(reading: Reading) -> str:
    """A digest of what a Reading says, apart from its gaps: those grow while its outputs are written."""
    said = codec.encode(replace(reading, gaps=()))
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def uid_for(role: Role, *content: object) -> UID:
    """A UID for a series, an instance or a tracked finding."""
    return derived_uid(role.key, SOFTWARE_VERSION, *content)


def created(reading: Reading) -> datetime:
    """When the Reading was made in local time, as its provenance says; now where it does not."""
    started = reading.provenance.started
    return datetime.fromisoformat(started).astimezone().replace(tzinfo=None) if started else datetime.now()


def identity(role: Role, reading: Reading, *unlike: str) -> dict[str, Any]:
    """Series, instance, equipment and research qualification of an object, as highdicom's constructors take them.

    Args:
        role, reading: of the object.
        unlike: how it differs from the usual object of the same Reading, if it does.
    """
    key, made = content_key(reading), created(reading)
    return {
        "series_instance_uid": uid_for(role, key, *unlike, "series"),
        "series_number": role.series_number,
        "series_description": role.description,
        "sop_instance_uid": uid_for(role, key, *unlike, "instance"),
        "instance_number": 1,
        "content_date": made.date(),
        "content_time": made.time(),
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL,
        "software_versions": SOFTWARE_VERSION,
        "device_serial_number": "0",
        "content_qualification": "RESEARCH",
        "specific_character_set": UTF_8,
    }


def private_code(value: str, meaning: str) -> CodedConcept:
    """A code of the private scheme; docs/reference/dicom.md lists them."""
    return CodedConcept(value, PRIVATE_SCHEME, meaning[:64])


def site_code(site: Site) -> CodedConcept:
    """SNOMED CT concept of a site, without side."""
    return CodedConcept(site.code, "SCT", site.name.removeprefix(f"{site.side} ")[:64])


def side_code(site: Site) -> CodedConcept | None:
    """SNOMED CT concept of a site's side, if it has one (PS3.16 CID 244)."""
    if site.side is None:
        return None
    value, meaning = _LATERALITY[site.side]
    return CodedConcept(value, "SCT", meaning)


def build(asked: str, make: Callable[[], T]) -> T:
    """What ``make`` returns, with a refusal of highdicom or pydicom turned into an OutputError.

    highdicom's warning on names of one component is left out: pseudonyms are such names.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The string .* is unlikely to represent the intended person name")
            return make()
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise OutputError(
            asked, f"{type(error).__name__}: {error}", "Check the source headers with dciodvfy"
        ) from error


def save(dataset: Dataset, path: Path) -> None:
    """Write one instance as a DICOM file (PS3.10), whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        with whole(path) as draft:
            dataset.save_as(draft, enforce_file_format=True)
    except OSError as error:
        raise OutputError(f"write {path}", str(error), "Name a folder that can be written") from error


def references(headers: Sequence[Dataset]) -> list[Dataset]:
    """Items of a Referenced SOP Instance macro (PS3.3 10.8)."""
    items = []
    for header in headers:
        item = Dataset()
        item.ReferencedSOPClassUID = header.SOPClassUID
        item.ReferencedSOPInstanceUID = header.SOPInstanceUID
        items.append(item)
    return items
