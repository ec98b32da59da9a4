"""Encapsulated PDF read back: bytes equal, identity of the study, sources named; dciodvfy finds no error."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from examples import Example, ct, grid_of, planar
from files import on_disk, validator_errors

from osteoscope.dicom.pdf import write_encapsulated_pdf
from osteoscope.errors import OutputError


@pytest.mark.parametrize("example", [ct(grid_of((10.0, 6.0, 6.0))), planar()], ids=["ct", "nm"])
@pytest.mark.parametrize("content", [b"%PDF-1.7 odd", b"%PDF-1.7 even"])
def test_the_document_returns(tmp_path: Path, example: Example, content: bytes) -> None:
    case = on_disk(example, tmp_path / "source").case
    (tmp_path / "report.pdf").write_bytes(content)
    write_encapsulated_pdf(tmp_path / "report.pdf", case, tmp_path / "report.dcm")
    assert validator_errors(tmp_path / "report.dcm") == []
    written = pydicom.dcmread(tmp_path / "report.dcm")
    assert written.EncapsulatedDocument[: written.EncapsulatedDocumentLength] == content
    source = pydicom.dcmread(case.study.sources[0].path)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "AccessionNumber"):
        assert written[keyword].value == source[keyword].value
    named = {item.ReferencedSOPInstanceUID for item in written.SourceInstanceSequence}
    assert named == {s.sop_instance_uid for s in case.study.sources}
    assert written.ContentQualification == "RESEARCH"
    assert "Research use only" in written.DocumentTitle


def test_names_of_any_script(tmp_path: Path) -> None:
    case = on_disk(planar(), tmp_path / "source").case
    path = case.study.sources[0].path
    header = pydicom.dcmread(path)
    header.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    header.PatientName = "Yamada^Tarou=山田^太郎"
    header.save_as(path)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-")
    write_encapsulated_pdf(tmp_path / "report.pdf", case, tmp_path / "report.dcm")
    assert str(pydicom.dcmread(tmp_path / "report.dcm").PatientName) == "Yamada^Tarou=山田^太郎"
    assert validator_errors(tmp_path / "report.dcm") == []


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
def test_a_decimal_comma_costs_its_element_alone(tmp_path: Path) -> None:
    case = on_disk(planar(), tmp_path / "source").case
    path = case.study.sources[0].path
    header = pydicom.dcmread(path)
    header.PatientSize, header.PatientWeight = "1.07", "17.5"
    header.save_as(path)
    path.write_bytes(path.read_bytes().replace(b"1.07", b"1,07"))
    (tmp_path / "report.pdf").write_bytes(b"%PDF-")
    write_encapsulated_pdf(tmp_path / "report.pdf", case, tmp_path / "report.dcm")
    written = pydicom.dcmread(tmp_path / "report.dcm")
    assert "PatientSize" not in written
    assert written.PatientWeight == 17.5


def test_what_is_no_pdf(tmp_path: Path) -> None:
    case = on_disk(planar(), tmp_path / "source").case
    with pytest.raises(OutputError, match="Write the report as PDF first"):
        write_encapsulated_pdf(tmp_path / "absent.pdf", case, tmp_path / "report.dcm")
    (tmp_path / "text.pdf").write_text("text")
    with pytest.raises(OutputError, match="4 bytes that are no PDF"):
        write_encapsulated_pdf(tmp_path / "text.pdf", case, tmp_path / "report.dcm")
    with pytest.raises(OutputError, match="not read from DICOM files"):
        write_encapsulated_pdf(tmp_path / "text.pdf", planar().case, tmp_path / "report.dcm")
