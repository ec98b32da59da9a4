"""The bones beside a reading.json are those of its patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from examples import ct, grid_of
from files import on_disk
from pydicom import dcmread

from osteoscope.deliver.bone_map import SEG_FILE, bones_beside
from osteoscope.dicom.seg import write_bones_seg
from osteoscope.domain.reading import Reading
from osteoscope.errors import IntakeError


def of_patient(reading: Reading, patient: str) -> Reading:
    study = reading.study
    return replace(reading, study=replace(study, patient=replace(study.patient, id=patient)))


def test_bones_of_another_patient_are_refused(tmp_path: Path) -> None:
    example = on_disk(ct(grid_of((10.0, 6.0, 6.0))), tmp_path / "ct")
    write_bones_seg(example.case, example.reading, tmp_path / SEG_FILE)
    reading = of_patient(example.reading, str(dcmread(tmp_path / SEG_FILE, stop_before_pixels=True).PatientID))
    found = bones_beside(tmp_path / "reading.json", reading)
    assert {site.site for site in found} == {site.site for site in example.case.mapped if site.region is not None}
    with pytest.raises(IntakeError, match="SOMEONE-ELSE"):
        bones_beside(tmp_path / "reading.json", of_patient(reading, "SOMEONE-ELSE"))


def test_bones_keep_their_confidence_and_none_is_left_out(tmp_path: Path) -> None:
    example = on_disk(ct(grid_of((10.0, 6.0, 6.0))), tmp_path / "ct")
    write_bones_seg(example.case, example.reading, tmp_path / SEG_FILE)
    reading = of_patient(example.reading, str(dcmread(tmp_path / SEG_FILE, stop_before_pixels=True).PatientID))
    first, *others = [place.site for place in example.case.mapped if place.region is not None]
    unsure = tuple(replace(said, confidence=0.0) if said.site == first else said for said in reading.sites)
    found = bones_beside(tmp_path / "reading.json", replace(reading, sites=unsure))
    assert {site.site: site.confidence for site in found}[first] == 0
    assert len(found) == 1 + len(others)
    without = tuple(said for said in reading.sites if said.site != first)
    with pytest.raises(IntakeError, match=f"does not list: {first}"):
        bones_beside(tmp_path / "reading.json", replace(reading, sites=without))
