"""A PDF report as an Encapsulated PDF instance (PS3.3 A.45.1)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from osteoscope.dicom.derived import (
    DOCUMENT,
    MANUFACTURER,
    MODEL,
    RESEARCH_USE,
    SOFTWARE_VERSION,
    UTF_8,
    references,
    save,
    source_headers,
    uid_for,
)
from osteoscope.dicom.writing import code
from osteoscope.domain.reading import Case
from osteoscope.errors import OutputError

_COPIED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
# LOINC of PS3.16 CID 7020 (Document Titles) for a report on images.
_TITLE = ("18748-4", "LN", "Diagnostic imaging report")


def write_encapsulated_pdf(pdf: Path, case: Case, path: Path) -> None:
    """Write a PDF file into a DICOM instance of the study, naming the study's images as its source.

    Raises:
        OutputError: the PDF cannot be read or is none, sources without DICOM identity, or a file
            that cannot be written.
    """
    asked = f"write {pdf.name} as Encapsulated PDF"
    headers = source_headers(case, asked)
    content = _read(pdf, asked)
    digest = hashlib.sha256(content).hexdigest()
    dataset = Dataset()
    dataset.SpecificCharacterSet = UTF_8
    dataset.SOPClassUID = EncapsulatedPDFStorage
    dataset.SOPInstanceUID = uid_for(DOCUMENT, case.study.uid, digest, "instance")
    for keyword in _COPIED:
        # Some sources write a size or weight with a decimal comma; what the standard cannot hold is left out.
        with suppress(ValueError):
            if keyword in headers[0]:
                setattr(dataset, keyword, headers[0][keyword].value)
    _series(dataset, uid_for(DOCUMENT, case.study.uid, digest, "series"))
    _document(dataset, content, headers)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    save(dataset, path)


def _read(pdf: Path, asked: str) -> bytes:
    try:
        content = pdf.read_bytes()
    except OSError as error:
        raise OutputError(asked, str(error), "Write the report as PDF first") from error
    if not content.startswith(b"%PDF-"):
        raise OutputError(asked, f"{len(content)} bytes that are no PDF", "Give a PDF file")
    return content


def _series(dataset: Dataset, series: str) -> None:
    dataset.Modality = "DOC"
    dataset.SeriesInstanceUID = series
    dataset.SeriesNumber = DOCUMENT.series_number
    dataset.SeriesDescription = DOCUMENT.description
    dataset.InstanceNumber = 1
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL
    dataset.SoftwareVersions = SOFTWARE_VERSION
    dataset.DeviceSerialNumber = "0"
    dataset.ConversionType = "WSD"


def _document(dataset: Dataset, content: bytes, headers: list[Dataset]) -> None:
    now = datetime.now()
    dataset.ContentDate = now.strftime("%Y%m%d")
    dataset.ContentTime = now.strftime("%H%M%S")
    dataset.AcquisitionDateTime = ""
    dataset.BurnedInAnnotation = "YES"
    dataset.RecognizableVisualFeatures = "NO"
    dataset.ContentQualification = "RESEARCH"
    dataset.DocumentTitle = RESEARCH_USE
    dataset.ConceptNameCodeSequence = [code(*_TITLE)]
    dataset.SourceInstanceSequence = references(headers)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(content)
    dataset.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
