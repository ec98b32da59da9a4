"""What goes out beside real series of the reference data, loaded by the intake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from files import validator_errors

from osteoscope.dicom.key_image import write_key_images
from osteoscope.dicom.load import load, scan
from osteoscope.dicom.pdf import write_encapsulated_pdf
from osteoscope.dicom.seg import write_bones_seg, write_seg
from osteoscope.dicom.sr import write_sr
from osteoscope.domain.finding import Finding, FindingKind, Measure, Part, Point, Region
from osteoscope.domain.reading import Case, MappedSite, Provenance, Reader, Reading, StudyRecord
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError
from osteoscope.report.document import build_document
from osteoscope.report.pdf import write_pdf


def loaded(path: Path, scratch: Path) -> Study:
    study = load(scan(path, scratch).candidates[0], scratch).study
    assert study is not None
    return study


def read(study: Study, image: str, site: str, kind: FindingKind) -> tuple[Case, Reading]:
    """A Reading with one finding: the brightest spot of an image and what is half as bright around it."""
    values = np.asarray(study.images[image].values)
    peak = np.unravel_index(int(values.argmax()), values.shape)
    box = tuple(slice(max(0, int(p) - 6), int(p) + 7) for p in peak)
    part = Part.from_mask(image, values[box] > values.max() / 2, tuple(s.start for s in box))
    centre = Point.centre_of(part, study.images[image].grid)
    finding = Finding("spot", site, kind, 0.6, Region((part,)), centre, (Measure("area", 2.5, "cm2", "test"),))
    case = Case(study, (MappedSite(site, finding.region),), (finding,))
    record, reader = StudyRecord.of(study), Reader("program", "osteoscope test", "0.1.0")
    return case, Reading(record, reader, (finding,), (), (), Provenance("osteoscope"), intake=study.intake)


def write_common(case: Case, reading: Reading, folder: Path) -> list[Path]:
    document = build_document(reading, case)
    write_pdf(document, folder / "report.pdf")
    write_sr(case, reading, folder / "sr.dcm")
    write_encapsulated_pdf(folder / "report.pdf", case, folder / "report.dcm")
    keys = write_key_images([(figure.name, figure.png) for figure in document.figures], case, folder / "keys")
    return [folder / "sr.dcm", folder / "report.dcm", *keys]


def test_a_series_of_ge(shared: Path, tmp_path: Path) -> None:
    study = loaded(shared / "ct" / "dcmqi_ct3" / "dicom", tmp_path)
    case, reading = read(study, "ct", "bone_unknown_1", "blastic")
    write_seg(case, reading, tmp_path / "seg.dcm")
    write_bones_seg(case, reading, tmp_path / "bones.dcm")
    written = [tmp_path / "seg.dcm", *write_common(case, reading, tmp_path)]
    assert [error for path in written for error in validator_errors(path)] == []
    pixels = pydicom.dcmread(tmp_path / "seg.dcm").pixel_array
    assert pixels.sum() == case.findings[0].region.size


@pytest.mark.parametrize("name", ["wholebody_bone_NM1_JPEG-LL.dcm", "wholebody_bone_NM1_JPEG2000_UNC.dcm"])
def test_a_whole_body_scan_lossless_and_lossy(shared: Path, tmp_path: Path, name: str) -> None:
    study = loaded(shared / "planar" / "nm_planar" / name, tmp_path)
    case, reading = read(study, "anterior", "pelvis", "focal")
    assert [error for path in write_common(case, reading, tmp_path) for error in validator_errors(path)] == []


def test_a_series_whose_uids_were_wiped(shared: Path, tmp_path: Path) -> None:
    study = loaded(shared / "ct" / "totalsegmentator_tests" / "example_ct_dicom", tmp_path)
    case, reading = read(study, "ct", "bone_unknown_1", "blastic")
    with pytest.raises(OutputError, match="states no SOPClassUID"):
        write_seg(case, reading, tmp_path / "seg.dcm")
