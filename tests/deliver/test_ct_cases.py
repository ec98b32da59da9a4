"""Folders of cases: every mask that names lesions is taken, and what is not used is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from osteoscope.deliver.ct_cases import list_cases
from osteoscope.deliver.ct_label_names import mask_kind
from osteoscope.deliver.ct_outputs import check_apart
from osteoscope.errors import IntakeError, OutputError

# Files of a case, and those taken as its lesions.
USED = {
    "one": (["ct.nii.gz", "lesions.nii.gz"], ["lesions.nii.gz"]),
    "numbered": (["ct.nii.gz", "lesion_1.nii.gz", "lesion_2.nii.gz"], ["lesion_1.nii.gz", "lesion_2.nii.gz"]),
    "dashed": (["ct.nii.gz", "lesion-1.nii.gz", "lesion-2.nrrd"], ["lesion-1.nii.gz", "lesion-2.nrrd"]),
    "C": (["ct.nii.gz", "C_lesions.nii.gz"], ["C_lesions.nii.gz"]),
    "words": (["scan.nii.gz", "segmentation_lesions.nii.gz"], ["segmentation_lesions.nii.gz"]),
    "bone-lesions": (["ct.nii.gz", "bone-lesions.nii.gz"], ["bone-lesions.nii.gz"]),
    "below": (["ct/1.dcm", "lesions/seg1.dcm", "lesions/seg2.dcm"], ["seg1.dcm", "seg2.dcm"]),
    "plain": (["ct.nii.gz", "masks/1.nii.gz", "masks/2.nii.gz"], ["1.nii.gz", "2.nii.gz"]),
    "P7": (["P7_ct.nii.gz", "P7_seg.nii.gz"], ["P7_seg.nii.gz"]),
    "alikes": (["ct.nii.gz", "lesions.nii.gz", "look-alikes.nii.gz"], ["lesions.nii.gz", "look-alikes.nii.gz"]),
    "camel": (["ct.nii.gz", "boneMets.nii.gz"], ["boneMets.nii.gz"]),
    "kernel": (["ct_bone.nii.gz", "lesions.nii.gz"], ["lesions.nii.gz"]),
    "tumor-07": (["volume.nii.gz", "lesions.nii.gz"], ["lesions.nii.gz"]),
}
# Files of a case that cannot be used, and what is said of it.
LOST = {
    "no-masks": (["ct.nii.gz"], r"ct\.nii\.gz: a CT without masks"),
    "slices": (["dicom/1.dcm", "dicom/2.dcm"], "dicom: a CT without masks"),
    "no-ct": (["lesions.nii.gz"], "masks without a CT"),
    "two-masks": (["ct.nii.gz", "lesions.nii.gz", "mask.nii.gz"], r"several marks of one CT \(with mask\.nii\.gz\)"),
    "mask-or-seg": (["ct.nii.gz", "mask.nii.gz", "seg.nii.gz"], "several marks"),
    "reading-too": (["ct.nii.gz", "lesions.nii.gz", "reading.json"], r"with reading\.json"),
    "two-cts": (["ct_venous.nii.gz", "ct_native.nii.gz", "lesions.nii.gz"], "more than one that may be the CT"),
    "two-series": (["a/1.dcm", "b/1.dcm", "lesions.nii.gz"], "more than one that may be the CT"),
    "file-and-folder": (["ct.nii.gz", "ct/1.dcm", "lesions.nii.gz"], "more than one that may be the CT"),
    "mha": (["ct.nii.gz", "lesions.mha"], r"lesions\.mha: named after lesions, in a format"),
    "mha-too": (["ct.nii.gz", "lesions.nii.gz", "lesion_2.mha"], r"lesion_2\.mha: named after lesions, in a format"),
    "mha-ct": (["ct.mha", "lesions.nii.gz"], "masks without a CT"),
    "organ": (["ct.nii.gz", "liver_seg.nii.gz"], r"liver_seg\.nii\.gz: not used: its name does not say lesions"),
    "none": (["ct.nii.gz", "no_lesion_mask.nii.gz"], "its name does not say lesions"),
    "two-bones": (["ct.nii.gz", "lesions.nii.gz", "bones.nii.gz", "bone_mask.nii.gz"], "more than one file of bones"),
}


def made(root: Path, files: dict[str, list[str]]) -> Path:
    for case, names in files.items():
        for name in names:
            path = root / case / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    return root


def test_every_mask_that_names_lesions_is_taken(tmp_path: Path) -> None:
    found = list_cases(made(tmp_path, {case: files for case, (files, _) in USED.items()}))
    assert found.problems == ()
    assert {case.name: [file.name for file in case.lesions] for case in found.cases} == {
        case: lesions for case, (_, lesions) in USED.items()
    }


def test_each_case_that_cannot_be_used_is_said_once(tmp_path: Path) -> None:
    files = {case: files for case, (files, _) in LOST.items()}
    found = list_cases(made(tmp_path, {**files, "good": ["ct.nii.gz", "lesions.nii.gz"]}))
    assert [case.name for case in found.cases] == ["good"]
    assert all(problem.remedy for problem in found.problems)
    for case, (_, said) in LOST.items():
        about = [str(problem) for problem in found.problems if f"/{case}/" in f"{problem.file}/" and problem.lost]
        assert len(about) == 1, (case, about)
        assert re.search(said, about[0]), (said, about[0])


def test_what_lies_beside_a_case_is_said_and_the_case_used(tmp_path: Path) -> None:
    case = ["ct.nii.gz", "lesions.nii.gz", "liver_seg.nii.gz", "pet.nii.gz", "seg.nii.gz.bak"]
    found = list_cases(made(tmp_path, {"A": case}))
    assert len(found.cases) == 1
    assert sorted(Path(problem.file).name for problem in found.problems) == [
        "liver_seg.nii.gz",
        "pet.nii.gz",
        "seg.nii.gz.bak",
    ]
    assert not any(problem.lost for problem in found.problems)


def test_a_table_names_several_masks(tmp_path: Path) -> None:
    made(tmp_path, {"A": ["ct.nii.gz", "a.nii.gz", "b.nii.gz"]})
    table = tmp_path / "cases.csv"
    table.write_text("ct,lesions,name\nA/ct.nii.gz,A/a.nii.gz | A/b.nii.gz,x\nA/ct.nii.gz,A/a.nii.gz|A/c.nii.gz,y\n")
    found = list_cases(table)
    assert [[file.name for file in case.lesions] for case in found.cases] == [["a.nii.gz", "b.nii.gz"]]
    assert [(problem.row, problem.column) for problem in found.problems] == [(3, "lesions")]


def table(path: Path, rows: list[str], header: str = "ct,lesions") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_name_does_not_move_with_the_row(tmp_path: Path) -> None:
    made(tmp_path, {f"x{n}": ["ct.nii.gz", "lesions.nii.gz"] for n in range(4)})
    rows = [f"x{n}/ct.nii.gz,x{n}/lesions.nii.gz" for n in range(4)]
    named = [
        {case.name: case.ct.parent.name for case in list_cases(table(tmp_path / "cases.csv", given)).cases}
        for given in (rows[:3], rows, [rows[3], *rows[:3]])
    ]
    assert named[1] == named[2]
    assert named[0].items() < named[1].items()
    assert set(named[1]) == {"x0_ct", "x1_ct", "x2_ct", "x3_ct"}


def test_names_that_files_cannot_tell_apart_are_told_apart_whatever_their_order(tmp_path: Path) -> None:
    made(tmp_path, {case: ["ct.nii.gz", "lesions.nii.gz"] for case in ("a", "b", "c")})
    rows = [f"{ct}/ct.nii.gz,{ct}/lesions.nii.gz,{name}" for ct, name in (("a", "P/1"), ("b", "P_1"), ("c", "P2"))]
    listed = [list_cases(table(tmp_path / "t.csv", given, "ct,lesions,name")).cases for given in (rows, rows[::-1])]
    named = [{case.name: case.ct.parent.name for case in cases} for cases in listed]
    assert named[0] == named[1]
    assert len(named[0]) == 3
    assert named[0]["P2"] == "c"


# Rows that cannot be used, by the header of their table: the columns told and what is said.
ROWS = {
    "surplus": ("ct,lesions", ["A/ct.nii.gz,A/a.nii.gz,extra,more"], "4 cells under a header of 2"),
    "unquoted": ("ct,lesions,patient", ["A/ct.nii.gz,A/a.nii.gz,Smith, John"], "4 cells under a header of 3"),
    "short": ("ct,lesions,patient", ["A/ct.nii.gz,A/a.nii.gz"], "2 cells under a header of 3"),
    "several": ("ct,lesions", ["A/ct.nii.gz|B/ct.nii.gz,A/a.nii.gz"], "2 files in one cell. Name one"),
    "one ct": ("ct,lesions", ["A/ct.nii.gz,A/a.nii.gz"] * 2, "column ct: that of row 4 as well; none of these rows"),
    "one name": (
        "ct,lesions,name",
        ["A/ct.nii.gz,A/a.nii.gz,x", "C/ct.nii.gz,A/a.nii.gz,x"],
        "column name: that of row 4 as well; none of these rows",
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_that_cannot_be_used_is_told(tmp_path: Path, case: str) -> None:
    header, rows, said = ROWS[case]
    made(tmp_path, {name: ["ct.nii.gz", "a.nii.gz"] for name in "ABC"})
    good = ",".join(["B/ct.nii.gz", "B/a.nii.gz", "good"][: header.count(",") + 1])
    found = list_cases(table(tmp_path / "cases.csv", [good, *rows], header))
    assert [one.ct.parent.name for one in found.cases] == ["B"]
    assert len(found.problems) == len(rows)
    assert said in str(found.problems[0])
    assert all(problem.lost for problem in found.problems)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="more than one column ct"):
        list_cases(table(tmp_path / "cases.csv", ["a,b,c"], "ct,lesions,CT"))


def test_a_folder_of_the_first_level_is_a_patient_if_cases_lie_below_it(tmp_path: Path) -> None:
    case = ["ct.nii.gz", "lesions.nii.gz"]
    files = {"P1": case, "P1/followup": case, "P 2/a": case, "P 2/b": case, "P3": case}
    found = list_cases(made(tmp_path, files))
    assert found.problems == ()
    assert {case.ct.parent.relative_to(tmp_path).as_posix(): case.patient for case in found.cases} == {
        "P1": "P1", "P1/followup": "P1", "P 2/a": "P 2", "P 2/b": "P 2", "P3": "",
    }  # fmt: skip


def test_the_output_of_a_training_is_no_part_of_the_dataset(tmp_path: Path) -> None:
    case = ["ct.nii.gz", "lesions.nii.gz"]
    kept = ["scan.npz", "reading.json", "bones.nii.gz"]
    files = {"P1": case, "out/cases/P1": kept, "elder/cases/P1": kept, "split": case}
    made(tmp_path, files)
    (tmp_path / "elder" / "split.json").write_text('{"schema": "osteoscope/ct-split/1"}')
    (tmp_path / "split" / "split.json").write_text('{"train": ["P1"]}')
    found = list_cases(tmp_path, tmp_path / "P1" / ".." / "out")
    assert [case.name for case in found.cases] == ["P1", "split"]
    assert found.problems == ()


def test_output_does_not_go_among_scans(tmp_path: Path) -> None:
    made(tmp_path, {"cases/P1": ["ct.nii.gz", "lesions.nii.gz"]})
    (case,) = list_cases(tmp_path / "cases").cases
    for dataset, output in ((tmp_path / "cases", tmp_path / "cases"), (tmp_path / "cases", tmp_path)):
        with pytest.raises(OutputError, match="results do not go among scans"):
            check_apart(dataset, case.files, output)
    check_apart(tmp_path / "cases", case.files, tmp_path / "cases" / "training")


LABELS = {
    "lesion": "Met L3|Mets|bone met 2|bone_met_2|BM_1|Neoplasm|Mass|osteolysis|osteolytic|sclerosis|sclerotic|GTV_node"
    "|Lesion No. 3|lesion no 3|tumor|Metastasis",
    "look-alike": "Bone island|bone_island|Schmorl node|haemangioma|hemangioma|Tumour (benign)|sclerotic degenerative",
    "": "non-lesion|Normal bone, no lesion|not a lesion|without metastases|normal|Metallic implant|CTV|Segment_1|Liver"
    "|no sclerotic lesion",
}


@pytest.mark.parametrize(
    ("kind", "label"), [(kind, label) for kind, said in LABELS.items() for label in said.split("|")]
)
def test_labels_are_lesions_look_alikes_or_neither(kind: str, label: str) -> None:
    assert mask_kind(f"{label} ") == kind
