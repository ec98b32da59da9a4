"""What marks of a case come to: lesions, look-alikes, and a note for each mask that is not used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_masks import circle, structure_set
from examples import ct, grid_of
from files import on_disk

from osteoscope.deliver import ct_annotations, nnunet_dataset
from osteoscope.deliver.ct_annotations import Annotated, load_case
from osteoscope.deliver.ct_cases import CtCase
from osteoscope.deliver.nnunet_dataset import write_nnunet
from osteoscope.deliver.outputs import write_reading
from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nifti import write_label_nifti
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.reading import Provenance, Reader, Reading, StudyRecord
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError, UnsuitableStudyError
from osteoscope.train.ct_backgrounds import read_study

GRID = grid_of((10.0, 6.0, 6.0))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    on_disk(ct(GRID), folder)
    return folder


@pytest.fixture(scope="module")
def study(scan: Path) -> Study:
    return read_study(scan)


@pytest.fixture(autouse=True)
def _loaded_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ct_annotations, "read_study", lambda _: study)


def contours(level: int, middle: tuple[float, float] = (20.0, 20.0)) -> list[np.ndarray]:
    return [circle(GRID, level + n, 3.0, middle) for n in range(2)]


def lesion_map(path: Path, low: int, high: int) -> Path:
    mask = np.ones((high - low, 4, 4), dtype=bool)
    write_label_nifti(GRID, [Region((Part("ct", (low, 10, 10), mask),))], path)
    return path


def test_labels_that_are_not_used_are_said(scan: Path, tmp_path: Path) -> None:
    names = ["Met L3", "bone island", "Liver", "non-lesion"]
    path = structure_set(tmp_path / "rt.dcm", [(name, contours(2 * n)) for n, name in enumerate(names)])
    found = load_case(CtCase("a", "", scan, (path,)), with_bones=False)
    assert (len(found.lesions), len(found.benign)) == (1, 1)
    said = [str(note) for note in found.notes if "--lesions" in note.remedy]
    assert len(said) == 1
    assert "'Liver', 'non-lesion'" in said[0]
    assert not any(note.lost for note in found.notes)
    with pytest.raises(IntakeError, match="named 'CTV', none a lesion"):
        load_case(CtCase("a", "", scan, (structure_set(tmp_path / "other.dcm", [("CTV", contours(3))]),)))


def test_masks_of_all_files_are_taken_and_one_lesion_once(scan: Path, tmp_path: Path) -> None:
    files = (
        lesion_map(tmp_path / "lesion_1.nii.gz", 2, 4),
        lesion_map(tmp_path / "lesion_2.nii.gz", 6, 9),
        lesion_map(tmp_path / "lesion_3.nii.gz", 6, 8),
        lesion_map(tmp_path / "look_alike.nii.gz", 0, 1),
    )
    found = load_case(CtCase("a", "", scan, files), with_bones=False)
    assert [lesion.region.size for lesion in found.lesions] == [32, 48]
    assert [region.size for region in found.benign] == [16]
    (double,) = [note for note in found.notes if "taken once" in note.found]
    assert double.file.endswith("lesion_3.nii.gz")


def test_what_lies_off_the_ct_is_said(scan: Path, tmp_path: Path) -> None:
    top = GRID.shape[0] - 1
    path = structure_set(tmp_path / "rt.dcm", [("lesion", contours(top)), ("lesion off", contours(top + 9))])
    notes = [note.found for note in load_case(CtCase("a", "", scan, (path,)), with_bones=False).notes]
    assert "the mask 'lesion': 50 % of it lies off the CT" in notes
    assert "the mask 'lesion off': nothing of it lies on the CT" in notes


def test_masks_of_another_scan_are_refused(scan: Path, tmp_path: Path) -> None:
    other = structure_set(tmp_path / "other.dcm", [("lesion", contours(3))], "1.2.3")
    with pytest.raises(IntakeError, match=r"other\.dcm.*frame of reference 1\.2\.3"):
        load_case(CtCase("a", "", scan, (other,)), with_bones=False)


def test_two_series_in_one_folder_are_refused(tmp_path: Path) -> None:
    study = ct(GRID).case.study
    for uid in ("1.2.98", "1.2.99"):
        write_ct(replace(study, uid=uid), tmp_path / uid)
    with pytest.raises(UnsuitableStudyError, match="2 CTs in it"):
        read_study(tmp_path)


def test_an_export_outlives_any_error_and_needs_no_bones(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesion_map(tmp_path / "lesions.nii.gz", 2, 4)
    table = tmp_path / "cases.csv"
    (tmp_path / "other").mkdir()
    table.write_text("ct,lesions,name\n" + f"other,lesions.nii.gz,bad\n{scan},lesions.nii.gz,good\n")

    def load(case: CtCase, *args: Any, **how: Any) -> Annotated:
        if case.name == "bad":
            raise ZeroDivisionError("of no house")
        return load_case(case, *args, **how)

    monkeypatch.setattr(nnunet_dataset, "load_case", load)
    monkeypatch.setattr(ct_annotations, "plan_for", lambda _: pytest.fail("bones were looked for"))
    made = write_nnunet(table, tmp_path / "out", "", lambda *_: None)
    assert made.cases == ("good",)
    assert [str(p) for p in made.problems if p.lost] == [
        f"{tmp_path / 'other'}: ZeroDivisionError: of no house. Check its files."
    ]


def test_the_reading_of_a_program_is_no_truth(scan: Path, study: Study, tmp_path: Path) -> None:
    record = StudyRecord.of(study)
    made = Reading(record, Reader("program", "osteoscope"), (), (), (), Provenance("osteoscope"))
    path = tmp_path / "reading.json"
    write_reading(made, path)
    with pytest.raises(UnsuitableStudyError, match=r"Reading of a program \(osteoscope\), which nobody has corrected"):
        load_case(CtCase("a", "", scan, (path,)), with_bones=False)
    write_reading(replace(made, reader=Reader("person", "Dr A")), path)
    assert load_case(CtCase("a", "", scan, (path,)), with_bones=False).lesions == ()
